"""Every numbered case of the reference is a test with that number, or is listed as not covered, and never both."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
CASES = set(range(1, 114))


def test_every_lti_case_is_tested_or_listed() -> None:
    sources = "".join(path.read_text() for path in TESTS.glob("integration/**/test_*.py"))
    tested = {int(number) for number in re.findall(r"lti_(\d{3})", sources)} | _by_their_place()
    listed = [int(number) for number in re.findall(r"^\| lti_(\d{3}) ", _not_covered(), re.MULTILINE)]
    assert len(listed) == len(set(listed))
    assert tested.isdisjoint(listed), "tested by now: take it off the list"
    assert tested | set(listed) == CASES


def _by_their_place() -> set[int]:
    """The valid launches count up from 13 and 23 in the order of their table (test_valid_launches.py)."""
    return {*range(13, 23), *range(23, 33)}


def _not_covered() -> str:
    return (TESTS / "NOT_COVERED.md").read_text()
