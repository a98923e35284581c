"""Every pitfall of the reference is in the name of a test, or is listed with its reason, and never both."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PITFALLS = set(range(1, 35))
_NAME = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_every_pitfall_is_tested_or_listed() -> None:
    listed = [int(number) for number in re.findall(r"^\| pitfall_(\d+) ", _not_covered(), re.MULTILINE)]
    assert len(listed) == len(set(listed))
    assert _tested().isdisjoint(listed), "tested by now: take it off the list"
    assert _tested() | set(listed) == PITFALLS


def _tested() -> set[int]:
    """By names such as `test_pitfall_24_…` and `test_pitfalls_25_26_and_27_…`."""
    names = (name for path in TESTS.glob("**/test_*.py") for name in _NAME.findall(path.read_text()))
    runs = (run for name in names for run in re.findall(r"pitfalls?((?:_and|_\d+)+)", name))
    return {int(number) for run in runs for number in re.findall(r"\d+", run)}


def _not_covered() -> str:
    return (TESTS / "NOT_COVERED.md").read_text()
