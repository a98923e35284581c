"""Every word that a person reads is marked for translation, from the first template on."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "lti_tool" / "templates"


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_text_stands_outside_a_translation(template: Path) -> None:
    text = re.sub(r"\{% block page_class %\}.*?\{% endblock %\}", "", template.read_text())
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.DOTALL)
    shown = re.findall(r"(?:aria-label|alt|title|placeholder)=\"([^\"]*)\"", text)
    shown += re.sub(r"<[^>]*>", " ", text, flags=re.DOTALL).split("\n")
    assert [line.strip() for line in shown if re.search(r"[A-Za-z]{2}", line)] == []


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_nothing_inline_that_the_content_security_policy_refuses(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*src=)", text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), "nothing is loaded from elsewhere"
