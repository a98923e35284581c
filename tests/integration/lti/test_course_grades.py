"""Grades, the inbox and the course's own number, as the teacher of the course works with them."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from series.people import Visit
from series.store import deliveries
from series.store.course_counts import digest_of_count
from series.store.objections import raise_objection
from series.store.rules import course_count_of
from series.store.tables import completion, delivery, objection, series
from tests.examples import SERIES
from tests.integration.lti.course import MARIA, NAMES, CourseUnderTest, student
from tests.integration.lti.tool import form_token
from tests.seeds import code_of, record

WHY = "The student is no longer enrolled in the course."


def fail(course: CourseUnderTest, delivery_id: int) -> None:
    with course.database.write() as connection:
        deliveries.claim(connection, delivery_id, now=course.now)
        deliveries.mark_failed(connection, delivery_id, outcome=WHY)


def state(course: CourseUnderTest, delivery_id: int) -> str:
    with course.database.read() as connection:
        query = sa.select(delivery.c.state).where(delivery.c.id == delivery_id)
        return str(connection.execute(query).scalar_one())


def test_a_grade_that_was_not_sent_says_why_and_is_sent_again(course: CourseUnderTest) -> None:
    failed = course.check_in(course.maria, course.running)
    fail(course, failed)
    assert "1 grade not sent" in course.get()
    page = course.get("grades/")
    assert WHY in page
    assert NAMES[MARIA] in page
    shown = course.post("grades/retry", {"delivery": str(failed)}, on="grades/")
    assert "on their way again" in shown
    assert state(course, failed) == "due"
    assert [thing for _, thing in course.audited("retry_grades")] == [f"delivery {failed}"]


def test_all_grades_of_the_course_are_sent_again_and_no_others(course: CourseUnderTest) -> None:
    own = [course.check_in(one, course.running) for one in (course.maria, course.gorg)]
    foreign = course.check_in(course.other, course.running)
    for one in (*own, foreign):
        fail(course, one)
    course.post("grades/retry", {}, on="grades/")
    assert [state(course, one) for one in (*own, foreign)] == ["due", "due", "failed"]
    course.post("grades/retry", {"delivery": str(foreign)}, on="grades/")
    assert state(course, foreign) == "failed"
    course.post("grades/retry", {"delivery": "9" * 30}, on="grades/", status=400)


def deliver(course: CourseUnderTest, delivery_id: int) -> None:
    with course.database.write() as connection:
        deliveries.claim(connection, delivery_id, now=course.now)
        deliveries.mark_delivered(connection, delivery_id, outcome="Done.", now=course.now)


def test_where_the_gradebook_shows_more_the_lower_grade_is_sent_by_a_persons_word(course: CourseUnderTest) -> None:
    deliver(course, course.check_in(course.maria, course.running))
    assert "shows more than what counts" not in course.get("grades/")
    with course.database.write() as connection:  # as after a correction
        connection.execute(sa.delete(completion))
    assert "the gradebook shows 1 of 3, and 0 of 3 count" in course.get("grades/")
    assert "is told what counts" in course.post(lower(course), SHOWN, on="grades/")
    assert "shows more than what counts" not in course.get("grades/"), "it is on its way"
    assert given(course) == [1, 0]
    assert len(course.audited("send_lower_grade")) == 1


SHOWN = {"told": "1/3", "counts": "0/3"}


def lower(course: CourseUnderTest, who: Visit | None = None) -> str:
    return f"grades/people/{course.maria.participant_id}/lower/{(who or course.maria).placement_id}"


def given(course: CourseUnderTest) -> list[int]:
    """All grades, in the order in which they were queued."""
    with course.database.read() as connection:
        return list(connection.execute(sa.select(delivery.c.score_given).order_by(delivery.c.id)).scalars())


def test_a_lower_grade_is_sent_to_the_own_course_alone(course: CourseUnderTest) -> None:
    there = student(course.tool, course.tool.malta, MARIA, course.now, course="course-2")
    assert there.participant_id == course.maria.participant_id
    for one in record(course.database, code_of(course.maria, course.running, at=course.now), now=course.now):
        deliver(course, one)
    with course.database.write() as connection:
        connection.execute(sa.delete(completion))
    token = form_token(course.get("grades/"), f"course/{lower(course)}")
    assert course.send(lower(course, there), SHOWN | {"form_token": token}).status_code == 403
    assert given(course) == [1, 1]
    course.post(lower(course), SHOWN, on="grades/")
    with course.database.read() as connection:
        last = connection.execute(sa.select(delivery.c.placement_id, delivery.c.score_given).offset(2)).all()
    assert [tuple(row) for row in last] == [(course.maria.placement_id, 0)]


def test_a_page_that_shows_what_is_not_so_any_more_sends_no_lower_grade(course: CourseUnderTest) -> None:
    deliver(course, course.check_in(course.maria, course.running))
    with course.database.write() as connection:
        connection.execute(sa.delete(completion))
    sent = SHOWN | {"form_token": form_token(course.get("grades/"), f"course/{lower(course)}")}
    assert course.send(lower(course), sent | {"counts": "x"}).status_code == 400
    record(course.database, code_of(course.maria, course.over, at=course.now), now=course.now)
    answer = course.send(lower(course), sent)
    page = course.browser.get(answer.location.partition("localhost:8999")[2]).text
    assert "Nothing was sent: the grade in the gradebook, or what counts, is another one by now." in page
    assert (given(course), course.audited("send_lower_grade")) == ([1], [])


@pytest.fixture
def objected(course: CourseUnderTest) -> int:
    return objects(course, course.maria)


def objects(course: CourseUnderTest, who: Visit) -> int:
    assert who.course_id is not None
    with course.database.write() as connection:
        return raise_objection(
            connection,
            participant_id=who.participant_id,
            course_id=who.course_id,
            series_id=SERIES.series_id,
            session_id=course.running,
            text="I was there <all> the time.",
            now=course.now,
        )


def answers(course: CourseUnderTest, objection_id: int) -> str | None:
    with course.database.read() as connection:
        return connection.execute(sa.select(objection.c.answer).where(objection.c.id == objection_id)).scalar_one()


def test_an_objection_waits_in_the_inbox_until_it_is_answered(course: CourseUnderTest, objected: int) -> None:
    assert "question to answer" in course.browser.get(course.path).text, "the tab says so on every page"
    assert "1 question to answer" in course.get()
    assert "I was there &lt;all&gt; the time." in course.get("inbox/")
    shown = course.post(f"inbox/objections/{objected}/answer", {"answer": "You were: I put it right."}, on="inbox/")
    assert "Your answer is with the student" in shown
    assert "You were: I put it right." in shown
    assert "question to answer" not in course.get()
    assert [thing for _, thing in course.audited("answer_objection")] == [f"participant {course.maria.participant_id}"]


def test_without_words_nothing_is_answered(course: CourseUnderTest, objected: int) -> None:
    page = course.post(f"inbox/objections/{objected}/answer", {"answer": " \0 "}, on="inbox/", status=422)
    assert "Please write an answer" in page
    assert answers(course, objected) is None


def test_an_answer_stays_as_it_is(course: CourseUnderTest, objected: int) -> None:
    token = re.search(r'answer">\s*<input type="hidden" name="form_token" value="(\w+)"', course.get("inbox/"))
    assert token
    for text in ("The first.", "The second."):
        course.send(f"inbox/objections/{objected}/answer", {"form_token": token[1], "answer": text})
    assert answers(course, objected) == "The first."
    assert len(course.audited("answer_objection")) == 1


COUNT = {"do": "show", "whose": "own", "which": "all"}


def test_the_effect_on_the_own_course_is_shown_before_it_is_saved(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    course.check_in(course.other, course.running)
    page = course.post("count", COUNT | {"required": "2"}, on="count", status=200)
    effect = re.search(r'<table class="table effect" id="effect">.*?</table>', page, re.DOTALL)
    assert effect
    cells = re.findall(r"<td>(\d+)</td>", effect[0])
    shares = re.findall(r"(\d+) %", effect[0])
    assert (shares, cells) == (["50", "33", "0"], ["0", "1", "1", "0", "1", "1"])
    assert own_count(course) is None


def own_count(course: CourseUnderTest) -> int | None:
    with course.database.read() as connection:
        found = course_count_of(connection, course.maria.course_id, SERIES.series_id)
    return found.required if found else None


def save_count(course: CourseUnderTest, values: dict[str, Any], *, seen: str = "", status: int = 303) -> str:
    """What is in force is what was seen, if nothing else is."""
    if not seen:
        with course.database.read() as connection:
            seen = digest_of_count(connection, course.maria.course_id or 0, SERIES.series_id)
    return course.post("count", COUNT | values | {"do": "save", "seen": seen}, on="count", status=status)


def test_a_number_that_changed_meanwhile_is_asked_about_again(course: CourseUnderTest) -> None:
    shown = course.post("count", COUNT | {"required": "1"}, on="count", status=200)
    seen = re.search(r'name="seen" value="([^"]*)"', shown)
    assert seen
    save_count(course, {"required": "2"})
    page = save_count(course, {"required": "1"}, seen=seen[1], status=409)
    assert "What is in force is another number than when you looked. Nothing was saved" in page
    assert own_count(course) == 2
    again = re.search(r'name="seen" value="([^"]*)"', page)
    assert again
    for _ in range(2):
        assert "Saved." in save_count(course, {"required": "1"}, seen=again[1])
    assert len(course.audited("set_course_count")) == 2


def test_a_saved_number_counts_and_makes_the_scores_stale(course: CourseUnderTest) -> None:
    assert "Saved." in save_count(course, {"required": "2"})
    assert own_count(course) == 2
    assert "0 of 2" in course.get()
    with course.database.read() as connection:
        assert connection.execute(sa.select(series.c.scores_stale_at)).scalar_one() is not None
    assert [thing for _, thing in course.audited("set_course_count")] == [f"course {course.maria.course_id}"]


def test_once_a_session_has_begun_the_number_becomes_no_harder(course: CourseUnderTest) -> None:
    save_count(course, {"required": "2"})
    for harder in (
        {"required": "3"},
        {"required": "2", "which": "chosen", "session": [str(course.over), str(course.ahead)]},
        {"required": "3", "whose": "series"},
    ):
        assert "not the other way round" in save_count(course, harder, status=422)
    assert own_count(course) == 2


@pytest.mark.parametrize("required", ["", "0", "-1", "4", "²", "1e1", "9" * 50])
def test_a_number_that_is_none_is_refused(course: CourseUnderTest, required: str) -> None:
    page = course.post("count", COUNT | {"required": required, "do": "save"}, on="count", status=422)
    assert 'role="alert"' in page
    assert own_count(course) is None
