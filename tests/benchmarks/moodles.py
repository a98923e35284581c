"""What it costs to keep thirteen Moodles right: calls and seconds, beside the naive way.

Thirteen universities with 300 students and 13 sessions each; the sandbox answers with the latencies that were measured
at a real Moodle. The naive way asks for the completion of one student after the other.
"""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from msgspec import structs

from lms.moodle_course import UserCompletions
from moodle_sync import moodle_runs
from moodle_sync.moodle_lanes import AT_DATABASE
from moodle_sync.services import Services, make_services
from sandbox_lms.completion import COMPLETE, complete
from sandbox_lms.course_access import note_access
from sandbox_lms.course_modules import CourseModule, add_module
from sandbox_lms.made_up import made_up_campus
from sandbox_lms.site import Site
from series.moodle_jobs import Level, MoodleJob
from series.rule import CHECK_IN, Demand, Kind, Rule
from series.sessions import Session
from series.store.database import Connection
from series.store.keys import add_tool_key
from series.store.launches import open_visit, upsert_participant
from series.store.mapped_activities import NewMapping, map_activity
from series.store.mirrors import mirrored_courses, tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.runs import slot_by_hand
from series.store.sessions import add_series, change_session, save_import
from series.store.universities import add_platform, add_university
from tests.conftest import make_settings
from tests.examples import SERIES, SESSION, moved, weekly
from tests.integration.sandbox_client import TOOL_KEY, World, campus_platform
from tests.seeds import ENCRYPTION_KEY, LAUNCH, SECRET_KEY

STUDENTS, CHANGED, SESSION_COUNT, AUTOMATIC = 300, 10, 13, 2
WRITES = ("core_calendar_create_calendar_events", "core_calendar_submit_create_update_form")
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Done:
    """Of one job: calls at each university, of which `writes`; `seconds` at one alone; `counts` of all together."""

    calls: list[int]
    writes: list[int]
    seconds: float
    counts: dict[str, int]

    def words(self) -> str:
        return f"{max(self.calls):>6}{self.seconds:>10.2f}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`limit`: of calls at each university, which must hold; None where there is none."""

    name: str
    done: Done
    limit: int | None = None
    naive: Done | None = None
    made: int = 0  # what must have come of it, at each university

    @property
    def holds(self) -> bool:
        return self.limit is None or max(self.done.calls) <= self.limit

    def words(self) -> str:
        naive = self.naive.words() if self.naive else " " * 16
        ratio = f"{max(self.naive.calls) / max(self.done.calls):>8.0f}" if self.naive else " " * 8
        limit = "" if self.limit is None else f"   {'at most' if self.holds else 'MORE THAN'} {self.limit}"
        return f"{self.name:44}{self.done.words()}{naive}{ratio}{limit}"


@dataclass(frozen=True, kw_only=True)
class Scene:
    world: World
    services: Services
    sessions: list[Session]
    activities: dict[str, list[CourseModule]]

    @property
    def sites(self) -> list[Site]:
        return list(self.world.sandbox.sites.values())


def measure(folder: Path, database_url: str, *, universities: int = 13, students: int = STUDENTS) -> list[Row]:
    with _open(folder, database_url, universities=universities, students=students) as scene:
        return list(_rows(scene, students))


def table(rows: Iterable[Row], *, universities: int, students: int) -> str:
    head = f"{universities} Moodles, {students} students, {SESSION_COUNT} sessions, {SESSION_COUNT} activities each\n\n"
    columns = f"{'at each university':44}{'calls':>6}{'s':>10}{'naive':>6}{'s':>10}{'ratio':>8}\n"
    return head + columns + "\n".join(row.words() for row in rows)


def _rows(scene: Scene, students: int) -> Iterator[Row]:
    first = _everywhere(scene, MoodleJob.MIRROR)
    yield Row(name="first mirror of 13 sessions", done=replace(first, calls=first.writes), limit=2)
    yield Row(name="mirror, nothing changed", done=_everywhere(scene, MoodleJob.MIRROR), limit=0)
    _move(scene, scene.sessions[5])
    yield Row(name="mirror, one session moved", done=_everywhere(scene, MoodleJob.MIRROR))
    yield Row(name="calendar compared whole", done=_everywhere(scene, MoodleJob.SWEEP), limit=1)

    naive = _naive(scene, students)
    _someone_completes(scene, range(students // 2), activity=0)
    full = _everywhere(scene, MoodleJob.RECOLLECT)
    yield Row(name=f"completions of all {students}", done=full, naive=naive)
    scene.world.advance(3600)
    _everywhere(scene, MoodleJob.COLLECT)
    scene.world.advance(3600)
    # One line item: at most one call for it, and one for each student who has moved.
    yield Row(name="completions, nobody has moved", done=_everywhere(scene, MoodleJob.COLLECT), naive=naive, limit=1)
    scene.world.advance(3600)
    changed = min(CHANGED, students)
    _someone_completes(scene, range(changed), activity=1)
    some = _everywhere(scene, MoodleJob.COLLECT)
    assert some.counts["completed"] == changed * len(scene.sites), some.counts
    yield Row(name=f"completions, {changed} have moved", done=some, naive=naive, limit=1 + changed)


def _everywhere(scene: Scene, job: MoodleJob) -> Done:
    """At one alone, whose time is counted; and then at all others at once, as the worker does it."""
    for site in scene.sites:
        site.journal.clear()
    in_turns = replace(scene.services, database=scene.services.database.in_turns(AT_DATABASE))

    def run(site: Site) -> tuple[moodle_runs.Came, float]:
        connected = moodle_runs.connection_of(scene.services, site.slug)
        assert connected is not None
        run_id = moodle_runs.begin(scene.services, connected, job, slot=slot_by_hand())
        assert run_id is not None
        begun = time.perf_counter()
        came = moodle_runs.run_job(in_turns, job, run_id)
        assert not came.problems, came.problems
        return came, time.perf_counter() - begun

    first, *others = scene.sites
    done = [run(first)]
    with ThreadPoolExecutor(len(others)) as threads:
        done += threads.map(run, others)
    counts: dict[str, int] = {}
    for came, _ in done:
        for what, count in came.counts.items():
            counts[what] = counts.get(what, 0) + count
    return Done(
        calls=[came.calls for came, _ in done],
        writes=[sum(entry.function in WRITES for entry in site.journal.entries()) for site in scene.sites],
        seconds=done[0][1],
        counts=counts,
    )


def _naive(scene: Scene, students: int) -> Done:
    """One call a student, at one university, with nobody else to share the machine with."""
    site = scene.sites[0]
    connected = moodle_runs.connection_of(scene.services, site.slug)
    assert connected is not None
    access = moodle_runs.access_to(replace(scene.services, moodle_pace=_NoPace()), connected)  # type: ignore[arg-type]
    begun = time.perf_counter()
    ids = [person.user_id for person in site.campus.students]
    answers = access.moodle.completions(site.campus.course_id, ids, batched=False)
    assert sum(isinstance(answer, UserCompletions) for answer in answers) == students
    return Done(calls=[access.calls], writes=[0], seconds=time.perf_counter() - begun, counts={})


class _NoPace:
    def wait_s(self, _: object) -> float:
        return 0.0


def _someone_completes(scene: Scene, numbers: Iterable[int], *, activity: int) -> None:
    for site in scene.sites:
        for number in numbers:
            person = site.campus.students[number]
            note_access(site, person)
            complete(site, scene.activities[site.slug][activity], person.user_id, COMPLETE)


def _move(scene: Scene, session: Session) -> None:
    now = scene.services.clock.now()
    with scene.services.database.write() as connection:
        change_session(
            connection, replace(moved(session, DAY), moved_from_at=session.start_at, sequence=1), by="staff 1", now=now
        )


@contextmanager
def _open(folder: Path, database_url: str, *, universities: int, students: int) -> Iterator[Scene]:
    folder.mkdir(parents=True, exist_ok=True)
    campuses = [made_up_campus(number, students=students) for number in range(1, universities + 1)]
    with World(folder, campuses) as world:
        settings = replace(make_settings(database_url), public_url=world.tool_url, clock_file=world.clock.offset_file)
        services = make_services(settings)
        try:
            sessions = _fill(services)
            with services.database.write() as connection:
                activities = {
                    site.slug: _fill_campus(connection, site, sessions, services.clock.now())
                    for site in world.sandbox.sites.values()
                }
            for switches in world.sandbox.switches.values():
                switches.set(latency_scale=1)
            yield Scene(world=world, services=services, sessions=sessions, activities=activities)
        finally:
            services.http.close()
            services.database.dispose()


def _fill(services: Services) -> list[Session]:
    now = services.clock.now()
    by = now.replace(minute=0, second=0, microsecond=0) + DAY - SESSION.start_at
    sessions = [
        replace(moved(session, by), hosting_university=None, hosting_university_id=None)
        for session in weekly(SESSION_COUNT)
    ]
    new = [(session, (str(session.session_id), session.start_at)) for session in sessions]
    pem = TOOL_KEY.as_pem(private=True)
    rule = Rule(ways=(CHECK_IN, (Demand(kind=Kind.LMS),)), required=5)
    with services.database.write() as connection:
        add_series(connection, SERIES, rule=rule, now=now)
        save_import(connection, SERIES.series_id, new=new, changed=(), rekeyed=(), now=now)
        add_tool_key(connection, kid="tool-key", private_key_pem=pem, encryption_key=ENCRYPTION_KEY, now=now)
    return sessions


def _fill_campus(connection: Connection, site: Site, sessions: list[Session], now: datetime) -> list[CourseModule]:
    """Connected, with an activity for each session, and all students known."""
    campus, registration = site.campus, site.campus.registration()
    university_id = add_university(
        connection, slug=site.slug, name=campus.name, country="MT", time_zone=campus.time_zone, language="en"
    )
    platform = campus_platform(campus, site.slug, university_id, product="moodle")
    launch = structs.replace(
        LAUNCH,
        visit_id=uuid4().hex,
        nonce=uuid4().hex,
        platform_id=add_platform(connection, platform, now=now),
        university_id=university_id,
        issuer=registration.issuer,
        sub=campus.students[0].user_id,
        context_id=str(campus.course_id),
        line_item_url=f"{campus.url}/mod/lti/services.php/2/lineitems/4/lineitem?type_id=1",
    )
    connected = NewConnection(
        university_id=university_id,
        base_url=campus.url,
        token=campus.moodle_token,
        moodle_user_id=campus.moodle_user_id,
        level=Level.COMPLETIONS,
    )
    save_connection(connection, connected, encryption_key=ENCRYPTION_KEY, now=now)
    open_visit(connection, launch, now=now, secret_key=SECRET_KEY)
    tie_course(
        connection,
        university_id=university_id,
        moodle_course_id=campus.course_id,
        title=campus.course_title,
        series_id=SERIES.series_id,
        now=now,
    )
    for person in campus.students:
        upsert_participant(
            connection, university_id=university_id, issuer=registration.issuer, sub=person.user_id, now=now
        )
    (course,) = mirrored_courses(connection, university_id)
    activities = [add_module(site, "page", f"Reading {number}", AUTOMATIC) for number in range(1, len(sessions) + 1)]
    for activity, session in zip(activities, sessions, strict=True):
        new = NewMapping(
            cmid=activity.cmid, session_id=session.session_id, module="page", name=activity.name, by="operator"
        )
        map_activity(connection, course.course_id, new, now=now)
    return activities
