"""Who may do what: the one place that decides it."""

from enum import StrEnum

from series.people import CoursePerson, Picker, University, Visit
from series.sessions import Session
from series.staff import Role, Staff


class Action(StrEnum):
    CHECK_IN = "check_in"
    SPEAK_FOR_ONESELF = "speak_for_oneself"  # declare, reflect, object
    SEE_COURSE = "see_course"
    ACT_FOR = "act_for"  # confirm, excuse, withdraw, answer
    ANNOUNCE = "announce"  # to the own course
    OPEN_CHECK_IN = "open_check_in"
    PICK = "pick"  # activities for a course
    CHOOSE_ROUND = "choose_round"  # of the series, for the own course
    CHANGE_JOIN_LINK = "change_join_link"  # of a session that one hosts
    ASK_TO_HOST = "ask_to_host"
    TAKE_HOST_INVITATION = "take_host_invitation"
    NAME_HOSTS = "name_hosts"
    SEE_PLAN = "see_plan"
    EDIT_PLAN = "edit_plan"
    SEE_LMS = "see_lms"
    EDIT_LMS = "edit_lms"  # connect it, run its jobs
    APPROVE_LMS = "approve_lms"  # let in an LMS that has registered itself
    ROTATE_KEYS = "rotate_keys"  # of the tool, in time and so that no LMS notices
    SEE_PARTNERS = "see_partners"  # the universities, and how ready they are
    EDIT_PARTNERS = "edit_partners"
    SEE_PEOPLE = "see_people"  # the accounts of staff
    EDIT_PEOPLE = "edit_people"
    USE_BINDING = "use_binding"  # come as staff by an administrator's launch
    SEE_POOLED = "see_pooled"  # the series as protected numbers
    SEE_OWN_DATA = "see_own_data"  # and correct, export, erase, move it
    SEE_AUDIT = "see_audit"  # who saw and did what
    RUN_PRIVACY = "run_privacy"  # transfer instruments, the leaving of a university, who is touched by a breach


Thing = Session | University | CoursePerson | None


def may(viewer: Visit | Staff | Picker, action: Action, thing: Thing = None) -> bool:
    """Whether `viewer` may do `action` to `thing`: a session; a university for its LMS; somebody in a course; nothing
    for the viewer's own course and for the plan of all series."""
    if isinstance(viewer, Picker):
        return action is Action.PICK and viewer.builds_course and not viewer.is_test_user
    if isinstance(viewer, Staff):
        return _staff_may(viewer, action, thing)
    if action is Action.ACT_FOR:
        return isinstance(thing, CoursePerson) and _may_act_for(viewer, thing)
    if action is Action.USE_BINDING:  # asked for; what it opens is a question for the account
        return viewer.is_administrator and viewer.deployment_is_approved and not viewer.is_test_user
    return _visit_may(viewer, action, thing if isinstance(thing, Session) else None)


OF_COORDINATORS = {
    Action.SEE_PLAN,
    Action.EDIT_PLAN,
    Action.NAME_HOSTS,
    Action.SEE_PARTNERS,
    Action.EDIT_PARTNERS,
    Action.SEE_PEOPLE,
    Action.EDIT_PEOPLE,
    Action.SEE_POOLED,
    Action.SEE_AUDIT,
    Action.RUN_PRIVACY,
}


def _staff_may(viewer: Staff, action: Action, thing: Thing) -> bool:
    """Nothing that a launch opens: completions stay with those who teach."""
    coordinates = viewer.role is Role.COORDINATOR
    match action:
        case _ if action in OF_COORDINATORS:
            return coordinates
        case Action.ROTATE_KEYS:
            return True
        case Action.APPROVE_LMS:
            return coordinates and isinstance(thing, University)
        case Action.SEE_LMS | Action.EDIT_LMS:
            return isinstance(thing, University) and (coordinates or _is_own(viewer, thing))
        case Action.USE_BINDING:  # a coordinator's rights must not hang on one university's LMS
            return isinstance(thing, University) and not coordinates and _is_own(viewer, thing)
        case _:
            return False


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
        case Action.SEE_OWN_DATA:
            return not viewer.is_test_user
        case Action.SEE_COURSE | Action.SEE_POOLED | Action.ANNOUNCE | Action.CHOOSE_ROUND:
            may_write = not viewer.is_test_user
            return _teaches(viewer) and (may_write or action in {Action.SEE_COURSE, Action.SEE_POOLED})
        case Action.OPEN_CHECK_IN | Action.CHANGE_JOIN_LINK | Action.ASK_TO_HOST | Action.TAKE_HOST_INVITATION:
            return _may_host(viewer, action, session)
        case _:
            return False  # an administrator's role by launch opens nothing


def _teaches(viewer: Visit) -> bool:
    return viewer.is_teacher and viewer.course_id is not None and viewer.deployment_is_approved


def _may_host(viewer: Visit, action: Action, session: Session | None) -> bool:
    """A host: what opens with their session. Everybody else: how one becomes a host, of which the coordinator decides.
    A code says by itself who is meant: speakers come from anywhere, perhaps as learners."""
    if action is Action.TAKE_HOST_INVITATION:
        return viewer.deployment_is_approved and not viewer.is_test_user
    if session is None or session.is_cancelled:
        return False
    is_host = session.session_id in viewer.hosted_session_ids
    if action is Action.ASK_TO_HOST:
        of_host = session.hosting_university_id == viewer.university.university_id
        is_shown = session.series_id == viewer.series_id
        return of_host and is_shown and not is_host and _teaches(viewer) and not viewer.is_test_user
    return is_host


def _counts(viewer: Visit) -> bool:
    return viewer.is_learner and not viewer.is_test_user
