"""The next round of a series: the same sessions at new dates, hosted by whoever's turn it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from series.hand_edits import instant_of
from series.people import University
from series.sessions import Session, Status


def copy_round(
    sessions: Sequence[Session], series_id: UUID, *, starts_on: date, hosts: Sequence[University]
) -> list[Session]:
    """All but rehearsals and what was cancelled, as far apart as they were planned and at the same time of the day; the
    first one on `starts_on`. `hosts` take turns; without any, each session keeps its own. Join links are made anew.

    Raises NotPossible where the clocks leave out a time.
    """
    planned = sorted(
        (session for session in sessions if not (session.is_cancelled or session.is_rehearsal)), key=_planned_wall
    )
    copies = []
    for number, session in enumerate(planned):
        wall_start = _planned_wall(session) + (starts_on - _planned_wall(planned[0]).date())
        start_at = instant_of(wall_start, session.zone)
        host = hosts[number % len(hosts)] if hosts else None
        copy = replace(
            session,
            session_id=uuid4(),
            series_id=series_id,
            start_at=start_at,
            end_at=start_at + (session.end_at - session.start_at),
            wall_start=wall_start,
            status=Status.PLANNED,
            moved_from_at=None,
            join_url=None,
            refused_join_host=None,
            sequence=0,
            by_hand=(),
            is_own=False,
            copied_from_id=session.session_id,
        )
        if host is not None:
            copy = replace(copy, hosting_university=host.name, hosting_university_id=host.university_id)
        copies.append(copy)
    return copies


def _planned_wall(session: Session) -> datetime:
    """When it was meant to be, before it was moved."""
    if session.moved_from_at is None:
        return session.wall_start
    return session.moved_from_at.astimezone(ZoneInfo(session.zone)).replace(tzinfo=None)
