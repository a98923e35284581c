"""What one viewer is told of a series as a whole, read once for a page or a file: the own numbers as they are now, all
others as they were published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from series.people import University
from series.pooled import TERM, Block, Column, Pooled, PooledBy
from series.protection import publish
from series.sessions import Series, Session
from series.step_times import STEPS_AFTER_END, next_step_at
from series.store.database import Connection
from series.store.pooled import steps_of
from series.store.pooled_own import OwnCounts, own_counts
from series.store.pooled_settings import pooled_by_of
from series.store.sessions import get_series, sessions_of
from series.store.universities import list_universities


@dataclass(frozen=True, kw_only=True)
class Results:
    """`viewer` None: the coordinator's, who belongs to no university; then `own` is None. `pooled` None: nothing was
    published yet. `next_at` None: it is not renewed any more."""

    series: Series
    sessions: tuple[Session, ...]
    universities: Mapping[int, University]
    viewer: University | None
    own: OwnCounts | None
    by: PooledBy
    pooled: Pooled | None
    next_at: datetime | None
    now: datetime

    @cached_property  # each cell of the table asks
    def columns(self) -> Mapping[Block, Column]:
        return {column.block: column for column in self.pooled.columns} if self.pooled else {}

    @cached_property
    def _told(self) -> Mapping[Block, Column]:
        sessions = self.pooled.sessions if self.pooled else ()
        return {**self.columns, **{column.block: column for column in sessions}}

    @property
    def smallest_group(self) -> int:
        """0: nothing was published yet."""
        return self.pooled.smallest_group if self.pooled else 0

    def is_counted(self, block: Block) -> bool:
        """As a column of the table, or beside it."""
        return block in self._told

    def others_in(self, block: Block) -> int | None:
        """All other universities together; None: hidden, or not counted yet."""
        column = self._told.get(block)
        return column.total if column else None

    def older_step_of(self, block: Block) -> datetime | None:
        """The moment of the step as of which others are told, where that was not the last one."""
        column = self._told.get(block)
        return column.as_of if column else None

    @property
    def own_course_people(self) -> int | None:
        """Distinct ones in the whole series."""
        return self.own.course.get(TERM, 0) if self.own else None

    @property
    def own_university_people(self) -> int | None:
        """None as well where too few are in its other courses."""
        return self.own.university.get(TERM, 0) if self.own else None


def read_results(
    connection: Connection, series_id: UUID, *, viewer: University | None, course_id: int | None, now: datetime
) -> Results:
    series, sessions = get_series(connection, series_id), tuple(sessions_of(connection, series_id))
    pooled, own = read_published(connection, series_id, viewer=viewer), None
    if viewer is not None and course_id is not None:
        of_viewer = {"university_id": viewer.university_id, "course_id": course_id}
        own = own_counts(connection, series_id=series_id, **of_viewer, now=now)
    return Results(
        series=series,
        sessions=sessions,
        universities={one.university_id: one for one in list_universities(connection)},
        viewer=viewer,
        own=own,
        by=pooled.by if pooled else PooledBy.SESSION,
        pooled=pooled,
        next_at=_next_at(sessions, series, now),
        now=now,
    )


def read_published(connection: Connection, series_id: UUID, *, viewer: University | None) -> Pooled | None:
    """What `viewer` is told of all others; None before anything was published."""
    by = pooled_by_of(connection, series_id)
    if by is None:
        return None
    return publish(steps_of(connection, series_id), viewer=viewer.university_id if viewer else None, by=by)


def _next_at(sessions: tuple[Session, ...], series: Series, now: datetime) -> datetime | None:
    next_at = next_step_at(now, series.time_zone)
    ends = [one.end_at for one in sessions if not one.is_cancelled]
    return next_at if ends and next_at <= max(ends) + STEPS_AFTER_END else None
