"""The notice names what we run on."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKED = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


@pytest.mark.parametrize("package", LOCKED)
def test_every_dependency_stands_in_the_notice(package: str) -> None:
    notice = (ROOT / "NOTICE").read_text().lower().replace("_", "-")
    assert package.removesuffix("-binary") in notice


@pytest.mark.parametrize("lock_file", ["requirements.txt", "requirements-dev.txt"])
def test_no_lock_file_names_a_registry(lock_file: str) -> None:
    text = (ROOT / lock_file).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
