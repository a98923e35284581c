"""What is known of how ready universities are: the same few queries for one of them and for a thousand."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.checks import Outcome, decode_checks, gaps_of
from series.moodle_jobs import MoodleJob
from series.preflight import Code, decode_trials, outcome_of
from series.readiness import Readiness, readiness_of
from series.readiness_facts import Admin, Facts, HostedSession, Lms, LmsInvitation, MoodleSite
from series.sessions import Series, Status
from series.staff import AccountState, Role
from series.store.lms_tables import host_invitation, lms_invitation, platform_arrival, platform_check
from series.store.moodle_tables import moodle_job
from series.store.sessions import list_series
from series.store.tables import (
    course,
    course_series,
    delivery,
    deployment,
    moodle_connection,
    participant,
    placement,
    platform,
    session,
    session_host,
    staff,
    staff_link,
    university,
)
from series.store.universities import university_of_row

FEED_READ_WITHIN = timedelta(days=8)  # calendar programs come every few hours, Moodle's importer once a week at least
_SINCE = msgspec.json.Decoder(dict[str, datetime])


def running_series(connection: sa.Connection, *, now: datetime) -> list[Series]:
    """Those with a session to come, the newest first; when none has any, the newest of all."""
    to_come = sa.select(session.c.series_id).where(session.c.end_at > now, ~session.c.is_rehearsal).distinct()
    ids = set(connection.execute(to_come).scalars())
    newest_first = list_series(connection)[::-1]
    return [one for one in newest_first if one.series_id in ids] or newest_first[:1]


def readiness(
    connection: sa.Connection, series_id: UUID | None, *, now: datetime, university_id: int | None = None
) -> list[Readiness]:
    """Of all universities that have not left, by name, or of one. Without a series, none is placed and none hosts."""
    which = university.c.left_at.is_(None) if university_id is None else university.c.id == university_id
    homes = connection.execute(sa.select(university).where(which).order_by(university.c.name, university.c.id)).all()
    admins, invitations = _admins(connection, now), _invitations(connection)
    lmss, moodles = _lmss(connection, which, series_id), _moodles(connection)
    placed, courses = _placed(connection, series_id), _courses(connection, series_id, now)
    hosted = _hosted(connection, series_id, now)
    return [
        readiness_of(
            Facts(
                university=university_of_row(home),
                admins=tuple(admins[home.id]),
                invitation=invitations.get(home.id),
                lmss=tuple(lmss[home.id]),
                placed=placed.get(home.id, 0),
                moodle=moodles.get(home.id),
                mirrored=courses[home.id].mirrored if home.id in courses else 0,
                feed_read_at=courses[home.id].feed_read_at if home.id in courses else None,
                hosted=tuple(hosted[home.id]),
            ),
            now=now,
        )
        for home in homes
    ]


def _admins(connection: sa.Connection, now: datetime) -> dict[int, list[Admin]]:
    link_waits = sa.exists().where(staff_link.c.staff_id == staff.c.id, staff_link.c.expires_at > now)
    can_come = sa.or_(staff.c.password_hash.is_not(None), link_waits).label("can_come")
    rows = connection.execute(
        sa.select(staff.c.id, staff.c.university_id, staff.c.name, staff.c.created_at, can_come)
        .where(staff.c.role == Role.LMS_ADMIN.value, staff.c.state == AccountState.ACTIVE.value)
        .order_by(staff.c.id)
    )
    found: dict[int, list[Admin]] = defaultdict(list)
    for row in rows:
        one = Admin(staff_id=row.id, name=row.name, since=row.created_at, can_come=row.can_come)
        found[row.university_id].append(one)
    return found


def _invitations(connection: sa.Connection) -> dict[int, LmsInvitation]:
    """The newest of each that was not taken back."""
    rows = connection.execute(
        sa.select(lms_invitation).where(lms_invitation.c.revoked_at.is_(None)).order_by(lms_invitation.c.id)
    )
    return {
        row.university_id: LmsInvitation(
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            problem=row.problem,
            problem_at=row.problem_at,
        )
        for row in rows
    }


def _lmss(connection: sa.Connection, which: sa.ColumnElement[bool], series_id: UUID | None) -> dict[int, list[Lms]]:
    deployments = _deployments(connection, which, series_id)
    arrived = (
        sa.select(platform_arrival.c.platform_id, sa.func.max(platform_arrival.c.seen_at).label("launched_at"))
        .group_by(platform_arrival.c.platform_id)
        .subquery()
    )
    rows = connection.execute(
        sa.select(
            platform.c.id,
            platform.c.university_id,
            platform.c.state,
            platform.c.created_at,
            platform_check.c.checks,
            platform_check.c.checked_at,
            arrived.c.launched_at,
        )
        .join(university, university.c.id == platform.c.university_id)
        .outerjoin(platform_check, platform_check.c.platform_id == platform.c.id)
        .outerjoin(arrived, arrived.c.platform_id == platform.c.id)
        .where(which)
        .order_by(platform.c.id)
    )
    found: dict[int, list[Lms]] = defaultdict(list)
    for row in rows:
        found[row.university_id].append(_lms(row, deployments[row.id]))
    return found


def _lms(row: Any, deployments: Sequence[Any]) -> Lms:
    trials = decode_trials(row.checks)
    pending = [one.first_seen_at for one in deployments if one.state == "pending" and one.first_seen_at]
    return Lms(
        state=row.state,
        since=row.created_at,
        approved=sum(one.state == "approved" for one in deployments),
        waits_since=min(pending, default=None),
        has_launched=row.launched_at is not None or any(one.has_placement for one in deployments),
        launched_at=row.launched_at,
        checked_at=row.checked_at,
        score_ok=outcome_of(trials, Code.TEST_SCORE) is Outcome.OK,
        score_refused=outcome_of(trials, Code.TEST_SCORE) is Outcome.GAP,
        has_delivered=any(one.has_delivered for one in deployments),
        has_delivered_since=any(one.has_delivered_since for one in deployments),
    )


def _deployments(
    connection: sa.Connection, which: sa.ColumnElement[bool], series_id: UUID | None
) -> dict[int, list[Any]]:
    """By platform. Whether anything was placed by a launch from each, and whether a grade of the series has reached it,
    also after the last pre-flight: one look in an index."""
    of_it = placement.c.deployment_id == deployment.c.id
    of_series = sa.and_(of_it, placement.c.series_id == series_id)
    sent = sa.and_(delivery.c.placement_id == placement.c.id, delivery.c.state == "delivered")
    sent_since = sa.and_(sent, delivery.c.delivered_at > platform_check.c.checked_at)
    rows = connection.execute(
        sa.select(
            deployment.c.platform_id,
            deployment.c.state,
            deployment.c.first_seen_at,
            sa.exists().where(of_it).label("has_placement"),
            sa.exists(sa.select(placement.c.id).where(of_series, sa.exists().where(sent))).label("has_delivered"),
            sa.exists(
                sa.select(placement.c.id).where(
                    of_series, sa.exists().where(sent_since).correlate(placement, platform_check)
                )
            )
            .correlate(deployment, platform_check)
            .label("has_delivered_since"),
        )
        .join(platform, platform.c.id == deployment.c.platform_id)
        .join(university, university.c.id == platform.c.university_id)
        .outerjoin(platform_check, platform_check.c.platform_id == platform.c.id)
        .where(which)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.platform_id].append(row)
    return found


def _placed(connection: sa.Connection, series_id: UUID | None) -> dict[int, int]:
    """In how many courses, of LMSs that may launch."""
    rows = connection.execute(
        sa.select(platform.c.university_id, sa.func.count(placement.c.course_id.distinct()).label("courses"))
        .select_from(placement.join(deployment).join(platform))
        .where(
            placement.c.series_id == series_id,
            placement.c.course_id.is_not(None),
            deployment.c.state == "approved",
            platform.c.state == "active",
        )
        .group_by(platform.c.university_id)
    )
    return {row.university_id: row.courses for row in rows}


def _moodles(connection: sa.Connection) -> dict[int, MoodleSite]:
    mirrors = sa.and_(
        moodle_job.c.university_id == moodle_connection.c.university_id, moodle_job.c.job == MoodleJob.MIRROR.value
    )
    columns = ("university_id", "failing_since", "checks", "checked_at", "gaps_since")
    rows = connection.execute(
        sa.select(
            *(moodle_connection.c[name] for name in columns), moodle_job.c.ran_at, moodle_job.c.failures
        ).select_from(moodle_connection.outerjoin(moodle_job, mirrors))
    )
    return {row.university_id: _moodle(row) for row in rows}


def _moodle(row: Any) -> MoodleSite:
    gaps = gaps_of(decode_checks(row.checks))
    since = _SINCE.decode(row.gaps_since or "{}")
    return MoodleSite(
        is_failing=row.failing_since is not None or bool(row.failures),
        failing_since=row.failing_since or row.ran_at,
        gaps=len(gaps),
        gaps_since=min(since.values(), default=row.checked_at),
        ran_at=row.ran_at,
    )


def _courses(connection: sa.Connection, series_id: UUID | None, now: datetime) -> dict[int, Any]:
    """Of those that show the series: in how many Moodle courses it stands, and when a feed was last fetched."""
    tied = sa.and_(course.c.moodle_course_id.is_not(None), course_series.c.is_mirrored)
    lately = sa.case((course.c.feed_read_at > now - FEED_READ_WITHIN, course.c.feed_read_at))
    rows = connection.execute(
        sa.select(
            course.c.university_id,
            sa.func.count(sa.case((tied, course.c.id))).label("mirrored"),
            sa.func.max(lately).label("feed_read_at"),
        )
        .select_from(course.join(course_series))
        .where(course_series.c.series_id == series_id)
        .group_by(course.c.university_id)
    )
    return {row.university_id: row for row in rows}


def _hosted(connection: sa.Connection, series_id: UUID | None, now: datetime) -> dict[int, list[HostedSession]]:
    own = participant.c.university_id == session.c.hosting_university_id  # not who is left of a former one, or a guest
    named = sa.exists(
        sa.select(session_host.c.session_id)
        .join(participant, participant.c.id == session_host.c.participant_id)
        .where(session_host.c.session_id == session.c.id, own)
    ).label("is_named")
    code = host_invitation.c
    is_open = sa.and_(code.used_at.is_(None), code.revoked_at.is_(None), code.expires_at > now)
    invited = sa.exists().where(code.session_id == session.c.id, is_open).label("is_invited")
    about = (session.c.id, session.c.title, session.c.start_at, session.c.hosting_university_id)
    rows = connection.execute(
        sa.select(*about, named, invited)
        .where(
            session.c.series_id == series_id,
            session.c.hosting_university_id.is_not(None),
            session.c.end_at > now,
            session.c.status == Status.PLANNED.value,
            ~session.c.is_rehearsal,
        )
        .order_by(session.c.start_at, session.c.id)
    )
    found: dict[int, list[HostedSession]] = defaultdict(list)
    for row in rows:
        found[row.hosting_university_id].append(
            HostedSession(
                session_id=row.id,
                title=row.title,
                start_at=row.start_at,
                is_named=row.is_named,
                is_invited=row.is_invited,
            )
        )
    return found
