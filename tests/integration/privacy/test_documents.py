"""What everybody can read before first use, and a data-protection officer before a university joins."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date

import pytest

from series.data_map import map_rows
from series.documents import Bullets, Document, Grid, Section, as_html, as_markdown, fingerprint
from series.privacy.bundle import DOCUMENTS, bundle_files
from series.privacy.facts import VERSIONS, Facts, Partner
from series.privacy.record import ACTIVITIES
from series.retention import RETENTION
from tests.integration.staff.desk import Desk

FACTS = Facts(
    public_url="https://sessions.example.org",
    operator="Sessions Office, Valletta",
    contact="privacy@example.org",
    hosting="Example Hosting, Finland",
    sends_mail=False,
    partners=(
        Partner(name="Hacettepe", country="TR"),
        Partner(name="Malta", country="MT"),
    ),
    today=date(2026, 11, 27),
    countries={"TR": "Türkiye", "MT": "Malta"},
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_opens_for_everybody_with_its_version(browser: Desk, name: str) -> None:
    page = browser.get(f"/privacy/bundle/{name}/")
    assert page.status_code == 200
    assert f"Version {VERSIONS[0].number} of" in page.text
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize("path", ["/", "/lti/login", "/admin/sign-in", "/privacy/bundle/unknown/"])
def test_dpo_02_the_notice_is_one_link_away_before_anybody_is_known(browser: Desk, path: str) -> None:
    """Also on the pages that a login shows before the LMS is asked: all are made of one frame."""
    assert 'href="/privacy/"' in browser.get(path).text
    assert "Privacy notice" in browser.get("/privacy/").text


def test_dpo_02_the_notice_says_what_the_law_wants_said() -> None:
    """Articles 13 and 14: who, contact, why, on what ground, to whom, how long, which rights, where to complain."""
    said = as_markdown(DOCUMENTS["notice"](FACTS))
    for part in (
        "Sessions Office",
        "privacy@",
        "Article 6",
        "Who sees it",
        "How long",
        "complain",
        "Article 26",
        "object",
    ):
        assert part in said


@pytest.mark.parametrize("name", ["assessment", "security"])
def test_dpo_06_the_bundle_says_what_stands_in_the_database_in_clear(name: str) -> None:
    said = " ".join(as_markdown(DOCUMENTS[name](FACTS)).split())
    assert "in clear" in said
    assert "encrypted by the operator" in said
    assert "pseudonym" in said


def test_dpo_02_what_only_the_operator_knows_is_marked_as_missing() -> None:
    said = as_markdown(DOCUMENTS["notice"](replace(FACTS, contact="")))
    assert "SHARED_SESSIONS_PRIVACY_CONTACT" in said


def test_dpo_01_the_record_has_an_entry_for_each_purpose_as_article_30_wants_it(browser: Desk) -> None:
    rows = json.loads(browser.get("/privacy/bundle/record.json").text)
    assert [row["activity"] for row in rows] == [one.name for one in ACTIVITIES]
    assert all(all(row.values()) for row in rows)
    lines = list(csv.DictReader(io.StringIO(browser.get("/privacy/bundle/record.csv").text.lstrip("\ufeff"))))
    assert [line["purposes"] for line in lines] == [row["purposes"] for row in rows]


def test_dpo_01_everything_in_the_data_map_belongs_to_a_purpose_of_the_record() -> None:
    of_activities = {table for one in ACTIVITIES for table in one.tables}
    assert {row.field.split(".")[0] for row in map_rows()} == of_activities


def test_dpo_03_the_essence_of_the_arrangement_is_public(browser: Desk) -> None:
    page = browser.get("/privacy/bundle/essence/").text
    assert "decide together" in page
    assert "use your rights towards every one of them" in page


def test_dpo_04_the_data_map_shows_every_field(browser: Desk) -> None:
    shown = re.findall(r'<th scope="row" role="rowheader">([^<]+)</th>', browser.get("/privacy/data/").text)
    assert sorted(shown) == sorted(row.field for row in map_rows())


def test_dpo_09_the_retention_says_what_the_daily_job_does() -> None:
    said = as_markdown(DOCUMENTS["retention"](FACTS))
    assert all(one.words in said for one in RETENTION.values())


def test_dpo_19_processors_and_hosting_are_named_and_nothing_foreign_is_loaded(browser: Desk) -> None:
    assert "Example Hosting, Finland" in as_markdown(DOCUMENTS["processors"](FACTS))
    answer = browser.get("/privacy/bundle/processors/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//', answer.text) == []


def test_dpo_20_the_register_says_on_what_ground_named_data_cross() -> None:
    said = as_markdown(DOCUMENTS["transfers"](FACTS))
    assert "| Hacettepe | Türkiye | none recorded" in said
    assert "| Malta | Malta | none needed" in said
    signed = replace(FACTS, partners=(Partner(name="Hacettepe", country="TR", instrument_on=date(2026, 10, 1)),))
    assert "recorded on 2026-10-01" in as_markdown(DOCUMENTS["transfers"](signed))


def test_dpo_22_the_assessment_has_the_four_parts_of_the_law() -> None:
    titles = " ".join(section.title for section in DOCUMENTS["assessment"](FACTS).sections)
    assert all(part in titles for part in ("What is processed", "Necessity", "Risks", "Opinions"))


def test_the_bundle_has_each_document_as_text_and_as_page() -> None:
    files = bundle_files(FACTS)
    assert {f"{name}.{ending}" for name in DOCUMENTS for ending in ("md", "html")} <= set(files)
    assert all(f"]({name}.md)" in files["README.md"] for name in DOCUMENTS)
    assert all("src=" not in text for name, text in files.items() if name.endswith(".html"))


def test_the_fingerprint_changes_with_a_word() -> None:
    one = DOCUMENTS["notice"](FACTS)
    assert fingerprint(one) != fingerprint(DOCUMENTS["notice"](replace(FACTS, hosting="elsewhere")))
    assert fingerprint(one) == fingerprint(DOCUMENTS["notice"](FACTS))


def test_a_name_from_elsewhere_is_only_a_name() -> None:
    blocks = ("<b>", Bullets(items=("*x*",)), Grid(caption="c", heads=("a", "b"), rows=(("1|2", "<script>"),)))
    document = Document(name="n", title="<t>", about="a", sections=(Section(title="s", blocks=blocks),))
    assert "<script>" not in as_html(document)
    assert "<b>" not in as_html(document)
    assert "| 1\\|2 | &lt;script> |" in as_markdown(document)
