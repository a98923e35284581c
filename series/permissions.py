"""Who may do what: the one place that decides it."""

from enum import StrEnum

from series.people import Visit
from series.sessions import Session


class Action(StrEnum):
    CHECK_IN = "check_in"
    SEE_COURSE = "see_course"
    OPEN_CHECK_IN = "open_check_in"


def may(viewer: Visit, action: Action, thing: Session | None = None) -> bool:
    """Whether `viewer` may do `action` to `thing` (a session, or nothing for the viewer's own course)."""
    match action:
        case Action.CHECK_IN:
            counts = viewer.is_learner and not viewer.is_test_user
            return counts and thing is not None and thing.series_id == viewer.series_id
        case Action.SEE_COURSE:
            return viewer.is_teacher and viewer.course_id is not None and viewer.deployment_is_approved
        case Action.OPEN_CHECK_IN:
            return thing is not None and thing.session_id in viewer.hosted_session_ids and not thing.is_cancelled
