"""One session's page: the recording and the reflection in the student's own words."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from lti_tool.pages.times import moment
from series.reflections import MAX_REFLECTION_CHARS
from series.rule import Kind, Rule
from series.sessions import Status
from series.store.evidence import retract_evidence
from series.store.reflections import reflection_of, return_reflection
from series.store.tables import evidence, session
from tests.examples import SESSION
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest
from tests.integration.lti.workshop import CODE, OF_SESSION, Workshop, open_workshop, other_session, text_of

RECORDING, TAKE_BACK = f"{OF_SESSION}recording", f"{OF_SESSION}recording/take-back"
REFLECTION = f"{OF_SESSION}reflection"
OVER = timedelta(hours=2)
FIVE_WORDS = "Wir lernten Ενέργεια, Welle – Wind."


@pytest.fixture
def workshop(tool: ToolUnderTest, browser: Browser, login: Login) -> Workshop:
    return open_workshop(tool, browser, login)


def end_long_ago(workshop: Workshop) -> None:
    """A visit does not live as long as a window is open; so it is the session that goes."""
    with workshop.tool.database.write() as connection:
        connection.execute(sa.update(session).values(end_at=workshop.began_at - timedelta(days=15)))


# The page


def test_it_says_what_counts_and_that_nothing_is_recorded_yet(workshop: Workshop) -> None:
    page = workshop.page(OF_SESSION)
    assert "watching at least 80 % of its recording within 14 days of its end" in page
    assert "This was settled when the session began" in page
    assert "Nothing yet." in page
    assert f"/s/{SESSION.session_id}" in page


def test_it_says_what_was_recorded_from_where_and_what_was_withdrawn(workshop: Workshop) -> None:
    workshop.open_check_in()
    workshop.send(f"{OF_SESSION}check-in", code=CODE)
    assert "Checked in with the code</span>, typed in by you, " in workshop.page(OF_SESSION)
    with workshop.tool.database.write() as connection:
        (fact,) = workshop.facts()
        retract_evidence(
            connection, fact.evidence.evidence_id, by="participant 77", reason="<b>Absent</b>", now=workshop.began_at
        )
    for page in (workshop.page(OF_SESSION), workshop.page()):
        assert 'by a teacher of your course</strong>: “<span class="said">&lt;b&gt;Absent&lt;/b&gt;</span>”' in page
    assert "This session counts for you" not in page
    again = workshop.send(f"{OF_SESSION}check-in", code=CODE)
    assert (again.status_code, "a person has withdrawn that" in again.text) == (422, True)


def test_a_session_that_is_not_there_is_not_found(workshop: Workshop) -> None:
    for session_id in (other_session(), "nonsense"):
        assert workshop.browser.get(f"{workshop.path}sessions/{session_id}/").status_code == 404


def test_a_teacher_sees_what_counts_and_no_forms(tool: ToolUnderTest, workshop: Workshop, malta: Lms) -> None:
    other = tool.new_browser()
    login = other.begin_login(malta)
    path = other.open_visit(
        login,
        login.id_token({"sub": "teacher", "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]}),
    )
    token, before = workshop.token(REFLECTION), tool.rows()
    assert "<form" not in other.get(path + OF_SESSION).text.partition("<main")[2]
    assert other.post(path + REFLECTION, data={"form_token": token, "text": "x"}).status_code == 403
    assert tool.rows() == before


# The recording


def test_a_recording_is_declared_after_the_session_and_marked_so(workshop: Workshop) -> None:
    assert "I have watched the recording" not in workshop.page(OF_SESSION)
    workshop.tool.jump(OVER)
    assert workshop.send(RECORDING, watched="80").status_code == 303
    (fact,) = workshop.facts()
    assert (fact.evidence.kind, fact.evidence.amount, fact.source) == (Kind.RECORDING, 80, "self-declared")
    for page in (workshop.page(OF_SESSION), workshop.page()):
        assert '<span class="tag">self-declared</span>' in page
    assert text_of(workshop.page(), "own-standing").startswith("1 of 1")


def test_only_what_the_form_offers_is_recorded(workshop: Workshop) -> None:
    workshop.tool.jump(OVER)
    token, before = workshop.token(RECORDING), workshop.tool.rows()
    for watched in ("", "79", "101", "-1", "eighty", "80\0", "9" * 5_000):
        answer = workshop.post(RECORDING, token, watched=watched)
        assert answer.status_code == 422, watched
        assert "Please choose how much of the recording you have watched" in answer.text
    assert workshop.tool.rows() == before


def test_a_recording_is_declared_once(workshop: Workshop) -> None:
    workshop.tool.jump(OVER)
    token = workshop.token(RECORDING)
    assert workshop.post(RECORDING, token, watched="80").status_code == 303
    assert workshop.post(RECORDING, token, watched="100").status_code == 409
    assert len(workshop.facts()) == 1


def test_it_is_not_declared_before_the_end_nor_after_its_time(workshop: Workshop) -> None:
    workshop.tool.jump(OVER)
    token = workshop.token(RECORDING)
    workshop.tool.jump(timedelta(0))
    assert workshop.post(RECORDING, token, watched="80").status_code == 409
    end_long_ago(workshop)
    assert "The time for the recording was over on" in workshop.page(OF_SESSION)
    assert workshop.post(RECORDING, token, watched="80").status_code == 409
    assert workshop.facts() == []


def test_their_own_word_is_taken_back_when_the_box_is_ticked(workshop: Workshop) -> None:
    workshop.tool.jump(OVER)
    workshop.send(RECORDING, watched="80")
    assert workshop.send(TAKE_BACK).status_code == 422
    assert workshop.send(TAKE_BACK, confirmed="yes").status_code == 303
    page = workshop.page(OF_SESSION)
    assert "taken back by you on" in page
    assert "This session does not count for you so far" in page
    assert workshop.send(RECORDING, watched="100").status_code == 303
    assert [fact.retraction is None for fact in workshop.facts()] == [False, True]


def test_what_somebody_else_has_withdrawn_is_not_declared_anew(workshop: Workshop) -> None:
    workshop.tool.jump(OVER)
    token = workshop.token(RECORDING)
    workshop.post(RECORDING, token, watched="80")
    with workshop.tool.database.write() as connection:
        (fact,) = workshop.facts()
        retract_evidence(
            connection, fact.evidence.evidence_id, by="participant 77", reason="No.", now=workshop.began_at
        )
    assert "you cannot say it again" in workshop.page(OF_SESSION)
    assert workshop.post(RECORDING, token, watched="80").status_code == 409
    assert len(workshop.facts()) == 1


def test_of_a_cancelled_session_nothing_is_declared_or_written(workshop: Workshop) -> None:
    workshop.tool.jump(OVER)
    tokens = {action: workshop.token(action) for action in (RECORDING, REFLECTION)}
    with workshop.tool.database.write() as connection:
        connection.execute(sa.update(session).values(status=Status.CANCELLED.value))
    before = workshop.tool.rows()
    assert workshop.post(RECORDING, tokens[RECORDING], watched="80").status_code == 409
    assert workshop.post(REFLECTION, tokens[REFLECTION], text=FIVE_WORDS, do="hand_in").status_code == 409
    assert workshop.tool.rows() == before


# The reflection


def draft(workshop: Workshop) -> str:
    with workshop.tool.database.read() as connection:
        found = reflection_of(connection, participant_id=workshop.participant_id, session_id=SESSION.session_id)
    return "" if found is None else f"{found.state}: {found.text}"


def test_a_draft_is_saved_and_shown_again_and_is_no_evidence(workshop: Workshop) -> None:
    assert workshop.send(REFLECTION, text="Erster\r\n<Satz>\0", do="save").status_code == 303
    assert draft(workshop) == "draft: Erster\n<Satz>"
    assert "Erster\n&lt;Satz&gt;</textarea>" in workshop.page(OF_SESSION)
    assert workshop.facts() == []


def test_a_reflection_that_is_handed_in_completes_the_session(workshop: Workshop) -> None:
    assert workshop.send(REFLECTION, text=FIVE_WORDS, do="hand_in").status_code == 303
    (fact,) = workshop.facts()
    assert (fact.evidence.kind, fact.evidence.amount) == (Kind.REFLECTION, 5)
    assert "Reflection handed in, 5 words</span>, written by you" in workshop.page()
    assert "<textarea" not in text_of(workshop.page(OF_SESSION), "reflection")


def test_too_few_words_are_kept_and_not_handed_in(workshop: Workshop) -> None:
    answer = workshop.send(REFLECTION, text="– Vier kurze Worte – nur –", do="hand_in")
    assert answer.status_code == 422
    assert "Your text has 4 words; at least 5 are needed." in answer.text
    assert (draft(workshop), workshop.facts()) == ("draft: – Vier kurze Worte – nur –", [])


def test_a_text_that_is_too_long_is_shown_again(workshop: Workshop) -> None:
    text = "wort " * (MAX_REFLECTION_CHARS // 5) + "Ende"
    answer = workshop.send(REFLECTION, text=text, do="save")
    assert (answer.status_code, draft(workshop)) == (422, "")
    assert f"{text}</textarea>" in answer.text


def test_after_its_time_the_text_is_kept_and_not_handed_in(workshop: Workshop) -> None:
    token = workshop.token(REFLECTION)
    end_long_ago(workshop)
    answer = workshop.post(REFLECTION, token, text=FIVE_WORDS, do="hand_in")
    assert answer.status_code == 409
    assert "The time for handing in is over" in answer.text
    assert (draft(workshop), workshop.facts()) == (f"draft: {FIVE_WORDS}", [])


def test_what_was_handed_in_stays_and_what_was_typed_later_is_shown(workshop: Workshop) -> None:
    token = workshop.token(REFLECTION)
    workshop.post(REFLECTION, token, text=FIVE_WORDS, do="hand_in")
    answer = workshop.post(REFLECTION, token, text="Something else altogether, typed elsewhere", do="hand_in")
    assert answer.status_code == 409
    assert "Something else altogether, typed elsewhere</textarea>" in answer.text
    assert draft(workshop) == f"handed_in: {FIVE_WORDS}"


def give_back(workshop: Workshop, now: datetime) -> None:
    (fact,) = workshop.facts()
    with workshop.tool.database.write() as connection:
        return_reflection(
            connection,
            participant_id=workshop.participant_id,
            session_id=SESSION.session_id,
            evidence_id=fact.evidence.evidence_id,
            comment="Mehr, bitte: Γιατί;",
            by="participant 77",
            now=now,
        )


def saved_at(page: str) -> str:
    found = re.search(r'name="saved_at" value="([^"]*)"', page)
    assert found, page
    return found[1]


def test_what_was_returned_is_handed_in_once_more(workshop: Workshop) -> None:
    workshop.send(REFLECTION, text=FIVE_WORDS, do="hand_in")
    give_back(workshop, workshop.began_at)
    page = workshop.page(OF_SESSION)
    assert "Mehr, bitte: Γιατί;" in text_of(page, "reflection")
    assert f"{FIVE_WORDS}</textarea>" in page
    assert "Returned to you" in workshop.page()
    again = {"text": f"{FIVE_WORDS} Darum.", "saved_at": saved_at(page)}
    assert workshop.send(REFLECTION, **again, do="hand_in").status_code == 303
    assert [fact.retraction is None for fact in workshop.facts()] == [False, True]


def test_what_was_returned_after_its_time_can_be_handed_in_for_two_more_weeks(workshop: Workshop) -> None:
    workshop.send(REFLECTION, text=FIVE_WORDS, do="hand_in")
    handed_in_at = workshop.began_at - timedelta(days=16)
    with workshop.tool.database.write() as connection:
        connection.execute(sa.update(evidence).values(observed_at=handed_in_at))
    end_long_ago(workshop)
    give_back(workshop, workshop.began_at)
    page = workshop.page(OF_SESSION)
    until = moment(workshop.began_at + timedelta(days=14), "Europe/Malta")
    assert f"You can hand it in again until {until}." in page
    assert "a reflection, until" in workshop.page()
    again = {"text": f"{FIVE_WORDS} Darum.", "saved_at": saved_at(page)}
    assert workshop.send(REFLECTION, **again, do="hand_in").status_code == 303
    assert "This session counts for you." in workshop.page(OF_SESSION)
    assert {fact.evidence.observed_at for fact in workshop.facts()} == {handed_in_at}


def test_two_weeks_after_the_return_it_is_over(workshop: Workshop) -> None:
    workshop.send(REFLECTION, text=FIVE_WORDS, do="hand_in")
    end_long_ago(workshop)
    give_back(workshop, workshop.began_at - timedelta(days=14, minutes=1))
    page = workshop.page(OF_SESSION)
    assert "The time for the reflection was over" in page
    assert "You can hand it in again" not in page


def test_an_older_draft_does_not_overwrite_a_newer_one(workshop: Workshop) -> None:
    token = workshop.token(REFLECTION)
    workshop.post(REFLECTION, token, do="save", saved_at="", text="Two hours of work")
    for do in ("save", "hand_in"):
        answer = workshop.post(REFLECTION, token, do=do, saved_at="", text=f"{FIVE_WORDS} Old.")
        assert answer.status_code == 409, do
        assert f"{FIVE_WORDS} Old.</textarea>" in answer.text
        assert "Two hours of work</textarea>" in answer.text
    assert (draft(workshop), workshop.facts()) == ("draft: Two hours of work", [])
    meant = {"text": "Old, and meant so", "saved_at": saved_at(answer.text)}
    assert workshop.post(REFLECTION, token, do="save", **meant).status_code == 303
    assert draft(workshop) == "draft: Old, and meant so"


def test_the_same_text_sent_twice_is_handed_in_once(workshop: Workshop) -> None:
    token = workshop.token(REFLECTION)
    for _ in range(2):
        answer = workshop.post(REFLECTION, token, do="hand_in", saved_at="", text=FIVE_WORDS)
        assert (answer.status_code, answer.location.partition("?")[2]) == (303, "saved=handed-in#reflection")
    assert len(workshop.facts()) == 1


@pytest.mark.parametrize("wrong", ["yesterday", "\0", "9" * 5000, "2026-99-01T00:00:00"])
def test_a_reflection_form_with_another_time_writes_nothing(workshop: Workshop, wrong: str) -> None:
    token, before = workshop.token(REFLECTION), workshop.tool.rows()
    assert workshop.post(REFLECTION, token, do="save", saved_at=wrong, text="Text").status_code == 400
    assert workshop.tool.rows() == before


def test_a_reflection_form_with_another_button_writes_nothing(workshop: Workshop) -> None:
    token, before = workshop.token(REFLECTION), workshop.tool.rows()
    for do in ("", "hand in", "\0"):
        assert workshop.post(REFLECTION, token, text=FIVE_WORDS, do=do).status_code == 400
    assert workshop.tool.rows() == before


def test_a_visit_that_is_over_shows_the_text_and_not_the_button(workshop: Workshop) -> None:
    token = workshop.token(REFLECTION)
    workshop.tool.jump(timedelta(hours=13))
    chosen = {"do": "hand_in", "saved_at": "2026-11-24T16:00:00+00:00", "held_at": "hidden-one"}
    answer = workshop.post(REFLECTION, token, text=FIVE_WORDS, **chosen)
    assert (answer.status_code, FIVE_WORDS in answer.text) == (401, True)
    assert not any(value in answer.text for value in chosen.values())


def test_where_the_rule_counts_neither_there_are_no_forms(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    workshop = open_workshop(tool, browser, login, rule=Rule())
    tool.jump(OVER)
    page = workshop.page(OF_SESSION)
    assert "I have watched the recording" not in page
    assert "Hand in" not in page
