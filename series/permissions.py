"""Who may do what: the one place that decides it."""

from enum import StrEnum

from series.people import CoursePerson, University, Visit
from series.sessions import Session
from series.staff import Role, Staff


class Action(StrEnum):
    CHECK_IN = "check_in"
    SPEAK_FOR_ONESELF = "speak_for_oneself"  # declare, reflect, object
    SEE_COURSE = "see_course"
    ACT_FOR = "act_for"  # confirm, excuse, withdraw, answer
    ANNOUNCE = "announce"  # to the own course
    OPEN_CHECK_IN = "open_check_in"
    SEE_PLAN = "see_plan"
    EDIT_PLAN = "edit_plan"
    SEE_LMS = "see_lms"
    EDIT_LMS = "edit_lms"  # connect it, run its jobs
    SEE_PARTNERS = "see_partners"  # the universities, and how ready they are
    EDIT_PARTNERS = "edit_partners"
    SEE_PEOPLE = "see_people"  # the accounts of staff
    EDIT_PEOPLE = "edit_people"
    USE_BINDING = "use_binding"  # come as staff by an administrator's launch


Thing = Session | University | CoursePerson | None


def may(viewer: Visit | Staff, action: Action, thing: Thing = None) -> bool:
    """Whether `viewer` may do `action` to `thing`: a session; a university for its LMS; somebody in a course; nothing
    for the viewer's own course and for the plan of all series."""
    if isinstance(viewer, Staff):
        return _staff_may(viewer, action, thing)
    if action is Action.ACT_FOR:
        return isinstance(thing, CoursePerson) and _may_act_for(viewer, thing)
    if action is Action.USE_BINDING:  # asked for; what it opens is a question for the account
        return viewer.is_administrator and viewer.deployment_is_approved and not viewer.is_test_user
    return _visit_may(viewer, action, thing if isinstance(thing, Session) else None)


def _staff_may(viewer: Staff, action: Action, thing: Thing) -> bool:
    match action:
        case Action.SEE_PLAN | Action.EDIT_PLAN:
            return viewer.role is Role.COORDINATOR
        case Action.SEE_PARTNERS | Action.EDIT_PARTNERS | Action.SEE_PEOPLE | Action.EDIT_PEOPLE:
            return viewer.role is Role.COORDINATOR
        case Action.USE_BINDING:  # a coordinator's rights must not hang on one university's LMS
            return isinstance(thing, University) and viewer.role is Role.LMS_ADMIN and _is_own(viewer, thing)
        case Action.SEE_LMS | Action.EDIT_LMS:
            if not isinstance(thing, University):
                return False
            return viewer.role is Role.COORDINATOR or _is_own(viewer, thing)
        case (
            Action.CHECK_IN
            | Action.SPEAK_FOR_ONESELF
            | Action.SEE_COURSE
            | Action.ACT_FOR
            | Action.ANNOUNCE
            | Action.OPEN_CHECK_IN
        ):
            return False  # what a launch opens; completions stay with those who teach


def _is_own(viewer: Staff, thing: University) -> bool:
    return viewer.university is not None and viewer.university.university_id == thing.university_id


def _may_act_for(viewer: Visit, person: CoursePerson) -> bool:
    """For the people of the own course, and never for oneself: a teacher may be enrolled as a student, too."""
    is_own = person.course_id == viewer.course_id and person.participant_id != viewer.participant_id
    return is_own and not viewer.is_test_user and _visit_may(viewer, Action.SEE_COURSE, None)


def _visit_may(viewer: Visit, action: Action, session: Session | None) -> bool:
    match action:
        case Action.CHECK_IN:
            is_held = session is not None and session.series_id == viewer.series_id and not session.is_cancelled
            return _counts(viewer) and is_held
        case Action.SPEAK_FOR_ONESELF:
            return _counts(viewer) and (session is None or session.series_id == viewer.series_id)
        case Action.SEE_COURSE:
            return _teaches(viewer)
        case Action.ANNOUNCE:
            return _teaches(viewer) and not viewer.is_test_user
        case Action.OPEN_CHECK_IN:
            return session is not None and session.session_id in viewer.hosted_session_ids and not session.is_cancelled
        case (
            Action.SEE_PLAN
            | Action.EDIT_PLAN
            | Action.SEE_LMS
            | Action.EDIT_LMS
            | Action.SEE_PARTNERS
            | Action.EDIT_PARTNERS
            | Action.SEE_PEOPLE
            | Action.EDIT_PEOPLE
            | Action.USE_BINDING
            | Action.ACT_FOR
        ):
            return False  # an administrator's role by launch opens nothing


def _teaches(viewer: Visit) -> bool:
    return viewer.is_teacher and viewer.course_id is not None and viewer.deployment_is_approved


def _counts(viewer: Visit) -> bool:
    return viewer.is_learner and not viewer.is_test_user
