"""Reflections for those who teach: what waits to be read, reading it, and returning it with a comment."""

import re
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from lti_tool.pages import course_inbox
from series.people import Visit
from series.store.reflections import hand_in
from series.store.tables import reflection
from tests.integration.lti.course import MARIA, NAMES, CourseUnderTest, student
from tests.integration.lti.tool import form_token


def write(course: CourseUnderTest, visit: Visit, session_id: UUID, text: str = "What I have learnt.") -> None:
    with course.database.write() as connection:
        hand_in(
            connection,
            participant_id=visit.participant_id,
            session_id=session_id,
            text=text,
            at_least=1,
            now=course.now,
        )


def page_of(course: CourseUnderTest, session_id: UUID) -> str:
    return f"inbox/reflections/{course.maria.participant_id}/{session_id}/"


def read_on(page: str) -> str:
    found = re.search(r'name="evidence_id" value="(\d+)"', page)
    assert found, page
    return found[1]


def test_what_is_read_waits_no_more_and_can_still_be_found(course: CourseUnderTest) -> None:
    write(course, course.maria, course.over)
    assert "1 reflection to read" in course.get()
    inbox = course.get("inbox/")
    assert "What I have learnt." not in inbox, "the list is without the texts"
    assert f'{course.maria.participant_id}/{course.over}/">{NAMES[MARIA]}</a>' in inbox
    page = page_of(course, course.over)
    shown = course.get(page)
    assert "What I have learnt." in shown
    inbox = course.post(f"{page}read", {"evidence_id": read_on(shown)}, on=page)
    assert "Marked as read." in inbox
    assert f"/{course.over}/" not in inbox
    assert "nothing" in course.get().partition('id="to-do"')[2].partition("</dd>")[0]
    assert f"/{course.over}/" in course.get("inbox/?done=1")
    assert "Mark as read" not in course.get(page)
    assert course.audited("read_reflection") == course.audited("see_reflection")[:1]


def test_one_is_returned_with_a_comment(course: CourseUnderTest) -> None:
    write(course, course.maria, course.over)
    page = page_of(course, course.over)
    read = {"evidence_id": read_on(course.get(page))}
    refused = course.post(f"{page}return", read | {"comment": ""}, on=page, status=422)
    assert "Please write a comment" in refused
    assert 'aria-invalid="true" aria-describedby="fault comment-help"' in refused
    words = "Say what you would do differently."
    assert "which is possible for 14 days" in course.post(f"{page}return", read | {"comment": words}, on=page)
    assert words in course.get(page)
    assert len(course.facts()) == 2, "what it counted for is withdrawn"
    assert len(course.audited("return_reflection")) == 1
    assert "reflection to read" not in course.get()


def test_a_form_of_an_older_text_changes_nothing_and_shows_the_new_one(course: CourseUnderTest) -> None:
    write(course, course.maria, course.over)
    page = page_of(course, course.over)
    shown = course.get(page)
    old = {"evidence_id": read_on(shown), "comment": "More of it, please."}
    tokens = {do: form_token(shown, f"{page}{do}") for do in ("read", "return")}
    course.send(f"{page}return", old | {"form_token": tokens["return"]})
    write(course, course.maria, course.over, "A second text, much better.")
    before = course.facts()
    for do, token in tokens.items():
        answer = course.send(f"{page}{do}", old | {"form_token": token})
        assert answer.status_code == 409, do
        assert "It was handed in anew meanwhile; please read that." in answer.text
        assert "A second text, much better." in answer.text
        assert "More of it, please.</textarea>" in answer.text
        assert read_on(answer.text) != old["evidence_id"]
    assert course.facts() == before
    assert "1 reflection to read" in course.get()


def test_a_form_that_names_no_text_is_refused(course: CourseUnderTest) -> None:
    write(course, course.maria, course.over)
    page, before = page_of(course, course.over), course.facts()
    for wrong in ("", "x", "²", "9" * 40):
        for do in ("read", "return"):
            course.post(f"{page}{do}", {"evidence_id": wrong, "comment": "So."}, on=page, status=400)
    assert course.facts() == before


def test_one_that_is_not_there_or_only_a_draft_is_not_found(course: CourseUnderTest) -> None:
    course.get(page_of(course, course.over), status=404)
    write(course, course.maria, course.over)
    with course.database.write() as connection:
        connection.execute(sa.update(reflection).values(state="draft"))
    course.get(page_of(course, course.over), status=404)


def test_many_are_listed_by_session_and_page_by_page(course: CourseUnderTest) -> None:
    for session_id in (course.over, course.running):
        write(course, course.maria, session_id)
    _many_more(course, course_inbox.PER_PAGE)
    first, second = course.get("inbox/"), course.get("inbox/?page=2")
    titles = [session.title for session in course.sessions]
    assert re.findall(r'<h3 class="h6" lang="en">([^<]*)<', first) == [titles[1], titles[0]]
    assert first.count("/course/inbox/reflections/") == course_inbox.PER_PAGE
    assert second.count("/course/inbox/reflections/") == 2
    assert ("page=2" in first, "Previous page" in first) == (True, False)
    assert ("page=3" in second, "page=1" in second) == (False, True)
    for wrong in ("0", "-1", "x", "%00", "9" * 50):
        assert "Previous page" not in course.get(f"inbox/?page={wrong}")


def _many_more(course: CourseUnderTest, number: int) -> None:
    visits = [student(course.tool, course.tool.malta, f"many {one}", course.now) for one in range(number)]
    rows = [
        {
            "participant_id": visit.participant_id,
            "session_id": course.over,
            "text": "word " * 20,
            "state": "handed_in",
            "saved_at": course.now,
            "handed_in_at": course.now + timedelta(seconds=1),
        }
        for visit in visits
    ]
    with course.database.write() as connection:
        connection.execute(sa.insert(reflection), rows)
