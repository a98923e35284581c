"""A course whose Moodle meets faults at any call: the real client, jobs and store at the sandbox, in one process."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copy
from sqlite3 import connect
from uuid import UUID

import responses

from config.clock import Clock
from lms.moodle_events import safe_event_name
from moodle_sync import moodle_runs
from moodle_sync.mirror_sessions import plan_university
from moodle_sync.plan_mirrors import Target, wanted_event
from moodle_sync.services import Services, make_services
from sandbox_lms.calendar import Event, all_events, delete_event, put_event
from series.limits import Limit, Pace
from series.mirrors import Mirror
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.rule import Rule
from series.sessions import Series, Session
from series.store.database import Connection, Database
from series.store.mirrors import hide_series, mirrored_courses, mirrors_of, tie_course
from series.store.moodle_clocks import hurry_all
from series.store.moodle_connections import MoodleConnection, NewConnection, save_connection
from series.store.moodle_jobs import ABANDONED_AFTER, DueJob, PlannedJob, due_jobs, planned_jobs
from series.store.runs import slot_by_hand
from series.store.schema import installation_id
from series.store.sessions import add_series, add_session, change_session
from tests.conftest import NOW, make_settings
from tests.examples import MALTA, SERIES
from tests.integration.in_process_moodle import Fault, InProcessMoodle, Killed
from tests.seeds import ENCRYPTION_KEY, seed

OTHER_SERIES = replace(SERIES, series_id=UUID(int=SERIES.series_id.int + 1), slug="guests", title="Guest lectures")
UNPACED = Limit(burst=1_000_000_000, every_s=1e-9)
TEACHER = 8


class QuickDatabase(Database):
    """The machine does not fail in a test; nobody waits for the disk."""

    def write(self, *, wait_for_disk: bool = True) -> AbstractContextManager[Connection]:
        return super().write(wait_for_disk=False)


@dataclass(frozen=True)
class HandClock(Clock):
    """Stands still until it is set."""

    times: list[datetime] = field(default_factory=lambda: [NOW])

    def now(self) -> datetime:
        return self.times[-1]

    def offset(self) -> timedelta:
        return timedelta(0)


class FaultyMoodle(InProcessMoodle):
    """The first calls meet `faults`, one each. What is late takes effect right before the calls `late_before`, and
    never later than we say that it may."""

    faults: Sequence[Fault | None] = ()
    late_before: frozenset[int] = frozenset()
    late_since: datetime | None = None

    def fault(self, function: str, call_number: int) -> Fault | None:
        if call_number in self.late_before:
            self.let_late_ones_through()
        found = self.faults[call_number - 1] if call_number <= len(self.faults) else None
        if found is Fault.LATE and self.late_since is None:
            self.late_since = self.site.now()
        return found

    def let_late_ones_through(self) -> None:
        self.late_since = None
        super().let_late_ones_through()


@dataclass(kw_only=True)
class FaultyCourse:
    """Malta's course. `template`: our database before anything is in it but the university."""

    moodle: FaultyMoodle
    clock: HandClock
    template: Path
    services: Services
    foreign: list[Event] = field(default_factory=list)

    # What people do

    def show(self, series: Series) -> None:
        with self.services.database.write() as connection:
            tie_course(
                connection,
                university_id=MALTA.university_id,
                moodle_course_id=self.moodle.site.campus.course_id,
                title="",
                series_id=series.series_id,
                now=self.clock.now(),
            )

    def hide(self, series: Series) -> None:
        with self.services.database.write() as connection:
            for course in mirrored_courses(connection, MALTA.university_id):
                hide_series(connection, course.course_id, series.series_id, now=self.clock.now())

    def add(self, session: Session) -> None:
        with self.services.database.write() as connection:
            add_session(connection, session, now=self.clock.now())

    def change(self, session: Session) -> None:
        with self.services.database.write() as connection:
            change_session(connection, session, by="staff 1", now=self.clock.now())

    def edit(self, event: Event) -> None:
        """By hand, in Moodle."""
        with self.moodle.site.database.write() as connection:
            put_event(connection, self.moodle.site, event)

    def remove(self, event: Event) -> None:
        with self.moodle.site.database.write() as connection:
            delete_event(connection, self.moodle.site, event.event_id)

    def advance(self, by: timedelta) -> None:
        late_since = self.moodle.late_since
        if late_since is not None and self.clock.now() + by >= late_since + LATE_EFFECT:
            self.moodle.let_late_ones_through()
        self.clock.times.append(self.clock.now() + by)

    def put_clock_back(self, by: timedelta) -> None:
        """The worker sees it, and takes what was given up by the old clock for given up now."""
        self.clock.times.append(self.clock.now() - by)
        if self.moodle.late_since is not None:
            self.moodle.late_since = self.clock.now()
        with self.services.database.write() as connection:
            hurry_all(connection, now=self.clock.now())

    # What the worker does

    def run(self, job: MoodleJob) -> moodle_runs.Came | None:
        """By hand. None when the worker was killed."""
        run_id = moodle_runs.begin(self.services, self.connection(), job, slot=slot_by_hand())
        return self._run(job, run_id) if run_id is not None else None

    def run_planned(self, due: DueJob) -> moodle_runs.Came | None:
        """As the worker's lanes do it. None when the worker was killed."""
        run_id = moodle_runs.begin_planned(self.services, due)
        assert run_id is not None
        return self._run(due.job, run_id)

    def _run(self, job: MoodleJob, run_id: int) -> moodle_runs.Came | None:
        try:
            return moodle_runs.run_job(self.services, job, run_id)
        except Killed:
            self.advance(ABANDONED_AFTER + timedelta(minutes=1))
            return None

    def run_what_is_due(self, until: datetime) -> None:
        """As the worker does it, until nothing is left but what comes every few minutes or hours."""
        while self.is_unsettled():
            if due := self.due():
                self.run_planned(due[0])
            else:
                self.advance(timedelta(minutes=2))
            assert self.clock.now() < until, "it takes too long"

    def due(self) -> list[DueJob]:
        jobs, now = (MoodleJob.MIRROR, MoodleJob.SWEEP), self.clock.now()
        with self.services.database.read() as connection:
            return [
                one
                for are_suspect in (False, True)
                for one in due_jobs(connection, now=now, limit=9, are_suspect=are_suspect, jobs=jobs)
            ]

    def is_unsettled(self) -> bool:
        plans = plan_university(self.services, self.connection())
        return self.planned(MoodleJob.SWEEP).again_at is not None or any(not one.plan.is_empty for one in plans)

    def planned(self, job: MoodleJob) -> PlannedJob:
        with self.services.database.read() as connection:
            return next(one for one in planned_jobs(connection, MALTA.university_id) if one.job is job)

    def connection(self) -> MoodleConnection:
        found = moodle_runs.connection_of(self.services, MALTA.slug)
        assert found is not None
        return found

    # What there is

    def events(self) -> list[Event]:
        """Not the foreign ones."""
        foreign = {event.event_id for event in self.foreign}
        with self.moodle.site.database.read() as connection:
            return [event for event in all_events(connection, self.moodle.site) if event.event_id not in foreign]

    def events_of(self, session: Session) -> list[Event]:
        return [event for event in self.events() if f"/s/{session.session_id}?i=" in event.description]

    def foreign_now(self) -> list[Event]:
        foreign = {event.event_id for event in self.foreign}
        with self.moodle.site.database.read() as connection:
            return [event for event in all_events(connection, self.moodle.site) if event.event_id in foreign]

    def mirror_of(self, session: Session) -> Mirror | None:
        with self.services.database.read() as connection:
            mirrors = [
                mirror
                for course in mirrored_courses(connection, MALTA.university_id)
                for mirror in mirrors_of(connection, course.course_id)
            ]
        return next((mirror for mirror in mirrors if mirror.session_id == session.session_id), None)

    def target(self) -> Target:
        with self.services.database.read() as connection:
            installation = installation_id(connection)
        return Target(
            course_id=self.moodle.site.campus.course_id,
            public_url=self.services.settings.public_url,
            installation_id=installation,
        )

    def is_right(self, session: Session, event: Event) -> bool:
        """Whether a person sees what the plan says."""
        draft = wanted_event(session, target=self.target()).draft
        shown = (event.name, event.description, event.timestart, event.timeduration, event.visible)
        start_s = int(draft.start_at.timestamp())
        return shown == (safe_event_name(draft.name), draft.description, start_s, draft.duration_minutes * 60, 1)

    # From the beginning

    def start_again(self) -> None:
        """An empty calendar but for the events of others, and a database in which nothing is mirrored yet."""
        with (
            closing(self.services.database.engine.raw_connection()) as ours,
            closing(connect(self.template)) as template,
        ):
            template.backup(ours.driver_connection)
        self.moodle.start_again()
        self.moodle.faults, self.moodle.late_before, self.moodle.late_since = (), frozenset(), None
        self.clock.times[:] = [NOW]
        self.foreign = []

    def add_foreign(self, session: Session) -> None:
        """A teacher's own event, a teacher's copy of ours, and what another installation of ours has made."""
        draft = wanted_event(session, target=self.target()).draft
        ours = Event(
            event_id=900,
            name=draft.name,
            description=draft.description,
            format=1,
            course_id=draft.course_id,
            user_id=self.moodle.site.campus.moodle_user_id,
            repeat_id=0,
            event_type="course",
            timestart=int(draft.start_at.timestamp()),
            timeduration=draft.duration_minutes * 60,
            visible=1,
            sequence=1,
            location="",
            timemodified=1,
        )
        self.foreign = [
            replace(ours, description="<p>Bring a pencil.</p>", user_id=TEACHER),
            replace(ours, event_id=901, user_id=TEACHER),
            replace(ours, event_id=902, description=draft.description.replace("?i=", "?i=0")),
            replace(ours, event_id=903, description="<p>By our account, without a link.</p>"),
        ]
        for event in self.foreign:
            self.edit(event)


@contextmanager
def open_course(folder: Path, database_url: str) -> Iterator[FaultyCourse]:
    """Within it, nothing else answers HTTP."""
    clock = HandClock()
    settings = replace(make_settings(database_url), public_url="http://localhost:8000")
    services = replace(
        make_services(settings),
        clock=clock,
        database=QuickDatabase(database_url),
        moodle_pace=Pace(UNPACED, lambda: 0.0),
    )
    moodle = FaultyMoodle(folder, clock=clock)
    seed(services.database, sessions=[])
    with services.database.write() as connection:
        add_series(connection, OTHER_SERIES, rule=Rule(), now=NOW)
        new = NewConnection(
            university_id=MALTA.university_id,
            base_url=moodle.url,
            token=moodle.site.campus.moodle_token,
            moodle_user_id=moodle.site.campus.moodle_user_id,
        )
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
    services.database.dispose()
    template = folder / "template.db"
    copy(database_url.removeprefix("sqlite:///"), template)
    course = FaultyCourse(moodle=moodle, clock=clock, template=template, services=services)
    course.start_again()
    with (
        responses.mock,
        closing(connect(moodle.site.database.path)) as kept_open,
    ):  # so that it is not tidied up each time
        kept_open.execute("SELECT 1 FROM event").fetchall()
        moodle.play()
        yield course
    services.database.dispose()
    services.http.close()
