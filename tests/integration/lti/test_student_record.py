"""The page of all sessions: what counts, what is still possible, grades sent, and "this is wrong"."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.rule import Kind, Rule
from series.store.evidence import NewEvidence, record_evidence
from series.store.objections import MAX_OBJECTION_CHARS, answer_objection, objections_of_participant
from series.store.tables import course, course_count, delivery
from tests.examples import SERIES, SESSION
from tests.integration.lti.tool import Browser, Login, ToolUnderTest
from tests.integration.lti.workshop import CODE, OF_SESSION, Workshop, open_workshop, text_of

OBJECTION = f"{OF_SESSION}objection"


@pytest.fixture
def workshop(tool: ToolUnderTest, browser: Browser, login: Login) -> Workshop:
    return open_workshop(tool, browser, login)


def confirm(workshop: Workshop, kind: Kind, *, by: str, reason: str) -> None:
    new = NewEvidence(
        participant_id=workshop.participant_id,
        session_id=SESSION.session_id,
        kind=kind,
        source="confirmation",
        source_id="1",
        observed_at=workshop.began_at,
        recorded_by=by,
        reason=reason,
    )
    with workshop.tool.database.write() as connection:
        record_evidence(connection, new, now=workshop.began_at)


def test_the_standing_says_what_can_still_be_done(workshop: Workshop) -> None:
    assert text_of(workshop.page(), "own-standing") == "0 of 1; 1 can still be done live"
    workshop.tool.jump(timedelta(hours=2))
    page = workshop.page()
    assert text_of(page, "own-standing") == "0 of 1; 1 can still be done in another way afterwards"
    assert "Still possible: the recording, until" in page
    assert "Still possible: a reflection, until" in page


def test_a_count_of_the_course_stands_beside_that_of_the_series(workshop: Workshop) -> None:
    with workshop.tool.database.write() as connection:
        course_id = connection.execute(sa.select(course.c.id)).scalar_one()
        connection.execute(
            sa.insert(course_count).values(
                course_id=course_id,
                series_id=SERIES.series_id,
                required=1,
                session_ids="[]",
                set_by="participant 77",
                set_at=workshop.began_at,
            )
        )
    page = workshop.page()
    assert text_of(page, "course-standing") == "0 of 1; nothing more can be done by yourself"
    assert "not for the grade in your course" in page


@pytest.mark.parametrize(
    ("kind", "by", "words"),
    [
        (Kind.APPROVAL, "participant 77", "Confirmed by a teacher of your course"),
        (Kind.APPROVAL, "staff 3", "Confirmed by the coordinators of the series"),
        (Kind.EXCUSED, "participant 77", "Excused by a teacher of your course"),
    ],
)
def test_who_confirmed_or_excused_is_said_by_their_role_with_the_reason(
    workshop: Workshop, kind: Kind, by: str, words: str
) -> None:
    confirm(workshop, kind, by=by, reason="Mit ärztlichem Attest")
    page = workshop.page()
    assert words in page
    assert "Mit ärztlichem Attest" in page
    assert by not in page


def test_a_grade_on_its_way_sent_and_failed_is_said_so(workshop: Workshop) -> None:
    assert "Nothing has been sent yet" in workshop.page()
    workshop.open_check_in()
    workshop.send(f"{OF_SESSION}check-in", at="", code=CODE)
    assert "on its way" in workshop.page()
    for state, outcome, words in (
        ("delivered", "Delivered.", ", sent on "),
        ("failed", "Nobody is enrolled.", "could not be sent: Nobody is enrolled."),
    ):
        with workshop.tool.database.write() as connection:
            connection.execute(sa.update(delivery).values(state=state, outcome=outcome, delivered_at=workshop.began_at))
        page = workshop.page().partition("Grades sent to your course")[2]
        assert words in " ".join(page.split()).replace(" , ", ", ")


# This is wrong


@pytest.mark.parametrize("action", ["objection", OBJECTION])
def test_an_objection_is_kept_and_shown_with_its_answer(workshop: Workshop, action: str) -> None:
    at = action.removesuffix("objection")
    assert workshop.send(action, at=at, text="Ich war da.\r\n<b>Wirklich</b>\0").status_code == 303
    assert "waits for an answer" in workshop.page(at)
    with workshop.tool.database.write() as connection:
        who = {"participant_id": workshop.participant_id, "series_id": SERIES.series_id}
        (found,) = objections_of_participant(connection, **who)
        assert (found.text, found.session_id is None) == ("Ich war da.\n<b>Wirklich</b>", at == "")
        answer_objection(
            connection,
            objection_id=found.objection_id,
            course_id=found.course_id,
            answer="Έχετε δίκιο.",
            by="participant 77",
            now=workshop.began_at,
        )
    page = text_of(workshop.page(at), "objection")
    assert "by a teacher of your course: Έχετε δίκιο." in page
    assert "waits for an answer" not in page


@pytest.mark.parametrize("action", ["objection", OBJECTION])
def test_an_objection_without_text_or_with_too_much_is_shown_again(workshop: Workshop, action: str) -> None:
    token, before = workshop.token(action, at=action.removesuffix("objection")), workshop.tool.rows()
    for text in ("", " \n\0 ", "x" * (MAX_OBJECTION_CHARS + 1)):
        answer = workshop.post(action, token, text=text)
        assert (answer.status_code, workshop.tool.rows()) == (422, before)
        assert text.strip(" \n\0") + "</textarea>" in answer.text


def test_a_sixth_open_objection_waits_until_one_is_answered(workshop: Workshop) -> None:
    token = workshop.token("objection", at="")
    for number in range(5):
        assert workshop.post("objection", token, text=f"Number {number}").status_code == 303
    assert workshop.post("objection", token, text="Number 0").status_code == 303  # sent twice
    answer = workshop.post("objection", token, text="Number 5")
    assert answer.status_code == 422
    assert "Several messages of yours wait for an answer already" in answer.text
    assert "Number 5</textarea>" in answer.text


def test_without_a_course_it_is_said_whom_to_ask(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    token_of = login.id_token(without=("context",))
    workshop = open_workshop(tool, browser, login, rule=Rule(), id_token=token_of)
    assert "This activity is in no course that we know" in workshop.page()
    assert "<form" not in workshop.page().partition('id="objection"')[2].partition("</section>")[0]
