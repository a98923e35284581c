"""The whole class at once: confirmed or excused for one session, with a reason."""

import re

import pytest
import sqlalchemy as sa

from series.rule import Demand, Kind, SessionRule
from series.store.rules import set_session_rule
from series.store.tables import delivery, membership, participant
from tests.integration.lti.course import GORG, MARIA, NAMES, NEVER_CAME, SUSPENDED, CourseUnderTest, form_id

EVERYBODY = [MARIA, GORG, NEVER_CAME]
CODE_ALONE = SessionRule(ways=((Demand(kind=Kind.CODE),),))


def confirm(course: CourseUnderTest, subs: list[str], **changes: str) -> str:
    page = f"sessions/{course.running}/confirm"
    form = {"sub": subs, "do": "confirm", "reason": "By the list on paper.", "form_id": form_id()} | changes
    return course.post(page, form, on=page)


def checked(page: str) -> list[str]:
    return re.findall(r'name="sub" value="([^"]+)" id="who-\d+" checked', page)


def test_all_are_chosen_by_a_link_but_for_the_suspended(course: CourseUnderTest) -> None:
    page = f"sessions/{course.running}/confirm"
    assert checked(course.get(page)) == []
    assert set(checked(course.get(f"{page}?all=1"))) == set(EVERYBODY)


def test_a_whole_class_is_confirmed_also_who_has_never_come(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    page = confirm(course, EVERYBODY)
    assert "recorded for 2 people" in page, "one had completed it"
    assert sorted(kind for _, kind, *_ in course.facts()) == ["approval", "approval", "code"]
    with course.database.read() as connection:
        (newcomer,) = connection.execute(sa.select(participant.c.id).where(participant.c.sub == NEVER_CAME)).scalars()
        own = membership.c.participant_id == newcomer
        assert connection.execute(sa.select(membership.c.launched_at).where(own)).scalars().all() == [None]
        due = connection.execute(sa.select(delivery.c.participant_id)).scalars().all()
    assert set(due) == {course.maria.participant_id, course.gorg.participant_id, newcomer}
    assert len(course.audited("confirm")) == 2


def test_a_form_that_is_sent_twice_confirms_once(course: CourseUnderTest) -> None:
    same = form_id()
    for _ in range(2):
        assert "recorded for 3 people" in confirm(course, EVERYBODY, form_id=same)
    assert len(course.facts()) == 3
    assert len(course.audited("confirm")) == 3


def test_who_has_completed_the_session_is_not_offered(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    page = course.get(f"sessions/{course.running}/confirm")
    assert f"✓ {NAMES[MARIA]}" in page
    assert re.findall(r'name="sub" value="([^"]+)"', page) == [GORG, SUSPENDED, NEVER_CAME]


def test_a_class_is_excused(course: CourseUnderTest) -> None:
    assert "recorded for 2 people" in confirm(course, [MARIA, GORG], do="excuse")
    assert {kind for _, kind, *_ in course.facts()} == {"excused"}


def test_who_is_excused_is_not_chosen_by_the_link(course: CourseUnderTest) -> None:
    confirm(course, [MARIA], do="excuse")
    assert set(checked(course.get(f"sessions/{course.running}/confirm?all=1"))) == {GORG, NEVER_CAME}


def test_people_of_another_course_are_left_alone(course: CourseUnderTest) -> None:
    assert "recorded for 1 person." in confirm(course, [MARIA, course.other.sub, "nobody at all"])
    assert [one for one, *_ in course.facts()] == [course.maria.participant_id]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sub": []}, "choose at least one"),
        ({"reason": ""}, "write a reason"),
        ({"sub": ["\0"]}, "choose at least one"),
    ],
)
def test_an_incomplete_form_changes_nothing_and_keeps_its_ticks(
    course: CourseUnderTest, changes: dict[str, str], words: str
) -> None:
    page = f"sessions/{course.running}/confirm"
    form = {"sub": [MARIA], "do": "confirm", "reason": "So.", "form_id": form_id()} | changes
    answer = course.post(page, form, on=page, status=422)
    assert words in answer
    assert 'id="fault" role="alert"' in answer
    assert answer.count('aria-describedby="fault') == 1
    assert checked(answer) == ([MARIA] if "reason" in changes else [])
    assert course.facts() == []


def test_where_confirmations_do_not_count_they_are_not_offered(course: CourseUnderTest) -> None:
    with course.database.write() as connection:
        before = course.sessions[0].start_at
        set_session_rule(connection, course.ahead, CODE_ALONE, by="staff 1", now=before)
        set_session_rule(connection, course.running, CODE_ALONE, by="staff 1", now=before.replace(year=2000))
    page = course.get(f"sessions/{course.running}/confirm")
    assert "the confirmation of a person does not count" in page
    assert "Confirm them" not in page
    assert "Excuse them" in page


def test_an_address_that_somebody_made_up_is_shown_as_any_other(course: CourseUnderTest) -> None:
    for said in ("%00", "x" * 3000, "0" * 31):
        assert "recorded for" not in course.get(f"sessions/{course.running}/confirm?said={said}")


def test_a_form_without_its_number_is_refused(course: CourseUnderTest) -> None:
    page = f"sessions/{course.running}/confirm"
    for wrong in ("", "x" * 32, "0" * 33):
        form = {"sub": [MARIA], "do": "confirm", "reason": "So.", "form_id": wrong}
        course.post(page, form, on=page, status=400)
    assert course.facts() == []
