"""Who may do what: every viewer, every action."""

from dataclasses import replace
from uuid import UUID

import pytest

from series.people import CoursePerson, Picker, Visit
from series.permissions import Action, Thing, may
from series.sessions import Status
from series.staff import Staff
from tests.examples import COORDINATOR, HOST, LMS_ADMIN, MALTA, SESSION, STUDENT, TEACHER, VILNIUS

OTHER_SESSION = replace(SESSION, session_id=UUID(int=8))
OF_VILNIUS = replace(OTHER_SESSION, hosting_university=VILNIUS.name, hosting_university_id=VILNIUS.university_id)
FOREIGN_SESSION = replace(SESSION, session_id=UUID(int=9), series_id=UUID(int=1))
LEARNER = CoursePerson(participant_id=7, sub="7", course_id=1, has_started=True)
ADMINISTRATOR = replace(STUDENT, is_learner=False, is_administrator=True)
CANCELLED_SESSION = replace(SESSION, status=Status.CANCELLED)

VIEWERS: dict[str, Visit | Staff | Picker] = {
    "student": STUDENT,
    "teacher": TEACHER,
    "teacher who is a learner too": replace(TEACHER, is_learner=True),
    "teacher in no course": replace(TEACHER, course_id=None),
    "teacher in a deployment that nobody approved": replace(TEACHER, deployment_is_approved=False),
    "test user who teaches": replace(TEACHER, is_test_user=True),
    "neither teacher nor learner": replace(STUDENT, is_learner=False),
    "host": HOST,
    "student who hosts": replace(STUDENT, hosted_session_ids=HOST.hosted_session_ids),
    "administrator of the LMS": ADMINISTRATOR,
    "teacher who administers the LMS": replace(TEACHER, is_administrator=True, is_learner=False, course_id=None),
    "administrator who looks as a test user": replace(ADMINISTRATOR, is_test_user=True),
    "administrator in a deployment that nobody approved": replace(ADMINISTRATOR, deployment_is_approved=False),
    "coordinator": COORDINATOR,
    "LMS admin of Vilnius": LMS_ADMIN,
    "who builds the course": Picker(builds_course=True, is_test_user=False),
    "test user who builds the course": Picker(builds_course=True, is_test_user=True),
    "who does not build the course": Picker(builds_course=False, is_test_user=False),
}
CHECK_IN_THERE = {"student", "teacher who is a learner too", "student who hosts"}
ANYBODY_APPROVED = {
    name
    for name, viewer in VIEWERS.items()
    if isinstance(viewer, Visit) and viewer.deployment_is_approved and not viewer.is_test_user
}
ACT_FOR = {"teacher", "teacher who is a learner too", "host"}
SEE_COURSE = {*ACT_FOR, "test user who teaches"}
HOSTS = {"host", "student who hosts"}
COORDINATES = {"coordinator"}
OF_COORDINATORS = (
    Action.SEE_PARTNERS,
    Action.EDIT_PARTNERS,
    Action.SEE_PEOPLE,
    Action.EDIT_PEOPLE,
    Action.SEE_AUDIT,
    Action.RUN_PRIVACY,
)
NO_TEST_USER = {name for name, viewer in VIEWERS.items() if isinstance(viewer, Visit) and not viewer.is_test_user}
ADMINISTRATES = {"administrator of the LMS", "teacher who administers the LMS"}

TABLE: list[tuple[Action, str, Thing, set[str]]] = [
    (Action.CHECK_IN, "a session of the series", SESSION, CHECK_IN_THERE),
    (Action.CHECK_IN, "another session of the series", OTHER_SESSION, CHECK_IN_THERE),
    (Action.CHECK_IN, "a session of another series", FOREIGN_SESSION, set()),
    (Action.CHECK_IN, "a session of the series, cancelled", CANCELLED_SESSION, set()),
    (Action.CHECK_IN, "nothing", None, set()),
    (Action.SPEAK_FOR_ONESELF, "a session of the series", SESSION, CHECK_IN_THERE),
    (Action.SPEAK_FOR_ONESELF, "the whole count", None, CHECK_IN_THERE),
    (Action.SPEAK_FOR_ONESELF, "a session of another series", FOREIGN_SESSION, set()),
    (Action.SEE_COURSE, "the own course", None, SEE_COURSE),
    (Action.SEE_POOLED, "the series", None, {*SEE_COURSE, *COORDINATES}),
    (Action.SEE_OWN_DATA, "whatever there is", None, NO_TEST_USER),
    (Action.ACT_FOR, "somebody of the own course", LEARNER, ACT_FOR),
    (Action.ACT_FOR, "oneself", replace(LEARNER, participant_id=TEACHER.participant_id), set()),
    (Action.ACT_FOR, "somebody of another course", replace(LEARNER, course_id=2), set()),
    (Action.ACT_FOR, "nobody", None, set()),
    (Action.ANNOUNCE, "to the own course", None, ACT_FOR),
    (Action.OPEN_CHECK_IN, "the hosted session", SESSION, HOSTS),
    (Action.OPEN_CHECK_IN, "the hosted session, cancelled", CANCELLED_SESSION, set()),
    (Action.OPEN_CHECK_IN, "another session", OTHER_SESSION, set()),
    (Action.OPEN_CHECK_IN, "nothing", None, set()),
    (Action.OPEN_CHECK_IN, "a university", MALTA, set()),
    (Action.PICK, "for a course", None, {"who builds the course"}),
    (Action.CHOOSE_ROUND, "for the own course", None, ACT_FOR),
    (Action.CHANGE_JOIN_LINK, "the hosted session", SESSION, HOSTS),
    (Action.CHANGE_JOIN_LINK, "the hosted session, cancelled", CANCELLED_SESSION, set()),
    (Action.CHANGE_JOIN_LINK, "another session", OTHER_SESSION, set()),
    (Action.CHANGE_JOIN_LINK, "nothing", None, set()),
    (Action.ASK_TO_HOST, "a session of the own university", OTHER_SESSION, ACT_FOR),
    (Action.ASK_TO_HOST, "one that a host hosts already", SESSION, ACT_FOR - HOSTS),
    (Action.ASK_TO_HOST, "one of another university", OF_VILNIUS, set()),
    (Action.ASK_TO_HOST, "one of no university", replace(OTHER_SESSION, hosting_university_id=None), set()),
    (Action.ASK_TO_HOST, "one that is cancelled", CANCELLED_SESSION, set()),
    (Action.ASK_TO_HOST, "one of another series", FOREIGN_SESSION, set()),
    (Action.ASK_TO_HOST, "nothing", None, set()),
    (Action.TAKE_HOST_INVITATION, "whichever the code is of", None, ANYBODY_APPROVED),
    (Action.NAME_HOSTS, "of all series", None, COORDINATES),
    (Action.NAME_HOSTS, "of a session", SESSION, COORDINATES),
    (Action.SEE_PLAN, "all series", None, COORDINATES),
    (Action.SEE_PLAN, "a session", SESSION, COORDINATES),
    (Action.EDIT_PLAN, "all series", None, COORDINATES),
    (Action.EDIT_PLAN, "a session", SESSION, COORDINATES),
    (Action.SEE_LMS, "Malta's", MALTA, COORDINATES),
    (Action.SEE_LMS, "Vilnius's", VILNIUS, {"coordinator", "LMS admin of Vilnius"}),
    (
        Action.SEE_LMS,
        "Vilnius's, renamed meanwhile",
        replace(VILNIUS, name="VU"),
        {"coordinator", "LMS admin of Vilnius"},
    ),
    (Action.SEE_LMS, "nobody's", None, set()),
    (Action.EDIT_LMS, "Malta's", MALTA, COORDINATES),
    (Action.EDIT_LMS, "Vilnius's", VILNIUS, {"coordinator", "LMS admin of Vilnius"}),
    (Action.EDIT_LMS, "nobody's", None, set()),
    (Action.APPROVE_LMS, "Malta's", MALTA, COORDINATES),
    (Action.APPROVE_LMS, "Vilnius's", VILNIUS, COORDINATES),
    (Action.APPROVE_LMS, "nobody's", None, set()),
    (Action.SEE_LMS, "a session's", SESSION, set()),
    (Action.ROTATE_KEYS, "of the tool", None, {"coordinator", "LMS admin of Vilnius"}),
    *((action, "all", None, COORDINATES) for action in OF_COORDINATORS),
    *((action, "Vilnius", VILNIUS, COORDINATES) for action in OF_COORDINATORS),
    (Action.USE_BINDING, "nobody's", None, ADMINISTRATES),
    (Action.USE_BINDING, "Vilnius's", VILNIUS, {*ADMINISTRATES, "LMS admin of Vilnius"}),
    (Action.USE_BINDING, "Malta's", MALTA, ADMINISTRATES),
    (Action.USE_BINDING, "a session's", SESSION, ADMINISTRATES),
]


def test_the_table_names_every_action() -> None:
    assert {action for action, *_ in TABLE} == set(Action)


@pytest.mark.parametrize(
    ("action", "thing", "allowed"),
    [pytest.param(action, thing, allowed, id=f"{action}: {words}") for action, words, thing, allowed in TABLE],
)
def test_exactly_these_viewers_may(action: Action, thing: Thing, allowed: set[str]) -> None:
    assert {name for name, viewer in VIEWERS.items() if may(viewer, action, thing)} == allowed
