"""The calendar feed as a calendar program fetches it, and the pages that show its address."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
import sqlalchemy as sa
from werkzeug.test import Client, TestResponse

from lti_tool.pages import feeds
from moodle_sync.read_calendar import read_calendar
from series.feed_address import FeedOwner, OwnerKind, make_token
from series.limits import FEED_READS
from series.sessions import Status
from series.store.sessions import save_import
from series.store.tables import audit, participant, rate_limit
from tests.conftest import PUBLIC_URL, make_settings
from tests.examples import MALTA, SERIES, SESSION, moved, weekly
from tests.integration.lti.lms import INSTRUCTOR, Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, form_token, open_tool
from tests.integration.lti.watched import log_in_memory

SECRET_KEY = make_settings("").secret_key
PLAN = [  # the first is running
    moved(session, datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10) - SESSION.start_at)
    for session in weekly(3)
]


@pytest.fixture
def tool(database_url: str, malta: Lms, vilnius: Lms, tmp_path: Path) -> Iterator[ToolUnderTest]:
    """On both databases, with three sessions."""
    with open_tool(database_url, malta, vilnius, tmp_path / "clock") as opened:
        now = datetime.now(UTC)
        with opened.database.write() as connection:
            new = [(session, (str(session.session_id), session.start_at)) for session in PLAN]
            save_import(connection, SERIES.series_id, new=new, changed=[], rekeyed=[], now=now)
        yield opened


@pytest.fixture
def path(browser: Browser, login: Login) -> str:
    """Of a student's visit."""
    return browser.open_visit(login)


@pytest.fixture
def address(browser: Browser, path: str) -> str:
    return address_on(browser.get(path))


@pytest.fixture
def program(tool: ToolUnderTest) -> Client:
    """A calendar program: it has no cookies."""
    return tool.app.test_client(use_cookies=False)


def address_on(page: TestResponse) -> str:
    """The path of the feed whose address the page shows."""
    found = re.search(r'id="feed-address" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1]).removeprefix(PUBLIC_URL)


def course_visit(browser: Browser, malta: Lms, *, sub: str = "8", **changes: object) -> str:
    login = browser.begin_login(malta)
    return browser.open_visit(login, login.id_token({"sub": sub, "roles": [INSTRUCTOR], **changes}))


def change(tool: ToolUnderTest, **changes: object) -> None:
    """Of the last session."""
    changed = replace(PLAN[2], sequence=1, **changes)  # type: ignore[arg-type]
    with tool.database.write() as connection:
        save_import(connection, SERIES.series_id, new=[], changed=[changed], rekeyed=[], now=datetime.now(UTC))


# Fetching


def test_the_address_on_a_students_page_gives_the_plan(program: Client, address: str) -> None:
    answer = program.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert "Set-Cookie" not in answer.headers
    now = datetime.now(UTC)
    window = (now - timedelta(days=1), now + timedelta(days=60))
    reading = read_calendar(answer.data, default_zone=SERIES.time_zone, window=window)
    assert reading.problems == ()
    assert [(o.start_at, o.end_at, o.title, o.cancelled) for o in reading.occurrences] == [
        (s.start_at, s.end_at, s.title, False) for s in PLAN
    ]
    assert icalendar.Calendar.from_ical(answer.data)["X-WR-CALNAME"] == SERIES.title
    assert b"meet.example" not in answer.data


def test_a_course_has_an_address_of_its_own(
    tool: ToolUnderTest, browser: Browser, malta: Lms, program: Client, address: str
) -> None:
    teachers = course_visit(browser, malta)
    own, of_course = address_on(browser.get(teachers)), address_on(browser.get(f"{teachers}course/"))
    assert len({own, of_course, address}) == 3
    assert program.get(of_course).data == program.get(own).data == program.get(address).data


def test_the_feed_follows_a_cancellation(tool: ToolUnderTest, program: Client, address: str) -> None:
    change(tool, status=Status.CANCELLED)
    plain, for_moodle = program.get(address), program.get(f"{address}?for=moodle")
    assert plain.text.count("STATUS:CANCELLED") == for_moodle.text.count("STATUS:CANCELLED") == 1
    assert "SUMMARY:CANCELLED: " not in plain.text
    assert f"SUMMARY:CANCELLED: {SESSION.title}" in for_moodle.text
    assert plain.get_etag() != for_moodle.get_etag()
    tool.jump(timedelta(days=14 + 31))
    assert program.get(address).text.count("BEGIN:VEVENT") == 2


def test_what_has_not_changed_is_not_sent_again(tool: ToolUnderTest, program: Client, address: str) -> None:
    first = program.get(address)
    etag, is_weak = first.get_etag()
    assert etag is not None
    assert not is_weak
    tool.jump(timedelta(days=1))
    same = {"If-None-Match": first.headers["ETag"]}
    again = program.get(address, headers=same)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert again.headers["Cache-Control"] == "private, max-age=300"
    assert program.get(address).data == first.data
    assert program.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    change(tool, title="Another title")
    changed = program.get(address, headers=same)
    assert changed.status_code == 200
    assert "SUMMARY:Another title" in changed.text


def test_head_answers_without_a_body(program: Client, address: str) -> None:
    full, head = program.get(address), program.head(address)
    assert (head.status_code, head.data) == (200, b"")
    assert (head.headers["ETag"], head.headers["Content-Length"]) == (full.headers["ETag"], str(len(full.data)))


# Addresses that do not work


def test_all_wrong_addresses_get_the_same_answer(tool: ToolUnderTest, program: Client, address: str) -> None:
    own = address.removeprefix("/calendar/").removesuffix(".ics")
    forged = [
        make_token(FeedOwner(kind=OwnerKind.PARTICIPANT, owner_id=0, generation=0), secret_key=SECRET_KEY),
        make_token(FeedOwner(kind=OwnerKind.COURSE, owner_id=9, generation=0), secret_key=SECRET_KEY),
        make_token(FeedOwner(kind=OwnerKind.PARTICIPANT, owner_id=10**17, generation=0), secret_key=SECRET_KEY),
        own.replace("p", "c"),
        own[:-1] + ("0" if own[-1] != "0" else "1"),
        own.split("-")[0].replace("p", "p1") + "-" + own.split("-")[1],
        own.upper(),
        "x",
        "p1-" + "0" * 32,
        "p" + "9" * 30 + "-" + "0" * 32,
        "%00",
        "é",
    ]
    answers = [program.get(f"/calendar/{token}.ics") for token in forged]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
    assert {answer.headers["Content-Type"] for answer in answers} == {"text/plain; charset=utf-8"}
    assert "open the workshop series in your course" in answers[0].text
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert tool.rows_of(rate_limit) == 0, "somebody else's guesses are counted against nobody"


def test_an_erased_persons_address_is_as_wrong_as_any_other(
    tool: ToolUnderTest, browser: Browser, path: str, program: Client, address: str
) -> None:
    with tool.database.write() as connection:
        for table in ("visit", "membership", "participant"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    gone, unknown = program.get(address), program.get("/calendar/x.ics")
    assert (gone.status_code, gone.data) == (404, unknown.data)
    assert {k: v for k, v in gone.headers if k != "Date"} == {k: v for k, v in unknown.headers if k != "Date"}


def test_too_many_fetches_of_one_address_wait_and_no_other_does(
    tool: ToolUnderTest, browser: Browser, malta: Lms, program: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "FEED_READS", replace(FEED_READS, burst=3))
    answers = [program.get(address) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[3].headers["Retry-After"]) <= FEED_READS.every_s
    assert answers[3].headers["Content-Type"] == "text/plain; charset=utf-8"
    own = address_on(browser.get(course_visit(browser, malta)))
    assert own != address
    assert program.get(own).status_code == 200
    tool.jump(timedelta(seconds=FEED_READS.every_s + 1))
    assert program.get(address).status_code == 200


def test_the_address_is_in_no_table_and_in_no_record(
    tool: ToolUnderTest, program: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with log_in_memory() as log:
        assert program.get(address).status_code == 200
        assert log.take() == ""
        with broken(monkeypatch):
            assert program.get(address).status_code == 500
        written = log.take()
    assert '"path": "/calendar/<token>.ics"' in written
    mac = address.partition("-")[2].removesuffix(".ics")
    assert mac not in written
    with tool.database.read() as connection:
        assert mac not in str(
            connection.execute(sa.select(rate_limit)).all() + connection.execute(sa.select(participant)).all()
        )


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_: object, **__: object) -> bytes:
        raise RuntimeError("nothing can be written")

    with monkeypatch.context() as patched:
        patched.setattr(feeds, "write_feed", fail)
        yield


# A new address


def renew(browser: Browser, path: str, page: TestResponse) -> TestResponse:
    generation = re.search(r"calendar/(\d+)/new-address", page.text)
    assert generation
    action = f"calendar/{generation[1]}/new-address"
    return browser.post(path + action, data={"form_token": form_token(page.text, action)})


def test_a_new_address_stops_the_old_one_and_the_page_says_so(
    tool: ToolUnderTest, browser: Browser, path: str, program: Client, address: str
) -> None:
    before = browser.get(path)
    assert "stopped working" not in before.text
    answer = renew(browser, path, before)
    assert (answer.status_code, answer.location) == (303, f"{PUBLIC_URL}{path}?calendar=new#calendar")
    after = browser.get(answer.location)
    assert "The old one has stopped working." in after.text
    assert '<details class="calendar" id="calendar" open>' in after.text
    assert program.get(address).status_code == 404
    assert program.get(address_on(after)).status_code == 200
    assert address_on(after) != address
    assert "The old one has stopped working." not in browser.get(path).text
    with tool.database.read() as connection:
        (noted,) = connection.execute(sa.select(audit.c.actor, audit.c.action, audit.c.object)).all()
    assert noted.action == "renew_feed_address"
    assert noted.actor == noted.object


def test_a_double_click_makes_one_new_address(browser: Browser, path: str, program: Client) -> None:
    page = browser.get(path)
    renew(browser, path, page)
    first = address_on(browser.get(path))
    assert renew(browser, path, page).status_code == 303
    assert address_on(browser.get(path)) == first
    assert program.get(first).status_code == 200


def test_one_persons_new_address_leaves_the_others_alone(
    tool: ToolUnderTest, browser: Browser, malta: Lms, path: str, program: Client, address: str
) -> None:
    teachers = course_visit(browser, malta)
    of_course = address_on(browser.get(f"{teachers}course/"))
    renew(browser, path, browser.get(path))
    assert program.get(of_course).status_code == 200
    answer = renew(browser, f"{teachers}course/", browser.get(f"{teachers}course/"))
    assert answer.location == f"{PUBLIC_URL}{teachers}course/?calendar=new#calendar"
    assert program.get(of_course).status_code == 404
    assert program.get(address_on(browser.get(answer.location))).status_code == 200
    assert program.get(address_on(browser.get(path))).status_code == 200


@pytest.mark.parametrize("data", [{}, {"form_token": "0" * 64}])
def test_only_a_form_of_this_visit_makes_a_new_address(
    browser: Browser, path: str, program: Client, address: str, data: dict[str, str]
) -> None:
    assert browser.post(f"{path}calendar/0/new-address", data=data).status_code == 403
    right = form_token(browser.get(path).text, "calendar/0/new-address")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"}):
        foreign = browser.post(f"{path}calendar/0/new-address", data={"form_token": right}, headers=headers)
        assert foreign.status_code == 403
    assert program.get(address).status_code == 200


def test_a_student_makes_no_new_address_for_the_course(browser: Browser, path: str) -> None:
    own = form_token(browser.get(path).text, "calendar/0/new-address")
    answer = browser.post(f"{path}course/calendar/0/new-address", data={"form_token": own})
    assert answer.status_code == 403


def test_without_the_visits_cookie_nobody_makes_a_new_address(program: Client, path: str, address: str) -> None:
    assert program.post(f"{path}calendar/0/new-address", data={"form_token": "x"}).status_code == 401
    assert program.get(address).status_code == 200


# The pages


def test_the_students_page_has_the_buttons(browser: Browser, path: str, address: str) -> None:
    page = browser.get(path)
    links = re.findall(
        r'<a class="btn[^"]*" href="([^"]+)" target="_blank" rel="noopener noreferrer">(\w+)<', page.text
    )
    token = address.removeprefix("/calendar/")
    assert [(name, html.unescape(href).partition("?")[0]) for href, name in links if name != "Join"] == [
        ("Apple", f"webcal://localhost:8999/calendar/{token}"),
        ("Google", "https://calendar.google.com/calendar/r"),
        ("Outlook", "https://outlook.office.com/calendar/0/addfromweb"),
    ]
    assert all(token in href for href, name in links if name != "Join")
    assert "up to a day" in page.text
    assert "for=moodle" not in page.text


def test_only_the_course_page_has_the_address_for_moodle(browser: Browser, malta: Lms, program: Client) -> None:
    page = browser.get(f"{course_visit(browser, malta)}course/")
    found = re.search(r'id="feed-for-moodle" value="([^"]+)"', page.text)
    assert found
    assert program.get(found[1].removeprefix(PUBLIC_URL)).status_code == 200
    assert found[1] == f"{PUBLIC_URL}{address_on(page)}?for=moodle"


def test_the_address_names_nobody(browser: Browser, malta: Lms) -> None:
    login = browser.begin_login(malta)
    person = {"sub": "marija-vella", "name": "Marija Vella"}
    path = browser.open_visit(login, login.id_token(person))
    address = address_on(browser.get(path))
    assert re.fullmatch(r"/calendar/p\d+-[0-9a-f]{32}\.ics", address)
    assert MALTA.slug not in address


# The public page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": Status.CANCELLED}, "This session does not take place."),
        ({"moved_from_at": PLAN[2].start_at - timedelta(days=1)}, "This session was moved to the time above."),
    ],
)
def test_the_page_that_an_event_leads_to_says_what_changed(
    tool: ToolUnderTest, program: Client, address: str, changes: dict[str, object], words: str
) -> None:
    url = str(icalendar.Calendar.from_ical(program.get(address).data).walk("VEVENT")[2]["URL"])
    assert url == f"{PUBLIC_URL}/s/{PLAN[2].session_id}"
    page = url.removeprefix(PUBLIC_URL)
    assert words not in program.get(page).text
    change(tool, **changes)
    assert words in program.get(page).text
