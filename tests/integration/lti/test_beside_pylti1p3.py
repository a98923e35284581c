"""Our verdict beside PyLTI1p3's for each numbered launch, and the page that explains where the two differ."""

import re
from pathlib import Path

import pytest

from tests.integration.lti.numbered import NumberedLaunch
from tests.integration.lti.numbered_launches import NUMBERED_LAUNCHES
from tests.integration.lti.sides import OurSide, PyLti1p3Side, Side, StoppedAtLogin
from tests.integration.lti.tool import ToolUnderTest

PAGE = (Path(__file__).parents[3] / "docs" / "differences-to-pylti1p3.md").read_text()
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
CASES = {*range(1, 34), *range(65, 74), *range(77, 93), *range(94, 110), *range(111, 114)}

Difference = tuple[int, str, str, str]


def verdict(side: Side, launch: NumberedLaunch) -> str:
    try:
        return side.verdict(launch.sent.send(side))
    except StoppedAtLogin as stopped:
        return side.verdict(stopped.answer)


def differences_of_the_page() -> list[Difference]:
    return [
        (int(number), sent, ours.strip("`"), theirs)
        for number, all_sent, ours, theirs, _ in ROW.findall(PAGE)
        for sent in all_sent.split("<br>")
    ]


@pytest.mark.parametrize("launch", NUMBERED_LAUNCHES, ids=lambda launch: launch.name)
def test_both_judge_as_recorded(tool: ToolUnderTest, launch: NumberedLaunch) -> None:
    ours = verdict(OurSide(tool=tool), launch)
    theirs = verdict(PyLti1p3Side(malta=tool.malta, vilnius=tool.vilnius), launch)
    assert (ours, theirs) == (launch.ours, launch.theirs)


def test_every_case_that_a_resource_link_can_send_is_sent() -> None:
    assert {launch.number for launch in NUMBERED_LAUNCHES} == CASES
    names = [launch.name for launch in NUMBERED_LAUNCHES]
    assert len(names) == len(set(names))


def test_the_page_has_every_difference_and_nothing_else() -> None:
    expected = [(each.number, each.sent.says, each.ours, each.theirs) for each in NUMBERED_LAUNCHES if each.differs]
    assert sorted(differences_of_the_page()) == sorted(expected)


def test_the_page_counts_right() -> None:
    differing = sum(each.differs for each in NUMBERED_LAUNCHES)
    assert f"Of {len(NUMBERED_LAUNCHES)} launches, {differing} end differently." in " ".join(PAGE.split())


def test_every_difference_has_a_reason_in_a_specification() -> None:
    defined = set(re.findall(r"^\[(.+?)\]: https://\S+$", PAGE, re.MULTILINE))
    named = [set(re.findall(r"\]\[(.+?)\]", why)) for *_, why in ROW.findall(PAGE)]
    assert all(names and names <= defined for names in named)
    assert set().union(*named) == defined
