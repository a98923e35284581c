"""How each university's Moodle goes, for those who look after it. No token is opened here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.moodle_jobs import Level, MoodleJob
from series.people import University
from series.store.moodle_jobs import ABANDONED_AFTER
from series.store.moodle_tables import moodle_job
from series.store.runs import SyncRun, run_of_row
from series.store.tables import course, course_series, mirror, moodle_connection, series, sync_run, university
from series.store.universities import university_of_row


@dataclass(frozen=True, kw_only=True)
class SiteState:
    """A connected Moodle. `failures`: in a row; while it is left alone, until `paused_until`."""

    base_url: str
    site_name: str
    level: Level
    connected_at: datetime | None
    failures: int
    failing_since: datetime | None
    paused_until: datetime | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class JobState:
    """`ran_at`: when it last ended, also with nothing to do; `last`: the last run that left a row."""

    job: MoodleJob
    next_at: datetime
    failures: int
    ran_at: datetime | None
    last: SyncRun | None

    def is_running(self, now: datetime) -> bool:
        """A run that has long said nothing belonged to a worker that died."""
        return self.last is not None and self.last.outcome == "running" and self.last.alive_at >= now - ABANDONED_AFTER

    @property
    def is_told_by_last(self) -> bool:
        """Whether `last` is the last one of all: a later one with nothing to do would have left no row."""
        if self.last is None:
            return False
        return self.ran_at is None or self.last.finished_at is None or self.last.finished_at >= self.ran_at

    @property
    def problem(self) -> str | None:
        """What the last run of all had to say."""
        return self.last.reason if self.last is not None and self.is_told_by_last else None


@dataclass(frozen=True, kw_only=True)
class MoodleState:
    """One university; without `site` it is not connected."""

    university: University
    site: SiteState | None
    jobs: Mapping[MoodleJob, JobState]

    @property
    def has_gaps(self) -> bool:
        return any(job.failures or job.problem for job in self.jobs.values())

    def next_at(self, job: JobState) -> datetime:
        """When it is done, the site's pause included."""
        paused_until = self.site.paused_until if self.site else None
        return max(job.next_at, paused_until) if paused_until else job.next_at


@dataclass(frozen=True, kw_only=True)
class TiedCourse:
    title: str
    moodle_course_id: int
    series_titles: tuple[str, ...]
    events: int
    changed_at: datetime | None  # the last time that one of its events was made or changed


def states(connection: sa.Connection, *, search: str, limit: int, offset: int) -> tuple[list[MoodleState], int]:
    """One page of all universities by name, and how many there are in all; `search`: a part of name or slug."""
    found = sa.or_(
        university.c.name.icontains(search, autoescape=True), university.c.slug.icontains(search, autoescape=True)
    )
    total = connection.execute(sa.select(sa.func.count()).select_from(university).where(found)).scalar_one()
    query = _sites().where(found).order_by(university.c.name, university.c.id).limit(limit).offset(offset)
    return _states(connection, connection.execute(query).all()), total


def connected_states(connection: sa.Connection) -> list[MoodleState]:
    """All that are connected, by slug."""
    query = _sites().where(moodle_connection.c.university_id.is_not(None)).order_by(university.c.slug)
    return _states(connection, connection.execute(query).all())


def state_of(connection: sa.Connection, university_id: int) -> MoodleState:
    """Of a university that is there."""
    (state,) = _states(connection, connection.execute(_sites().where(university.c.id == university_id)).all())
    return state


def tied_courses(connection: sa.Connection, university_id: int) -> list[TiedCourse]:
    """The Moodle courses that show a series, by title."""
    events = (
        sa.select(
            mirror.c.course_id,
            sa.func.count(mirror.c.event_id).label("events"),
            sa.func.max(mirror.c.updated_at).label("changed_at"),
        )
        .group_by(mirror.c.course_id)
        .subquery()
    )
    columns = (course.c.id, course.c.title, course.c.moodle_course_id, events.c.events, events.c.changed_at)
    rows = connection.execute(
        sa.select(*columns, series.c.title.label("series_title"))
        .join(course_series, (course_series.c.course_id == course.c.id) & course_series.c.is_mirrored)
        .join(series, series.c.id == course_series.c.series_id)
        .outerjoin(events, events.c.course_id == course.c.id)
        .where(course.c.university_id == university_id, course.c.moodle_course_id.is_not(None))
        .order_by(course.c.title, course.c.id, series.c.title)
    ).all()
    first_of = {row.id: row for row in reversed(rows)}
    return [
        TiedCourse(
            title=first_of[course_id].title,
            moodle_course_id=first_of[course_id].moodle_course_id,
            series_titles=tuple(row.series_title for row in rows if row.id == course_id),
            events=first_of[course_id].events or 0,
            changed_at=first_of[course_id].changed_at,
        )
        for course_id in dict.fromkeys(row.id for row in rows)
    ]


def _sites() -> sa.Select[Any]:
    columns = ("base_url", "site_name", "level", "connected_at", "failures", "failing_since", "paused_until", "reason")
    return sa.select(university, *(moodle_connection.c[name] for name in columns)).outerjoin(
        moodle_connection, moodle_connection.c.university_id == university.c.id
    )


def _states(connection: sa.Connection, rows: Iterable[Any]) -> list[MoodleState]:
    rows = list(rows)
    jobs = _jobs(connection, [row.id for row in rows])
    return [
        MoodleState(
            university=university_of_row(row), site=_site(row) if row.level else None, jobs=jobs.get(row.id, {})
        )
        for row in rows
    ]


def _jobs(connection: sa.Connection, university_ids: list[int]) -> dict[int, dict[MoodleJob, JobState]]:
    """In the order of MoodleJob. The last run of each is one step in an index."""
    earlier = sync_run.alias()
    last_id = (
        sa.select(sa.func.max(earlier.c.id))
        .where(earlier.c.scope == university.c.slug, earlier.c.job == moodle_job.c.job)
        .scalar_subquery()
    )
    planned = [column.label(f"planned_{column.name}") for column in moodle_job.c]
    rows = connection.execute(
        sa.select(*planned, sync_run)
        .select_from(moodle_job)
        .join(university, university.c.id == moodle_job.c.university_id)
        .outerjoin(sync_run, sync_run.c.id == last_id)
        .where(moodle_job.c.university_id.in_(university_ids), moodle_job.c.job.in_(tuple(MoodleJob)))
    ).all()
    order = list(MoodleJob)
    found: dict[int, dict[MoodleJob, JobState]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: order.index(MoodleJob(row.planned_job))):
        job = MoodleJob(row.planned_job)
        found[row.planned_university_id][job] = JobState(
            job=job,
            next_at=row.planned_next_at,
            failures=row.planned_failures,
            ran_at=row.planned_ran_at,
            last=None if row.id is None else run_of_row(row),
        )
    return found


def _site(row: Any) -> SiteState:
    return SiteState(
        base_url=row.base_url,
        site_name=row.site_name,
        level=Level(row.level),
        connected_at=row.connected_at,
        failures=row.failures,
        failing_since=row.failing_since,
        paused_until=row.paused_until,
        reason=row.reason,
    )
