"""What an instructor sees of the course's roster, and says to a list that is held."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import render_template_string

from lti_tool.pages.visit_proof import proved_visit
from series.store.roster_reads import note_failure
from series.store.rosters import RosterMember, roster_of, save_roster
from series.store.tables import audit, course
from tests.integration.lti.lms import INSTRUCTOR, Lms
from tests.integration.lti.tool import Browser, ToolUnderTest, form_token

NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
STUDENTS = [str(number) for number in range(10, 40)]
THE_NOTICE = "{% from '_roster.html' import roster_notice %}{{ roster_notice(roster, visit) }}"


def open_visit(browser: Browser, lms: Lms, **claims: object) -> str:
    login = browser.begin_login(lms)
    return browser.open_visit(login, login.id_token(claims))


@pytest.fixture
def teacher(browser: Browser, malta: Lms) -> str:
    """The path of a teacher's visit to the first course."""
    return open_visit(browser, malta, roles=[INSTRUCTOR])


def read(tool: ToolUnderTest, subs: list[str], *, hours: int = 0) -> None:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC) + timedelta(hours=hours)
    with tool.database.write() as connection:
        save_roster(connection, 1, [RosterMember(sub=sub, is_learner=True) for sub in subs], now=at)


@pytest.fixture
def held(tool: ToolUnderTest, teacher: str) -> str:
    """A list waits that lacks 12 of 30 people; since when, as the form says it."""
    read(tool, STUDENTS)
    read(tool, STUDENTS[12:], hours=6)
    return "2026-11-24T18:00:00+00:00"


def notice(tool: ToolUnderTest, browser: Browser, path: str, query: str = "") -> str:
    """The part of the instructor's page, in their own visit."""
    proof = browser.get_cookie("visit", path=path)
    assert proof is not None
    headers = {"Cookie": f"visit={proof.value}"}
    with tool.app.test_request_context(f"{path}course/{query}", headers=headers):
        visit = proved_visit(path.strip("/").split("/")[1])
        with tool.database.read() as connection:
            roster = roster_of(connection, 1)
        return render_template_string(THE_NOTICE, roster=roster, visit=visit)


def there(tool: ToolUnderTest) -> set[str]:
    with tool.database.read() as connection:
        return {member.sub for member in roster_of(connection, 1).members if member.is_there}


def audited(tool: ToolUnderTest) -> list[tuple[str, str]]:
    with tool.database.read() as connection:
        rows = connection.execute(sa.select(audit).where(audit.c.action.like("%roster")))
        return [(row.action, row.object) for row in rows]


def test_lti_041_an_instructors_launch_tells_where_the_roster_is(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    url = f"{malta.issuer}/memberships?type_id=1"
    open_visit(browser, malta, roles=[INSTRUCTOR], **{NRPS: {"context_memberships_url": url}})
    with tool.database.read() as connection:
        assert connection.execute(sa.select(course.c.memberships_url)).scalar_one() == url


def test_the_notice_says_when_the_list_was_read_and_since_when_it_fails(
    tool: ToolUnderTest, browser: Browser, teacher: str
) -> None:
    assert "has not been read from your LMS so far" in notice(tool, browser, teacher)
    read(tool, STUDENTS)
    with tool.database.write() as connection:
        at = datetime(2026, 11, 25, 12, tzinfo=UTC)
        note_failure(connection, 1, reason="It is <down>.", next_read_at=at, now=at)
    shown = notice(tool, browser, teacher)
    assert "As your LMS sent it on 24 November 2026, 13:00 (Malta)." in shown
    assert "Since 25 November 2026, 13:00 (Malta)" in shown
    assert "It is &lt;down&gt;." in shown
    assert "Held back" not in shown


def test_the_notice_shows_what_is_held_back(tool: ToolUnderTest, browser: Browser, teacher: str, held: str) -> None:
    shown = notice(tool, browser, teacher)
    assert "12 of 30 people are gone from the list that your LMS sends." in shown
    assert shown.count("<li>") == 12
    assert shown.count(f'name="held_at" value="{held}"') == 2


@pytest.mark.parametrize(
    ("answer", "said", "left"), [("accept", "no longer in the course", 18), ("reject", "they stay in the course", 30)]
)
def test_what_is_held_is_decided_once_and_written_down(
    tool: ToolUnderTest, browser: Browser, teacher: str, held: str, answer: str, said: str, left: int
) -> None:
    token = form_token(notice(tool, browser, teacher), f"/roster/{answer}")
    form = {"form_token": token, "held_at": held}
    done = browser.post(f"{teacher}course/roster/{answer}", data=form)
    assert (done.status_code, urlsplit(done.location).path) == (303, f"{teacher}course/")
    assert said in notice(tool, browser, teacher, f"?{urlsplit(done.location).query}")
    assert browser.post(f"{teacher}course/roster/{answer}", data=form).status_code == 303
    assert len(there(tool)) == left
    assert audited(tool) == [(f"{answer}_roster", "course 1")]


def test_a_list_that_came_after_the_page_is_not_decided_by_it(
    tool: ToolUnderTest, browser: Browser, teacher: str, held: str
) -> None:
    token = form_token(notice(tool, browser, teacher), "/roster/accept")
    read(tool, STUDENTS[25:], hours=12)
    browser.post(f"{teacher}course/roster/accept", data={"form_token": token, "held_at": held})
    assert (len(there(tool)), audited(tool)) == (30, [])


@pytest.mark.parametrize("held_at", ["", "yesterday", "2026-11-24T18:00:00", "\0", "9" * 5000])
def test_a_form_with_another_instant_is_refused(
    tool: ToolUnderTest, browser: Browser, teacher: str, held: str, held_at: str
) -> None:
    token = form_token(notice(tool, browser, teacher), "/roster/accept")
    answer = browser.post(f"{teacher}course/roster/accept", data={"form_token": token, "held_at": held_at})
    assert 400 <= answer.status_code < 500
    assert (len(there(tool)), audited(tool)) == (30, [])


@pytest.mark.parametrize("token_of", ["accept", None])
def test_a_form_of_another_button_or_of_nowhere_is_refused(
    tool: ToolUnderTest, browser: Browser, teacher: str, held: str, token_of: str | None
) -> None:
    token = form_token(notice(tool, browser, teacher), f"/roster/{token_of}") if token_of else ""
    answer = browser.post(f"{teacher}course/roster/reject", data={"form_token": token, "held_at": held})
    assert 400 <= answer.status_code < 500
    assert audited(tool) == []


def test_a_student_decides_nothing(tool: ToolUnderTest, malta: Lms, held: str) -> None:
    browser = tool.new_browser()
    student = open_visit(browser, malta)
    for answer in ("accept", "reject"):
        token = form_token(notice(tool, browser, student), f"/roster/{answer}")
        form = {"form_token": token, "held_at": held}
        assert browser.post(f"{student}course/roster/{answer}", data=form).status_code == 403
    assert len(there(tool)) == 30


def test_a_teacher_of_another_course_decides_nothing_here(tool: ToolUnderTest, malta: Lms, held: str) -> None:
    browser = tool.new_browser()
    other = open_visit(browser, malta, roles=[INSTRUCTOR], context={"id": "other"}, resource_link={"id": "other"})
    token = form_token(notice(tool, browser, other), "/roster/accept")
    answer = browser.post(f"{other}course/roster/accept", data={"form_token": token, "held_at": held})
    assert answer.status_code == 303
    assert len(there(tool)) == 30
