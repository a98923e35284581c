"""Who may do what: every viewer, every action."""

from dataclasses import replace
from uuid import UUID

import pytest

from series.permissions import Action, may
from series.sessions import Session, Status
from tests.examples import HOST, SESSION, STUDENT, TEACHER

OTHER_SESSION = replace(SESSION, session_id=UUID(int=8))
FOREIGN_SESSION = replace(SESSION, session_id=UUID(int=9), series_id=UUID(int=1))
CANCELLED_SESSION = replace(SESSION, status=Status.CANCELLED)

VIEWERS = {
    "student": STUDENT,
    "teacher": TEACHER,
    "teacher who is a learner too": replace(TEACHER, is_learner=True),
    "teacher in no course": replace(TEACHER, course_id=None),
    "teacher in a deployment that nobody approved": replace(TEACHER, deployment_is_approved=False),
    "neither teacher nor learner": replace(STUDENT, is_learner=False),
    "host": HOST,
    "student who hosts": replace(STUDENT, hosted_session_ids=HOST.hosted_session_ids),
}
CHECK_IN_THERE = {"student", "teacher who is a learner too", "student who hosts"}
SEE_COURSE = {"teacher", "teacher who is a learner too", "host"}
HOSTS = {"host", "student who hosts"}
ALL = set(VIEWERS)

TABLE: list[tuple[Action, str, Session | None, set[str]]] = [
    (Action.CHECK_IN, "a session of the series", SESSION, CHECK_IN_THERE),
    (Action.CHECK_IN, "another session of the series", OTHER_SESSION, CHECK_IN_THERE),
    (Action.CHECK_IN, "a session of another series", FOREIGN_SESSION, set()),
    (Action.CHECK_IN, "nothing", None, set()),
    (Action.SEE_COURSE, "the own course", None, SEE_COURSE),
    (Action.OPEN_CHECK_IN, "the hosted session", SESSION, HOSTS),
    (Action.OPEN_CHECK_IN, "the hosted session, cancelled", CANCELLED_SESSION, set()),
    (Action.OPEN_CHECK_IN, "another session", OTHER_SESSION, set()),
    (Action.OPEN_CHECK_IN, "nothing", None, set()),
]


def test_the_table_names_every_action() -> None:
    assert {action for action, *_ in TABLE} == set(Action)


@pytest.mark.parametrize(
    ("action", "thing", "allowed"),
    [pytest.param(action, thing, allowed, id=f"{action}: {words}") for action, words, thing, allowed in TABLE],
)
def test_exactly_these_viewers_may(action: Action, thing: Session | None, allowed: set[str]) -> None:
    assert {name for name, viewer in VIEWERS.items() if may(viewer, action, thing)} == allowed
