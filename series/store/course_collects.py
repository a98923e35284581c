"""What is collected from which Moodle courses, and how far it has been read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.collecting import SentScore
from series.store.database import insert
from series.store.moodle_tables import course_collect, mapped_activity
from series.store.tables import course, delivery, deployment, moodle_connection, participant, placement, platform

_RESULTS = msgspec.json.Decoder(dict[str, datetime])
_SUBS = msgspec.json.Decoder(list[str])
REFUSED_AT_MOST = 30  # of so many, something else is wrong


@dataclass(frozen=True, kw_only=True)
class OwnActivity:
    """An activity of ours in the site. `session_id` None: the whole series. `line_item_url` None: it has no grades, or
    we may not ask for them. `is_here`: in this course."""

    placement_id: int
    resource_link_id: str
    session_id: UUID | None
    line_item_url: str | None
    ags_scopes: frozenset[str]
    platform_id: int
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class CollectedCourse:
    """A course of a connected Moodle. `mapped`: sessions by course module id; `problems` of those, so far. `results`:
    the newest one seen, by line item. `knows_people`: user ids there are those of its launches and of its roster.
    `generation`: as of course_collect. `refused`: of whom Moodle told nothing the last time."""

    course_id: int
    moodle_course_id: int
    title: str
    mapped: Mapping[int, UUID]
    problems: Mapping[int, str]
    own: tuple[OwnActivity, ...]
    read_at: datetime | None
    all_read_at: datetime | None
    generation: int
    refused: frozenset[str]
    results: Mapping[str, datetime]
    knows_people: bool

    @property
    def own_of_sessions(self) -> list[OwnActivity]:
        """Those in this course that show one session."""
        return [one for one in self.own if one.is_here and one.session_id is not None]


def connected_course_ids(connection: sa.Connection, university_id: int) -> list[int]:
    """Courses of a connected university that were chosen in its Moodle."""
    query = _COURSES.where(course.c.university_id == university_id).with_only_columns(course.c.id)
    return list(connection.execute(query).scalars())


def course_to_collect(connection: sa.Connection, university_id: int, course_id: int) -> CollectedCourse | None:
    """One of them as it is now; None, unless anything in it may complete a session."""
    of_course = _COURSES.where(course.c.university_id == university_id, course.c.id == course_id)
    row = connection.execute(of_course).one_or_none()
    found = None if row is None else _course(connection, row)
    return found if found and (found.mapped or found.own_of_sessions) else None


_COURSES = (
    sa.select(
        course.c.id,
        course.c.moodle_course_id,
        course.c.title,
        course_collect.c.read_at,
        course_collect.c.all_read_at,
        course_collect.c.generation,
        course_collect.c.refused,
        course_collect.c.results,
        (platform.c.issuer == moodle_connection.c.base_url).label("is_of_site"),
    )
    .join(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
    .outerjoin(course_collect, course_collect.c.course_id == course.c.id)
    .outerjoin(deployment, course.c.deployment_id == deployment.c.id)
    .outerjoin(platform, deployment.c.platform_id == platform.c.id)
    .where(course.c.moodle_course_id.is_not(None))
    .order_by(course.c.id)
)


def moodle_course_of(connection: sa.Connection, course_id: int) -> int | None:
    """The number that the course has in the connected Moodle, if it was chosen there."""
    query = sa.select(course.c.moodle_course_id).where(course.c.id == course_id)
    moodle_course_id: int | None = connection.execute(query).scalar_one_or_none()
    return moodle_course_id


def own_activities(connection: sa.Connection, course_id: int) -> list[OwnActivity]:
    """All of ours in the site to which the course's university has given us access, in its other courses too: a course
    may be known here twice, by two registrations of its LMS."""
    rows = connection.execute(
        sa.select(
            placement,
            (placement.c.course_id == course_id).label("is_here"),
            ((platform.c.state == "active") & (deployment.c.state == "approved")).label("is_open"),
            platform.c.id.label("platform_id"),
        )
        .join(deployment, placement.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .join(
            moodle_connection,
            (moodle_connection.c.university_id == platform.c.university_id)
            & (moodle_connection.c.base_url == platform.c.issuer),
        )
        .join(course, (course.c.id == course_id) & (course.c.university_id == platform.c.university_id))
        .order_by(placement.c.id)
    )
    return [
        OwnActivity(
            placement_id=row.id,
            resource_link_id=row.resource_link_id,
            session_id=row.session_id,
            line_item_url=row.line_item_url if row.is_open else None,
            ags_scopes=frozenset(row.ags_scopes.split()),
            platform_id=row.platform_id,
            is_here=bool(row.is_here),
        )
        for row in rows
    ]


def read_all_soon(connection: sa.Connection, course_id: int) -> None:
    """The next reading asks about everybody."""
    connection.execute(insert(connection, course_collect).values(course_id=course_id).on_conflict_do_nothing())
    connection.execute(
        sa.update(course_collect)
        .where(course_collect.c.course_id == course_id)
        .values(read_at=None, generation=course_collect.c.generation + 1)
    )


def note_reading(
    connection: sa.Connection,
    read: CollectedCourse,
    *,
    results: Mapping[str, datetime],
    began_at: datetime,
    of_all: bool,
    refused: Iterable[str] = (),
) -> None:
    """A reading has come to its end, unless all is to be read anew since it began: something was mapped, or another
    Moodle connected. `refused`: of whom Moodle told nothing, and who are asked about again."""
    values: dict[str, Any] = {
        "results": msgspec.json.encode(dict(results)).decode(),
        "refused": msgspec.json.encode(sorted(refused)[:REFUSED_AT_MOST]).decode(),
        "read_at": began_at,
    }
    if of_all:
        values["all_read_at"] = began_at
    connection.execute(insert(connection, course_collect).values(course_id=read.course_id).on_conflict_do_nothing())
    is_there = sa.exists().where(course.c.id == read.course_id, course.c.moodle_course_id == read.moodle_course_id)
    as_it_was = (course_collect.c.generation == read.generation) & is_there
    connection.execute(
        sa.update(course_collect).where(course_collect.c.course_id == read.course_id, as_it_was).values(values)
    )


def refused_subs(text: str) -> set[str]:
    """Whom course_collect.refused names."""
    return set(_SUBS.decode(text))


def forget_refused(connection: sa.Connection, course_id: int, sub: str) -> None:
    """Of somebody who has had their data erased, Moodle is not asked again."""
    query = sa.select(course_collect.c.refused).where(course_collect.c.course_id == course_id)
    refused = _SUBS.decode(connection.execute(query.with_for_update()).scalar_one_or_none() or "[]")
    if sub in refused:
        text = msgspec.json.encode([one for one in refused if one != sub]).decode()
        connection.execute(
            sa.update(course_collect).where(course_collect.c.course_id == course_id).values(refused=text)
        )


def sent_scores(connection: sa.Connection, own: OwnActivity) -> dict[str, list[SentScore]]:
    """What has ever left for this activity's column, or may be leaving just now, by `sub`: asked after its results were
    read. To whatever address: the column is the same one when the LMS calls it by another. And who sends a score that
    had failed once more begins to count its attempts anew."""
    of_column = (delivery.c.placement_id == own.placement_id) | (delivery.c.line_item_url == own.line_item_url)
    has_left = (delivery.c.attempts > 0) | delivery.c.delivered_at.is_not(None) | delivery.c.outcome.is_not(None)
    rows = connection.execute(
        sa.select(delivery, participant.c.sub)
        .join(participant, delivery.c.participant_id == participant.c.id)
        .where(of_column, has_left)
    )
    found: dict[str, list[SentScore]] = {}
    for row in rows:
        sent = SentScore(part=row.score_given / row.score_maximum, score_at=row.score_at, delivered_at=row.delivered_at)
        found.setdefault(row.sub, []).append(sent)
    return found


def _course(connection: sa.Connection, row: Any) -> CollectedCourse:
    mapped = connection.execute(sa.select(mapped_activity).where(mapped_activity.c.course_id == row.id)).all()
    return CollectedCourse(
        course_id=row.id,
        moodle_course_id=row.moodle_course_id,
        title=row.title,
        mapped={one.cmid: one.session_id for one in mapped},
        problems={one.cmid: one.problem for one in mapped if one.problem},
        own=tuple(own_activities(connection, row.id)),
        read_at=row.read_at,
        all_read_at=row.all_read_at,
        generation=row.generation or 0,
        refused=frozenset(_SUBS.decode(row.refused or "[]")),
        results=_RESULTS.decode(row.results or "{}"),
        knows_people=bool(row.is_of_site),
    )
