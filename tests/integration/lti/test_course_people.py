"""The own course by name, and one person of it: what is recorded, confirmed, excused and withdrawn."""

import re

import pytest
import responses
import sqlalchemy as sa
from responses import matchers

from series.store import deliveries, tables
from series.store.tables import audit, course_roster, delivery, membership, participant, roster_member
from tests.integration.lti.course import (
    GORG,
    MARIA,
    NAMES,
    NEVER_CAME,
    OF_ANOTHER_COURSE,
    SUSPENDED,
    TEACHER,
    CourseUnderTest,
    form_id,
    student,
)


def row_of(page: str, name: str) -> str:
    """One person's row, as text."""
    (row,) = [found for found in re.findall(r'<tr role="row">.*?</tr>', page, re.DOTALL) if name in found]
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_everybody_in_the_roster_is_shown_by_name_with_what_is_missing(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    page = course.get()
    names = re.findall("|".join(NAMES.values()), page)
    assert names == [NAMES[GORG], NAMES[MARIA], NAMES[SUSPENDED], NAMES[NEVER_CAME]], "by name, and no teacher"
    assert row_of(page, NAMES[MARIA]) == (
        "Marija Borg ✓ completed 1 of 3 2 are missing; out of reach on their own on its way"
    )
    assert "not yet started" in row_of(page, NAMES[NEVER_CAME])
    assert "not yet started" not in row_of(page, NAMES[GORG])
    assert "suspended" in row_of(page, NAMES[SUSPENDED])
    assert "1 of 3 completed" in page, "the suspended one is nobody to wait for"


def test_who_never_came_and_has_left_is_nobodys_business_any_more(course: CourseUnderTest) -> None:
    with course.database.write() as connection:
        connection.execute(sa.insert(course_roster).values(course_id=course.maria.course_id, failures=0))
        connection.execute(
            sa.insert(roster_member).values(
                course_id=course.maria.course_id, sub="30", is_learner=True, is_suspended=False, gone_at=course.now
            )
        )
    assert "No. 30" not in course.get()


def test_who_came_and_is_not_in_the_list_now_is_shown_so_before_the_worker_reads_it(course: CourseUnderTest) -> None:
    left = student(course.tool, course.tool.malta, "30", course.now)
    words = "not in the list that your LMS sends now"
    assert words in row_of(course.get(), "No. 30 in your LMS")
    assert words in course.get(course.person(left))
    assert words not in row_of(course.get(), NAMES[GORG])


def test_who_came_and_has_left_is_shown_as_gone(course: CourseUnderTest) -> None:
    left = student(course.tool, course.tool.malta, "30", course.now)
    with course.database.write() as connection:
        connection.execute(sa.insert(course_roster).values(course_id=left.course_id, failures=0))
        connection.execute(
            sa.insert(roster_member).values(
                course_id=left.course_id, sub="30", is_learner=True, is_suspended=False, gone_at=course.now
            )
        )
    assert "no longer in your course" in row_of(course.get(), "No. 30 in your LMS")
    assert "no longer in your course" in course.get(course.person(left))


@pytest.mark.parametrize("state", ["failed", "unaddressed", "due", "delivered"])
def test_every_state_of_a_grade_has_its_words(course: CourseUnderTest, state: str) -> None:
    words = {
        "failed": "not sent",
        "unaddressed": "waits until somebody opens the activity",
        "due": "on its way",
        "delivered": "sent",
    }
    course.check_in(course.maria, course.running)
    with course.database.write() as connection:
        connection.execute(sa.update(delivery).values(state=state))
    assert row_of(course.get(), NAMES[MARIA]).endswith(words[state])
    for page in ("grades/", course.person(course.maria)):
        assert words[state] in course.get(page)


def test_seeing_people_by_name_is_in_the_audit(course: CourseUnderTest) -> None:
    course.get()
    course.get(course.person(course.maria))
    assert [thing for _, thing in course.audited("see_course")] == [f"course {course.maria.course_id}"]
    assert [thing for _, thing in course.audited("see_person")] == [f"participant {course.maria.participant_id}"]


def test_names_are_not_stored(course: CourseUnderTest) -> None:
    course.get()
    course.get(course.person(course.maria))
    with course.database.read() as connection:
        assert NAMES[MARIA] not in str(connection.execute(sa.select(audit)).all())


def test_a_person_is_shown_with_all_facts_and_what_still_counts(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    page = course.get(course.person(course.maria))
    assert "Check-in code</strong>, typed in here" in page
    assert "the student" in page
    assert page.count("Withdraw this") == 1


def confirm(course: CourseUnderTest, reason: str = "She was there: I saw her.", **changes: str) -> str:
    page = course.record_page(course.maria, course.running)
    form = {"do": "confirm", "reason": reason, "form_id": form_id()} | changes
    return course.post(page, form, on=page, status=303 if reason else 422)


def test_a_confirmation_completes_the_session_and_names_its_reason(course: CourseUnderTest) -> None:
    page = confirm(course)
    assert course.facts() == [(course.maria.participant_id, "approval", "She was there: I saw her.", None)]
    assert "She was there: I saw her." in page
    assert "Confirmed by a person</strong>, by hand" in page
    assert "1 of 3" in page
    assert "on its way" in page
    assert [thing for _, thing in course.audited("confirm")] == [f"participant {course.maria.participant_id}"]


def test_without_a_reason_nothing_is_confirmed(course: CourseUnderTest) -> None:
    assert "Please write a reason" in confirm(course, reason="")
    assert course.facts() == []


def test_a_confirmation_that_is_sent_twice_is_one(course: CourseUnderTest) -> None:
    same = form_id()
    for _ in range(2):
        confirm(course, form_id=same)
    assert len(course.facts()) == 1
    assert len(course.audited("confirm")) == 1


def test_a_zero_character_is_left_out_and_a_long_reason_refused(course: CourseUnderTest) -> None:
    confirm(course, reason="It was \0so.")
    assert [reason for _, _, reason, _ in course.facts()] == ["It was so."]
    page = course.record_page(course.maria, course.running)
    long = {"do": "confirm", "reason": "x" * 1001, "form_id": form_id()}
    assert "shorter than 1000" in course.post(page, long, on=page, status=422)


@pytest.mark.parametrize("do", ["confirm", "presence"])
def test_before_a_session_nobody_was_there(course: CourseUnderTest, do: str) -> None:
    ahead = course.record_page(course.maria, course.ahead)
    token = re.search(r'"form_token" value="(\w+)"', course.get(ahead).partition("course/people")[2])
    assert token
    form = {"form_token": token[1], "do": do, "reason": "Ahead of time.", "form_id": form_id(), "minutes": "50"}
    answer = course.send(ahead, form)
    assert answer.status_code == 422
    assert "has not started yet" in answer.text
    assert course.facts() == []


def test_excusing_ahead_of_a_session_is_possible(course: CourseUnderTest) -> None:
    page = course.record_page(course.maria, course.ahead)
    shown = course.post(page, {"do": "excuse", "reason": "At the dentist's.", "form_id": form_id()}, on=page)
    assert '<span class="tag">excused</span>' in shown
    assert [kind for _, kind, *_ in course.facts()] == ["excused"]


def test_presence_that_does_not_count_is_not_recorded(course: CourseUnderTest) -> None:
    page = course.record_page(course.maria, course.running)
    assert "Minutes in the meeting" not in course.get(page)
    form = {"do": "presence", "reason": "By the report.", "form_id": form_id(), "minutes": "50"}
    assert "does not count" in course.post(page, form, on=page, status=422)
    assert course.facts() == []


def evidence_id(course: CourseUnderTest) -> int:
    found = re.search(r"facts/(\d+)/withdraw", course.get(course.person(course.maria)))
    assert found
    return int(found[1])


def test_a_withdrawal_says_before_what_is_left_afterwards(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.over)
    course.check_in(course.maria, course.running)
    page = course.get(f"{course.person(course.maria)}facts/{evidence_id(course)}/withdraw")
    effect = re.search(r'<table class="table effect" id="effect">.*?</table>', page, re.DOTALL)
    assert effect
    text = " ".join(re.sub(r"<[^>]+>", " ", effect[0]).split())
    assert "This session completed not completed So far 2 of 3" in text
    assert "1 of 3" in text


def test_a_withdrawal_lowers_the_grade_and_keeps_the_reason(course: CourseUnderTest) -> None:
    delivery_id = course.check_in(course.maria, course.running)
    with course.database.write() as connection:
        deliveries.claim(connection, delivery_id, now=course.now)
        deliveries.mark_delivered(connection, delivery_id, outcome="Done.", now=course.now)
    withdraw = f"{course.person(course.maria)}facts/{evidence_id(course)}/withdraw"
    shown = course.post(withdraw, {"reason": "The code was passed on."}, on=withdraw)
    assert "The code was passed on." in shown
    assert "0 of 3" in shown
    with course.database.read() as connection:
        scores = connection.execute(sa.select(delivery.c.score_given).order_by(delivery.c.version)).scalars().all()
    assert scores == [1, 0]
    assert [thing for _, thing in course.audited("withdraw")] == [f"participant {course.maria.participant_id}"]
    again = course.browser.get(f"{course.path}course/{withdraw}")
    assert again.status_code == 303, "it is done: the page of the person shows by whom"


def test_to_look_at_somebody_who_never_came_changes_nothing(course: CourseUnderTest) -> None:
    with course.database.write() as connection:
        row = {"university_id": 1, "issuer": course.tool.malta.issuer, "sub": NEVER_CAME, "created_at": course.now}
        newcomer = connection.execute(sa.insert(participant).values(row).returning(participant.c.id)).scalar_one()
    before = course.tool.rows_of(membership)
    page = f"people/{newcomer}/sessions/{course.running}/"
    course.get(f"people/{newcomer}/")
    course.get(page)
    assert course.tool.rows_of(membership) == before
    course.post(page, {"do": "confirm", "reason": "She was there.", "form_id": form_id()}, on=page)
    assert course.tool.rows_of(membership) == before + 1, "the grade has a place to go to"
    assert course.tool.rows_of(delivery) == 1


def test_without_a_reason_nothing_is_withdrawn(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    withdraw = f"{course.person(course.maria)}facts/{evidence_id(course)}/withdraw"
    assert "Please write a reason" in course.post(withdraw, {"reason": " "}, on=withdraw, status=422)
    assert len(course.facts()) == 1


def test_what_one_person_has_is_not_withdrawn_from_another(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.running)
    found = evidence_id(course)
    course.get(f"{course.person(course.gorg)}facts/{found}/withdraw", status=404)


def test_a_person_whom_the_lms_names_only_at_first_is_shown_by_number(course: CourseUnderTest) -> None:
    lms, page = course.tool.malta, course.record_page(course.other, course.running)
    members = [{"user_id": OF_ANOTHER_COURSE, "name": "Xandru", "roles": ["Learner"], "status": "Active"}]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as played:
        played.add_passthru("http://127.0.0.1")
        played.post(f"{lms.issuer}/token", json={"access_token": "a-token", "expires_in": 3600})
        played.get(f"{lms.issuer}/memberships/course-1", json={"id": "1", "members": members})
        played.get(f"{lms.issuer}/memberships/course-1", status=503)
        assert "No. 9 in your LMS" in course.get(page)


def test_a_teacher_records_nothing_for_themselves(course: CourseUnderTest) -> None:
    own = student(course.tool, course.tool.malta, TEACHER, course.now)
    assert "This is you" in course.get(course.person(own))
    course.get(course.record_page(own, course.running), status=403)


def test_more_people_are_no_more_queries(course: CourseUnderTest) -> None:
    def queries() -> int:
        asked: list[str] = []

        def note(*args: object) -> None:
            asked.append(str(args[2]))

        sa.event.listen(course.database.engine, "before_cursor_execute", note)
        course.get()
        sa.event.remove(course.database.engine, "before_cursor_execute", note)
        return len(asked)

    course.get()  # the first time it also asks for its key
    before = queries()
    for number in range(3):
        course.check_in(student(course.tool, course.tool.malta, f"new {number}", course.now), course.running)
    assert queries() == before


def test_only_who_can_open_the_activity_is_shown_and_the_whole_course_is_kept(course: CourseUnderTest) -> None:
    url = f"{course.tool.malta.issuer}/memberships/course-1"
    of_activity, of_course = (
        [{"user_id": sub, "name": NAMES[sub], "roles": ["Learner"], "status": "Active"} for sub in subs]
        for subs in ((MARIA, NEVER_CAME), (MARIA, NEVER_CAME, SUSPENDED))
    )
    with responses.RequestsMock(assert_all_requests_are_fired=False) as lms:
        lms.add_passthru("http://127.0.0.1")
        lms.post(f"{course.tool.malta.issuer}/token", json={"access_token": "a-token", "expires_in": 3600})
        lms.get(f"{url}?rlid=activity%20of%20course-1", json={"members": of_activity})
        lms.get(url, json={"members": of_course}, match=[matchers.query_param_matcher({})])
        page = f"sessions/{course.running}/confirm"
        form = {"sub": [NEVER_CAME], "do": "excuse", "reason": "She is ill.", "form_id": form_id()}
        course.post(page, form, on=page)
        shown = course.get()
    assert NAMES[NEVER_CAME] in shown
    assert f"No. {SUSPENDED} in your LMS" not in shown
    assert NAMES[SUSPENDED] not in shown
    with course.database.read() as connection:
        kept = connection.execute(sa.select(roster_member.c.sub).order_by(roster_member.c.sub)).scalars()
        assert list(kept) == sorted((MARIA, NEVER_CAME, SUSPENDED))


def test_where_the_lms_does_not_tell_who_is_in_the_course_the_page_says_so(course: CourseUnderTest) -> None:
    assert 'id="no-roster"' not in course.get()
    with course.database.write() as connection:
        connection.execute(sa.update(tables.course).values(memberships_url=None))
    assert "Your LMS does not tell this tool who is in the course" in course.get()
    with course.database.write() as connection:
        row = {"course_id": course.maria.course_id, "failures": 0, "read_at": course.now}
        connection.execute(sa.insert(course_roster).values(row))
    assert "Your LMS no longer tells this tool who is in the course" in course.get()
