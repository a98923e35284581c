"""Somebody picks activities for a course: who and for which, and the series that can be put into it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.people import University
from series.rule import Kind, Rule
from series.sessions import Series, Session, Status
from series.store.known import look_up
from series.store.launch_values import NewArrival
from series.store.launches import refuse_erased, spend_nonce, upsert_participant
from series.store.lms_tables import round_answer
from series.store.placements import save_course
from series.store.rules import course_count_of, rules_of
from series.store.sessions import series_of_row, sessions_of
from series.store.tables import counted, course_series, deployment, platform, session, university
from series.store.tables import series as series_table
from series.store.universities import university_of_row


@dataclass(frozen=True, kw_only=True)
class Begun:
    participant_id: int
    course_id: int | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A series that can be put into a course. `required`: sessions that complete it in this course; `open_days`: for
    how long a session can be completed after its end."""

    series: Series
    sessions: tuple[Session, ...]
    required: int
    open_days: int


def begin_picking(
    connection: sa.Connection, arrival: NewArrival, *, is_allowed: bool, now: datetime, secret_key: bytes
) -> Begun | None:
    """Spend the nonce, and bring person and course up to date; None where it is not allowed: the nonce is spent all the
    same, and nothing else is written.

    Raises NonceSpent, PlatformDisabled, DeploymentPending, DeploymentDisabled or PersonErased; then the caller's
    transaction leaves nothing behind.
    """
    spend_nonce(connection, arrival, now)
    known = look_up(connection, arrival)
    if not is_allowed:
        return None
    if known.participant_id is None:
        refuse_erased(connection, arrival, secret_key=secret_key)
    participant_id = known.participant_id or upsert_participant(
        connection, university_id=arrival.university_id, issuer=arrival.issuer, sub=arrival.sub, now=now
    )
    return Begun(participant_id=participant_id, course_id=save_course(connection, arrival, known))


def is_open(connection: sa.Connection, platform_id: int, deployment_id: str) -> bool:
    """Whether activities may still be put into courses of this deployment."""
    query = (
        sa.select(deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .where(
            platform.c.id == platform_id,
            platform.c.state == "active",
            deployment.c.deployment_id == deployment_id,
            deployment.c.state == "approved",
        )
    )
    return connection.execute(query).one_or_none() is not None


def offered_series(connection: sa.Connection, course_id: int | None, *, now: datetime) -> list[Series]:
    """Those with sessions to come, and the one that the course shows; without any, the newest. First what is meant most
    probably: what the course shows if it goes on, else the newest. None that the course has left for a newer round: an
    activity of it would show that one."""
    goes_on = sa.exists().where(
        session.c.series_id == series_table.c.id,
        counted,
        session.c.end_at > now,
        session.c.status == Status.PLANNED.value,
    )
    of_course = sa.exists().where(
        course_series.c.series_id == series_table.c.id, course_series.c.course_id == course_id
    )
    left = sa.exists().where(
        round_answer.c.old_series_id == series_table.c.id,
        round_answer.c.course_id == course_id,
        round_answer.c.is_taken,
    )
    rows = connection.execute(
        sa.select(series_table, goes_on.label("goes_on"), of_course.label("of_course"))
        .where(sa.not_(left))
        .order_by(series_table.c.created_at.desc())
    ).all()
    likely = sorted(rows, key=lambda row: (not (row.goes_on and row.of_course), not row.goes_on))
    wanted = [row for row in likely if row.goes_on or row.of_course] or likely[:1]
    return [series_of_row(row) for row in wanted]


def offer_of(connection: sa.Connection, chosen: Series, course_id: int | None) -> Offer:
    rules = rules_of(connection, chosen.series_id)
    count = course_count_of(connection, course_id, chosen.series_id) if course_id else None
    return Offer(
        series=chosen,
        sessions=tuple(sessions_of(connection, chosen.series_id)),
        required=count.required if count else rules.series.required,
        open_days=_open_days(rules.series),
    )


def university_of(connection: sa.Connection, platform_id: int) -> University:
    row = connection.execute(
        sa.select(university)
        .join(platform, platform.c.university_id == university.c.id)
        .where(platform.c.id == platform_id)
    ).one()
    return university_of_row(row)


def _open_days(rule: Rule) -> int:
    days = [demand.within_days or 0 for way in rule.ways for demand in way if demand.kind is not Kind.APPROVAL]
    return max(days, default=0)
