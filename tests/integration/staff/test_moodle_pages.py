"""The pages of the Moodles: how each goes, the runs of each job, and "run now"."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from series.moodle_jobs import Level, MoodleJob
from series.store import runs
from series.store.database import Database
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, note_failure, save_connection
from series.store.moodle_jobs import ABANDONED_AFTER, begin_job, end_job
from series.store.moodle_tables import moodle_job
from series.store.tables import course, mirror, university
from tests.examples import SERIES, weekly
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, form_token, path_of
from tests.seeds import ENCRYPTION_KEY

ALL, MALTA, VILNIUS = "/admin/moodle/", "/admin/moodle/malta/", "/admin/moodle/vilnius/"
RUN_MIRROR = "/admin/moodle/malta/run/mirror"
MIRROR_RUNS = "/admin/moodle/malta/runs/mirror"
MIRROR = MoodleJob.MIRROR
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(office: Office, signed_in: Desk) -> Desk:
    """The coordinator; Malta is connected, with the series in one course, and nothing due for an hour."""
    connect(office)
    plan_all(office, now(office) + 60 * MINUTE)
    return signed_in


@pytest.fixture
def lms_admin(office: Office) -> Desk:
    """Of Vilnius, which is not connected."""
    browser = office.new_browser()
    browser.sign_in(LMS_ADMIN)
    return browser


def now(office: Office) -> datetime:
    return office.tool.clock.now()


def connect(office: Office, university_id: int = 1, level: Level = Level.COMPLETIONS) -> None:
    new = NewConnection(
        university_id=university_id,
        base_url="https://moodle.malta.example",
        token="a token that is shown to nobody",
        moodle_user_id=3,
        level=level,
        site_name="Malta <Moodle>",
    )
    with office.database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=now(office))
        tie_course(
            connection,
            university_id=university_id,
            moodle_course_id=42,
            title="STEM",
            series_id=SERIES.series_id,
            now=now(office),
        )


def plan_all(office: Office, at: datetime) -> None:
    with office.database.write() as connection:
        connection.execute(sa.update(moodle_job).values(next_at=at, asked_at=None))


def run(
    office: Office, job: MoodleJob = MIRROR, *, counts: dict[str, int] | None = None, reason: str | None = None
) -> None:
    """One that took three seconds and two calls; without counts and reason, a quiet one."""
    at = now(office)
    with office.database.write() as connection:
        run_id = begin_job(connection, 1, "malta", job, slot=runs.slot_by_hand(), now=at)
        assert run_id is not None
        at += timedelta(seconds=3)
        outcome = "failed" if reason and not counts else "done"
        end_job(connection, 1, job, failed=outcome == "failed", interval=60 * MINUTE, jitter=0.0, now=at)
        if counts is None and reason is None:
            runs.drop_run(connection, run_id)
        else:
            runs.end_run(connection, run_id, outcome=outcome, counts=counts or {}, reason=reason, calls=2, now=at)


def fail(office: Office) -> None:
    with office.database.write() as connection:
        note_failure(connection, 1, reason="<Moodle> gave no answer.", retry_after_s=None, jitter=0.0, now=now(office))


def jobs(database: Database) -> dict[str, datetime]:
    with database.read() as connection:
        return {row.job: row.next_at for row in connection.execute(sa.select(moodle_job))}


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


# Who may


@pytest.mark.parametrize("path", [ALL, MALTA, MIRROR_RUNS])
def test_nobody_sees_them_who_is_not_signed_in(office: Office, browser: Desk, path: str) -> None:
    connect(office)
    assert path_of(browser.get(path)) == f"/admin/sign-in?next={path}"


def test_an_lms_admin_comes_to_the_own_university_and_to_no_other(desk: Desk, lms_admin: Desk) -> None:
    assert path_of(lms_admin.get(ALL)) == VILNIUS
    page = lms_admin.get(VILNIUS)
    assert (page.status_code, ALL + '">All universities' in page.text) == (200, False)
    for path in (MALTA, MIRROR_RUNS):
        refused = lms_admin.get(path)
        assert (refused.status_code, "moodle.malta.example" in refused.text) == (403, False)


def test_an_lms_admin_runs_nothing_at_another_university(office: Office, desk: Desk, lms_admin: Desk) -> None:
    connect(office, 2)
    plan_all(office, now(office) + 60 * MINUTE)
    before = jobs(office.database)
    token = form_token(lms_admin.get(VILNIUS).text, RUN_MIRROR.replace("malta", "vilnius"))
    assert lms_admin.post(RUN_MIRROR, data={"form_token": token}, headers=OURS).status_code == 403
    assert jobs(office.database) == before


@pytest.mark.parametrize(
    "path",
    [
        "/admin/moodle/nowhere/",
        "/admin/moodle/mal%00ta/",
        "/admin/moodle/malta/runs/tidy",
        "/admin/moodle/vilnius/runs/mirror",
        f"/admin/moodle/{'x' * 3000}/",
    ],
)
def test_what_is_not_there_is_said_so(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 404


# All universities


def test_the_coordinator_sees_how_each_goes(office: Office, desk: Desk) -> None:
    run(office, counts={"created": 3})
    page = text_of(desk.get(ALL).text)
    assert "2 universities" in page
    assert "University of Malta Launches, the course calendars and completions It works." in page
    assert "Vilnius University Not connected: launches and the calendar feed work without." in page


def test_a_site_that_does_not_work_is_said_with_its_reason_and_until_when(office: Office, desk: Desk) -> None:
    fail(office)
    page = desk.get(ALL).text
    assert "It does not work." in page
    assert re.search(r"Not since [^.;]*\(Malta\); it is left alone until [^.;]*\(Malta\)\.", page)
    assert "&lt;Moodle&gt; gave no answer." in page
    office.jump(2 * MINUTE)
    assert "it is being tried again now." in desk.get(ALL).text


def test_one_job_that_fails_makes_a_gap_and_no_more(office: Office, desk: Desk) -> None:
    run(office, counts={"created": 1}, reason="“Week 7” was refused.")
    assert "It works, but not everything does." in desk.get(ALL).text
    office.jump(MINUTE)
    run(office)
    assert "It works." in desk.get(ALL).text, "a later run had nothing to do"


def test_many_universities_are_found_by_name_and_by_page(office: Office, desk: Desk) -> None:
    with office.database.write() as connection:
        many = [
            {"slug": f"u{n}", "name": f"Ünïversity 100% {n:03}", "country": "DE", "time_zone": "UTC", "language": "de"}
            for n in range(120)
        ]
        connection.execute(sa.insert(university), many)
    assert "122 universities · page 1 of 3" in text_of(desk.get(ALL).text)
    third = desk.get(ALL + "?page=3").text
    assert "page=2" in third
    assert len(re.findall('<th scope="row"', third)) == 22
    assert "1 university" in text_of(desk.get(ALL + "?q=100% 117").text)
    assert "1 university" in text_of(desk.get(ALL + "?q=VILN").text)


@pytest.mark.parametrize("query", ["q=%25%25%00", "page=99999999999999999999", "page=-3", "page=x", f"q={'x' * 5000}"])
def test_any_search_is_answered(desk: Desk, query: str) -> None:
    assert desk.get(f"{ALL}?{query}").status_code == 200


def test_the_list_asks_the_database_as_often_for_many_as_for_one(office: Office, desk: Desk) -> None:
    asked: list[str] = []
    sa.event.listen(
        office.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement)
    )
    desk.get(ALL)
    with_one = len(asked)
    connect(office, 2)
    asked.clear()
    desk.get(ALL)
    assert len(asked) == with_one


# One university


def test_a_university_shows_its_site_its_jobs_and_its_courses(office: Office, desk: Desk) -> None:
    with office.database.write() as connection:
        course_id = connection.execute(sa.select(course.c.id)).scalar_one()
        ids = [session.session_id for session in weekly(2)]
        connection.execute(
            sa.insert(mirror),
            [
                {
                    "course_id": course_id,
                    "session_id": session_id,
                    "event_id": event_id,
                    "fingerprint": "",
                    "updated_at": now(office),
                }
                for session_id, event_id in zip(ids, (7, None), strict=True)
            ],
        )
    run(office, counts={"created": 1, "frobnicated": 2})
    page = desk.get(MALTA).text
    assert "Malta &lt;Moodle&gt;" in page
    assert "a token that is shown to nobody" not in page
    text = text_of(page)
    assert "done, 3 seconds, 2 calls 1 event created, 2 frobnicated" in text
    assert f"STEM 42 {SERIES.title} 1 " in text
    assert len(re.findall(r'action="/admin/moodle/malta/run/', page)) == 6


def test_a_university_without_a_connection_is_told_what_works_without(lms_admin: Desk) -> None:
    page = lms_admin.get(VILNIUS).text
    assert "Not connected: launches and the calendar feed work without." in page
    assert "/run/" not in page


def test_what_the_last_run_said_stands_at_its_job(office: Office, desk: Desk) -> None:
    run(office, MoodleJob.CHECK, counts={"wrong": 2}, reason="No forum <b>here</b>.\nThe clock is wrong.")
    page = desk.get(MALTA).text
    assert "<li>No forum &lt;b&gt;here&lt;/b&gt;.</li><li>The clock is wrong.</li>" in page
    run(office, reason="An error of ours.")
    office.jump(MINUTE)
    run(office, reason="An error of ours.")
    assert "It has failed 2 times in a row, and is tried less often." in desk.get(MALTA).text


def test_the_part_that_moves_is_another_one_when_something_has_moved(office: Office, desk: Desk) -> None:
    def mark() -> str:
        found = re.search(r'id="goes" data-refresh="([^"]*)"', desk.get(MALTA).text)
        assert found
        return found[1]

    before = mark()
    assert mark() == before
    run(office, counts={"created": 1})
    assert mark() != before


def test_a_run_that_is_under_way_is_said_so_and_cannot_be_asked_for(office: Office, desk: Desk) -> None:
    with office.database.write() as connection:
        begin_job(connection, 1, "malta", MIRROR, slot="1", now=now(office))
    page = desk.get(MALTA).text
    assert "under way" in page
    assert f'action="{RUN_MIRROR}"' not in page


def test_a_run_whose_worker_died_can_be_asked_for_again(office: Office, desk: Desk) -> None:
    run(office)
    with office.database.write() as connection:
        begin_job(connection, 1, "malta", MIRROR, slot="1", now=now(office))
    office.jump(ABANDONED_AFTER + MINUTE)
    assert path_of(desk.send(MALTA, RUN_MIRROR)) == f"{MALTA}?asked=mirror"


# Run now


def test_run_now_asks_for_the_job_ends_the_pause_and_is_in_the_audit(office: Office, desk: Desk) -> None:
    fail(office)
    answered = desk.send(MALTA, RUN_MIRROR)
    assert path_of(answered) == f"{MALTA}?asked=mirror"
    assert answered.location.endswith("#jobs")
    planned = jobs(office.database)
    assert planned["mirror"] <= now(office) < planned["sweep"]
    assert office.audit()[-1][1:] == ("run_moodle_job", '{"job": "mirror"}')
    page = text_of(desk.get(f"{MALTA}?asked=mirror").text)
    assert "Asked for: “Bring what has changed into the course calendars”." in page
    assert "within seconds, while the worker runs" in page
    assert "It does not work" not in page


def test_run_now_needs_its_own_form(office: Office, desk: Desk) -> None:
    before = jobs(office.database)
    sweep = form_token(desk.get(MALTA).text, RUN_MIRROR.replace("mirror", "sweep"))
    for data in ({}, {"form_token": sweep}, {"form_token": "ä\0"}):
        assert desk.post(RUN_MIRROR, data=data, headers=OURS).status_code == 403
    assert desk.get(RUN_MIRROR).status_code == 405
    assert jobs(office.database) == before


def test_run_now_of_what_is_not_of_the_level_is_refused_in_words(office: Office, desk: Desk) -> None:
    path = RUN_MIRROR.replace("mirror", "collect")
    token = form_token(desk.get(MALTA).text, path)
    connect(office, level=Level.CALENDAR)
    audited = office.audit()
    refused = desk.post(path, data={"form_token": token}, headers=OURS)
    assert (refused.status_code, "was not asked for" in refused.text) == (409, True)
    assert office.audit() == audited


# The runs of a job


def test_the_runs_of_a_job_are_listed_in_words(office: Office, desk: Desk) -> None:
    run(office, counts={"created": 2, "repaired": 1})
    run(office, reason="No <answer>.")
    run(office, MoodleJob.SWEEP, counts={"doubles": 5})
    text = text_of(desk.get(MIRROR_RUNS).text)
    assert "failed 3 seconds 2 nothing changed No &lt;answer&gt;." in text
    assert "done 3 seconds 2 2 events created, 1 event repaired" in text
    assert "double" not in text


def test_without_a_listed_run_it_is_said_when_it_last_ran(office: Office, desk: Desk) -> None:
    run(office)
    text = text_of(desk.get(MIRROR_RUNS).text)
    assert "No run is listed" in text
    assert re.search(r"Last run \d+ \w+ \d{4}, \d\d:\d\d \(Malta\)", text)


def test_the_first_page_of_staff_leads_there(desk: Desk, lms_admin: Desk) -> None:
    assert f'href="{ALL}"' in desk.get("/admin/").text
    assert f'href="{VILNIUS}"' in lms_admin.get("/admin/").text
