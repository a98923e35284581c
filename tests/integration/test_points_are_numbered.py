"""Every point of a data-protection officer's list is in the name of a test, or is listed with its reason; and each is
in docs/privacy-points.md, which says where it is shown."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
POINTS = set(range(1, 27))


def test_every_point_is_tested_or_listed() -> None:
    sources = "".join(path.read_text() for path in TESTS.glob("**/test_*.py"))
    tested = {int(number) for number in re.findall(r"def test_dpo_(\d\d)_", sources)}
    listed = [int(number) for number in re.findall(r"^\| dpo_(\d\d) ", _read("tests/NOT_COVERED.md"), re.MULTILINE)]
    assert len(listed) == len(set(listed))
    assert tested.isdisjoint(listed), "tested by now: take it off the list"
    assert tested | set(listed) == POINTS


def test_every_point_says_where_it_is_shown() -> None:
    rows = re.findall(r"^\| (\d\d) \|(.+)\|$", _read("docs/privacy-points.md"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == sorted(POINTS)
    named = {name for _, rest in rows for name in re.findall(r"`([\w/.*-]+/[\w.*-]*)`", rest)}
    missing = [name for name in named if not name.startswith("/") and not list(TESTS.parent.glob(name))]
    assert missing == []


def _read(name: str) -> str:
    return (TESTS.parent / name).read_text()
