"""What was planned at Moodles by a clock that has been set since."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from series.moodle_jobs import CLOCKS_DIFFER, LATE_EFFECT, LONGEST_PAUSE_ASKED_FOR, MoodleJob
from series.store.moodle_jobs import lock_jobs
from series.store.moodle_tables import moodle_job
from series.store.runs import IS_RUNNING
from series.store.tables import mirror, moodle_connection, sync_run


def hurry_all(connection: sa.Connection, *, now: datetime) -> None:
    """The clock was set, as in a rehearsal: what is planned by the old one is done now, pauses are over, and who is at
    work has said so by the old clock."""
    _lock_sites(connection)
    connection.execute(sa.update(sync_run).where(sync_run.c.job.in_(tuple(MoodleJob)), IS_RUNNING).values(alive_at=now))
    _end_pauses(connection, moodle_connection.c.paused_until > now, now=now)
    planned = moodle_job.c.next_at > now
    lock_jobs(connection, planned)
    connection.execute(sa.update(moodle_job).where(planned).values(next_at=now))
    _bound_late_effects(connection, now=now)


def hurry_what_is_of_the_future(connection: sa.Connection, *, now: datetime) -> None:
    """The clock was put back while no worker was there to see it: what nobody can have planned by today's is done
    now."""
    _lock_sites(connection)
    _end_pauses(connection, moodle_connection.c.paused_until > now + LONGEST_PAUSE_ASKED_FOR + CLOCKS_DIFFER, now=now)
    ran_at, next_at = moodle_job.c.ran_at, moodle_job.c.next_at
    never_ran = sa.and_(ran_at.is_(None), next_at > now + CLOCKS_DIFFER)
    planned = sa.and_(next_at > now, sa.or_(never_ran, ran_at > now + CLOCKS_DIFFER))
    lock_jobs(connection, planned)
    connection.execute(sa.update(moodle_job).where(planned).values(next_at=now))
    late = sync_run.c.alive_at > now + CLOCKS_DIFFER  # it may be at work; if it is not, that shows soon
    connection.execute(
        sa.update(sync_run).where(sync_run.c.job.in_(tuple(MoodleJob)), IS_RUNNING, late).values(alive_at=now)
    )
    _bound_late_effects(connection, now=now, differing=CLOCKS_DIFFER)


def _bound_late_effects(connection: sa.Connection, *, now: datetime, differing: timedelta = timedelta(0)) -> None:
    """What was given up by the old clock may still have its effect, but not for longer than if it were given up now."""
    late = moodle_job.c.again_at > now + LATE_EFFECT + differing
    lock_jobs(connection, late)
    connection.execute(sa.update(moodle_job).where(late).values(again_at=now + LATE_EFFECT))
    begun = sa.select(mirror.c.course_id, mirror.c.session_id).where(mirror.c.began_at > now + differing)
    for row in connection.execute(begun.with_for_update(skip_locked=True)).all():  # else somebody is at it right now
        of_row = sa.and_(mirror.c.course_id == row.course_id, mirror.c.session_id == row.session_id)
        connection.execute(sa.update(mirror).where(of_row).values(began_at=now))


def _lock_sites(connection: sa.Connection) -> None:
    rows = sa.select(moodle_connection.c.university_id).order_by(moodle_connection.c.university_id)
    connection.execute(rows.with_for_update()).all()


def _end_pauses(connection: sa.Connection, condition: sa.ColumnElement[bool], *, now: datetime) -> None:
    since = moodle_connection.c.failing_since
    connection.execute(
        sa.update(moodle_connection)
        .where(condition)
        .values(paused_until=now, failing_since=sa.case((since > now, now), else_=since))
    )
