"""What Moodle lets slip of activities that it does not show: recorded answers of an account that lacks a right."""

import pytest
import responses

from lms.moodle import Moodle
from lms.moodle_course import ActivityStatus, UserCompletions
from moodle_sync.check_contents import check_unseen
from moodle_sync.checking import Findings
from moodle_sync.moodle_access import MoodleAccess
from series.checks import Code, Outcome
from series.store.check_facts import KnownCourse
from tests.unit.recordings import play_moodle

COURSE = KnownCourse(
    course_id=1,
    moodle_course_id=2,
    title="Teaching STEM",
    announces=False,
    first_at=None,
    learners=frozenset(),
    activities=(),
    has_placement=False,
)


def told(*cmids: int) -> UserCompletions:
    of_all = {"module": "page", "instance": 1, "state": 0, "is_complete": False}
    nothing = {"changed_at": None, "override_by": None, "is_tracked": True}
    statuses = tuple(ActivityStatus(cmid=cmid, **of_all, **nothing) for cmid in cmids)  # type: ignore[arg-type]
    return UserCompletions(user_id="5", statuses=statuses)


@responses.activate
@pytest.mark.parametrize(
    ("recording", "completions", "outcomes"),
    [
        ("hidden-section", told(1, 2, 3, 5, 6, 9), [(Outcome.GAP, "")]),  # 5, 6 and 9 stand in a section left out
        ("hidden-section", told(1, 2, 3), [(Outcome.UNKNOWN, "")]),
        ("hidden-section", None, [(Outcome.UNKNOWN, "")]),
        ("hidden-section-viewhiddensections", told(1, 2, 3, 5, 6, 9), []),
        ("lti-hidden", told(1, 2, 5, 6, 9), [(Outcome.GAP, "restricted")]),
        ("excludecontents", None, []),
    ],
)
def test_what_is_not_shown_is_found_without_knowing_anything(
    moodle: Moodle, recording: str, completions: UserCompletions | None, outcomes: list[tuple[Outcome, str]]
) -> None:
    play_moodle(f"core_course_get_contents.{recording}")
    found = Findings(access=MoodleAccess.__new__(MoodleAccess))  # nobody is asked
    check_unseen(found, COURSE, moodle.sections(2), completions)
    assert [(one.outcome, one.facts.get("case", "")) for one in found.checks] == outcomes
    assert {one.code for one in found.checks} <= {Code.ACTIVITY_UNSEEN}
