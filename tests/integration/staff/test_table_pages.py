"""A table that the coordinator pastes or uploads: everything is seen before anything counts."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
from werkzeug.test import TestResponse

from moodle_sync import jobs
from moodle_sync.import_series import import_series
from moodle_sync.services import Services, make_services
from series.rule import Rule
from series.sessions import Series
from series.store.calendar_sources import due_sources
from series.store.join_links import set_join_hosts
from series.store.sessions import add_series, find_series, sessions_of
from tests.integration.coordinator import FIRST_AT, as_calendar, weekly
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, form_token

SERIES = Series(series_id=UUID(int=78), slug="table", title="From a table", time_zone="Europe/Berlin", source=None)
PAGE = "/coordinator/series/table/table/"
HELD = "/coordinator/series/table/held"
DAYS = [f"{FIRST_AT + timedelta(weeks=week):%Y-%m-%d}" for week in range(4)]
ROWS = [["Date", "Start", "End", "Title", "Hosting university"]] + [
    [day, "16:00", "18:00", f"Week {number}", "University of Malta"] for number, day in enumerate(DAYS, 1)
]


@pytest.fixture
def services(office: Office) -> Iterator[Services]:
    made = make_services(office.tool.settings)
    with made.database.write() as connection:
        add_series(connection, SERIES, rule=Rule(required=3), now=made.clock.now())
    yield made
    made.http.close()
    made.database.dispose()


@pytest.fixture
def desk(office: Office, services: Services) -> Desk:
    browser = office.new_browser()
    browser.sign_in()
    return browser


def pasted(rows: list[list[str]]) -> str:
    return "\n".join("\t".join(row) for row in rows)


def as_workbook(rows: list[list[str]]) -> bytes:
    workbook, out = openpyxl.Workbook(), io.BytesIO()
    assert workbook.active is not None
    for row in rows:
        workbook.active.append(row)
    workbook.save(out)
    return out.getvalue()


def send(desk: Desk, *, text: str = "", file: tuple[bytes, str] | None = None) -> TestResponse:
    data = {"form_token": form_token_of(desk), "pasted": text}
    if file:
        data["file"] = (io.BytesIO(file[0]), file[1])  # type: ignore[assignment]
    return desk.post(PAGE, data=data, headers=OURS, content_type="multipart/form-data")


def form_token_of(desk: Desk) -> str:
    return form_token(desk.get(PAGE).text.replace(' enctype="multipart/form-data"', ""), PAGE)


def read(services: Services, answer: TestResponse) -> str:
    """The worker reads it; the path of the page that follows."""
    path = answer.headers["Location"].partition("/coordinator/")[2]
    jobs.run_table(services, int(path.rpartition("/")[2]))
    return f"/coordinator/{path}"


def titles(office: Office) -> list[str]:
    with office.database.read() as connection:
        return [session.title for session in sessions_of(connection, SERIES.series_id)]


@pytest.mark.parametrize("as_file", [False, True])
def test_what_a_table_would_change_is_seen_before_it_counts(
    office: Office,
    services: Services,
    desk: Desk,
    as_file: bool,  # noqa: FBT001
) -> None:
    sent = send(desk, file=(as_workbook(ROWS), "plan.xlsx")) if as_file else send(desk, text=pasted(ROWS))
    assert sent.status_code == 303
    waiting = desk.get(sent.headers["Location"].partition("8999")[2])
    assert (waiting.headers["Refresh"], "is being read" in waiting.text) == ("2", True)
    page = desk.get(read(services, sent)).text
    assert "It would change 4 sessions." in page
    assert titles(office) == []
    held = desk.get(HELD).text
    assert "of that you see everything first" in held
    digest = held.partition('name="digest" value="')[2].partition('"')[0]
    assert desk.send(HELD, HELD, digest=digest, answer="yes").status_code == 303
    assert titles(office) == ["Week 1", "Week 2", "Week 3", "Week 4"]
    with office.database.read() as connection:
        name = "plan.xlsx" if as_file else "pasted.tsv"
        assert find_series(connection, SERIES.slug).source == f"table:{name}"
        assert SERIES.slug not in due_sources(connection, now=office.tool.clock.now())
    assert name in desk.get("/coordinator/series/table/").text
    assert [action for _, action, _ in office.audit()[-2:]] == ["upload_table", "accept_plan"]


def test_a_second_table_shows_what_is_different_and_the_same_one_nothing(
    office: Office, services: Services, desk: Desk
) -> None:
    read(services, send(desk, text=pasted(ROWS)))
    digest = desk.get(HELD).text.partition('name="digest" value="')[2].partition('"')[0]
    desk.send(HELD, HELD, digest=digest, answer="yes")
    assert "there is nothing to change" in desk.get(read(services, send(desk, text=pasted(ROWS)))).text
    moved = [*ROWS[:2], [ROWS[2][0], "17:00", "19:00", *ROWS[2][3:]], *ROWS[3:]]
    assert "It would change 1 session." in desk.get(read(services, send(desk, text=pasted(moved)))).text
    assert "Moved" in desk.get(HELD).text


@pytest.mark.parametrize("text", ["no table at all", "Date\tTitle", "<html>"])
def test_what_is_no_table_says_why(office: Office, services: Services, desk: Desk, text: str) -> None:
    page = desk.get(read(services, send(desk, text=text))).text
    assert "could not be read" in page
    assert "To look at" in page
    assert titles(office) == []
    assert "Nothing waits" in desk.get(HELD).text


def test_bad_rows_are_listed_and_the_good_ones_kept(services: Services, desk: Desk) -> None:
    rows = [*ROWS, ["soon", "16:00", "18:00", "Week 5", ""]]
    page = desk.get(read(services, send(desk, text=pasted(rows)))).text
    assert "It would change 4 sessions." in page
    assert "has a date that cannot be read" in page


def test_a_first_column_without_a_name_does_no_harm(services: Services, desk: Desk) -> None:
    numbered = [["", *ROWS[0]], *([str(number), *row] for number, row in enumerate(ROWS[1:], 1))]
    assert "It would change 4 sessions." in desk.get(read(services, send(desk, text=pasted(numbered)))).text


def test_a_no_to_a_table_is_no_no_to_the_calendar(
    office: Office, services: Services, desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "series.ics"
    file.write_bytes(as_calendar(*weekly(4)))
    import_series(services, SERIES, str(file), by_hand=True)
    rows = [ROWS[0], *([*row[:3], f"Week {number}", ""] for number, row in enumerate(ROWS[1:4], 1))]
    read(services, send(desk, text=pasted(rows)))
    digest = desk.get(HELD).text.partition('name="digest" value="')[2].partition('"')[0]
    desk.send(HELD, HELD, digest=digest, answer="no")
    assert "Nothing waits" in desk.get(HELD).text
    file.write_bytes(as_calendar(*weekly(4)[:3]))
    imported = import_series(services, replace(SERIES, source=str(file)), str(file))
    assert (imported.changed, imported.refused) == (1, None)
    with office.database.read() as connection:
        assert find_series(connection, SERIES.slug).source == str(file)


def test_a_table_that_came_too_late_says_what_to_do(office: Office, services: Services, desk: Desk) -> None:
    read(services, send(desk, text=pasted(ROWS)))
    digest = desk.get(HELD).text.partition('name="digest" value="')[2].partition('"')[0]
    office.jump(timedelta(days=8))
    desk.sign_in()
    refused = desk.send(HELD, HELD, digest=digest, answer="yes")
    assert (refused.status_code, "upload the table once more" in refused.text) == (409, True)


def test_what_the_worker_did_not_finish_says_what_to_do(office: Office, desk: Desk) -> None:
    sent = send(desk, text=pasted(ROWS))
    office.jump(timedelta(minutes=10))
    page = desk.get(sent.headers["Location"].partition("8999")[2])
    assert "Refresh" not in page.headers
    assert "upload it once more" in page.text
    assert send(desk, text=pasted(ROWS)).status_code == 303


def test_a_late_worker_does_not_drop_the_next_table(services: Services, office: Office, desk: Desk) -> None:
    first = send(desk, text=pasted(ROWS[:2]))
    office.jump(timedelta(minutes=10))
    second = send(desk, text=pasted(ROWS))
    read(services, first)
    assert "It would change 4 sessions." in desk.get(read(services, second)).text


def test_an_empty_form_is_refused(desk: Desk) -> None:
    refused = send(desk)
    assert (refused.status_code, "paste a table" in refused.text) == (422, True)


def test_two_at_once_take_turns(desk: Desk) -> None:
    assert send(desk, text=pasted(ROWS)).status_code == 303
    again = send(desk, text=pasted(ROWS))
    assert (again.status_code, "Week 1" in again.text) == (409, True)


def test_a_file_that_is_too_large_is_refused(desk: Desk) -> None:
    assert send(desk, file=(b"x" * 300_000, "plan.csv")).status_code == 413


def test_only_a_coordinator_uploads(office: Office, services: Services) -> None:
    browser = office.new_browser()
    browser.sign_in(LMS_ADMIN)
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE, data={"pasted": "x"}, headers=OURS).status_code == 403


def test_a_run_of_something_else_is_not_shown(services: Services, desk: Desk) -> None:
    run_id = jobs.begin(services, "calendar", SERIES.slug, slot="x")
    assert desk.get(f"{PAGE}{run_id}").status_code == 404
    assert desk.get(f"{PAGE}999").status_code == 404


def test_a_link_to_where_no_meeting_may_be_is_told_before_the_yes(services: Services, desk: Desk) -> None:
    with services.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by="staff 1", now=services.clock.now())
    links = ["Join link", "https://zoom.us/j/1", "https://elsewhere.example/2", "", ""]
    read(services, send(desk, text=pasted([[*row, link] for row, link in zip(ROWS, links, strict=True)])))
    shown = desk.get(HELD).text
    assert shown.count("Its join link there leads to elsewhere.example") == 1
