"""The people of a course as its LMS listed them, without names; and what of a new list is held back."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from series.rosters import RosterChanges, RosterMember, apply, compare, held_in_words, still_kept
from series.store.database import insert
from series.store.launches import upsert_participant
from series.store.tables import (
    course,
    course_roster,
    deployment,
    membership,
    participant,
    placement,
    platform,
    roster_member,
)
from series.store.tombstones import hold_off_erasures

__all__ = [
    "HeldRoster",
    "Roster",
    "RosterMember",
    "accept_roster",
    "ensure_participants",
    "forget_member",
    "preview_roster",
    "reject_roster",
    "roster_of",
    "save_roster",
]


@dataclass(frozen=True, kw_only=True)
class HeldRoster:
    """A list that nobody has said yes to yet: of `of` people who were there it lacks `gone`; with those whom it has as
    suspended or as no learners any more it is `fewer`, who are `subs`."""

    held_at: datetime
    gone: int
    fewer: int
    of: int
    reason: str
    subs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Roster:
    """`read_at`: when `members` were last brought up to date; None: never. `reason`: why it fails `failing_since`."""

    members: tuple[RosterMember, ...] = ()
    read_at: datetime | None = None
    failing_since: datetime | None = None
    reason: str | None = None
    held: HeldRoster | None = None


class _Kept(msgspec.Struct):
    """What course_roster.held holds. `kept`: who is still in the course by a person's word, though the LMS lists them
    not."""

    members: list[tuple[str, bool, bool]] | None = None  # sub, is_learner, is_suspended
    kept: list[str] = []

    def listed(self) -> list[RosterMember]:
        return [
            RosterMember(sub=sub, is_learner=is_learner, is_suspended=is_suspended)
            for sub, is_learner, is_suspended in self.members or ()
        ]


_KEPT = msgspec.json.Decoder(_Kept)


def subs_held_back(text: str) -> set[str]:
    """Whom course_roster.held names."""
    held = _kept(text)
    return {one.sub for one in held.listed()} | set(held.kept)


def roster_of(connection: sa.Connection, course_id: int) -> Roster:
    """As the worker has read it; an empty one where it never has."""
    row = connection.execute(sa.select(course_roster).where(course_roster.c.course_id == course_id)).one_or_none()
    if row is None:
        return Roster()
    members = _members(connection, course_id)
    return Roster(
        members=members,
        read_at=row.read_at,
        failing_since=row.failing_since,
        reason=row.reason,
        held=_held(row, members),
    )


def save_roster(
    connection: sa.Connection,
    course_id: int,
    members: Iterable[RosterMember],
    *,
    now: datetime,
    next_read_at: datetime | None = None,
) -> RosterChanges:
    """Take a new reading over, or hold it back (`is_held`): then nothing else has changed. May be repeated."""
    connection.execute(
        insert(connection, course_roster).values(course_id=course_id, failures=0).on_conflict_do_nothing()
    )
    row, stored, listed = _lock(connection, course_id), _members(connection, course_id), list(members)
    before = _kept(row.held)
    changes = compare(stored, listed, kept=before.kept)
    values: dict[str, Any] = {"failing_since": None, "failures": 0, "reason": None, "next_read_at": next_read_at}
    if changes.is_held:
        fresh = _Kept(members=sorted((m.sub, m.is_learner, m.is_suspended) for m in listed), kept=before.kept)
        values["held"] = msgspec.json.encode(fresh).decode()
        values["held_at"] = row.held_at if row.held == values["held"] else now
    else:
        values |= _take_over(connection, course_id, stored, listed, before.kept, now)
    connection.execute(sa.update(course_roster).where(course_roster.c.course_id == course_id).values(values))
    return changes


def preview_roster(connection: sa.Connection, course_id: int, members: Iterable[RosterMember]) -> RosterChanges:
    """What `save_roster` would say to this reading; nothing is written."""
    held = connection.execute(
        sa.select(course_roster.c.held).where(course_roster.c.course_id == course_id)
    ).scalar_one_or_none()
    return compare(_members(connection, course_id), members, kept=_kept(held).kept)


def accept_roster(
    connection: sa.Connection, course_id: int, *, now: datetime, held_at: datetime | None = None
) -> RosterChanges | None:
    """Take over what is held: its people have left. None, and nothing is done, when nothing is held, or something else
    than what was held at `held_at`."""
    return _decide(connection, course_id, now=now, held_at=held_at, still_there=False)


def reject_roster(
    connection: sa.Connection, course_id: int, *, now: datetime, held_at: datetime | None = None
) -> RosterChanges | None:
    """The people whom the held list lacks are still in the course, and stay so until the LMS lists them again. All else
    that it says is taken over. None as in accept_roster."""
    return _decide(connection, course_id, now=now, held_at=held_at, still_there=True)


def forget_member(connection: sa.Connection, course_id: int, sub: str) -> int:
    """Somebody has had their data erased: also out of what is held. How many rows that were."""
    row = _lock(connection, course_id)
    of_them = (roster_member.c.course_id == course_id) & (roster_member.c.sub == sub)
    gone = connection.execute(sa.delete(roster_member).where(of_them).returning(roster_member.c.sub)).all()
    if row is not None and row.held is not None:
        kept = _kept(row.held)
        members = None if kept.members is None else [one for one in kept.members if one[0] != sub]
        left = _Kept(members=members, kept=[one for one in kept.kept if one != sub])
        text = msgspec.json.encode(left).decode()
        connection.execute(sa.update(course_roster).where(course_roster.c.course_id == course_id).values(held=text))
    return len(gone)


def ensure_participants(
    connection: sa.Connection, *, course_id: int, subs: Collection[str], now: datetime
) -> dict[str, int]:
    """Participants' ids by `sub`, made for those whom only the roster knows, and a place in every gradebook column of
    the course for its students, so that what somebody confirms reaches their gradebook.

    Who is neither in the course's roster as a student, nor has ever opened one of its activities, is left out.
    """
    hold_off_erasures(connection, course_id)
    tenant = connection.execute(
        sa.select(course.c.university_id, platform.c.issuer)
        .join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .where(course.c.id == course_id)
    ).one_or_none()
    if tenant is None or not subs:
        return {}
    learners = set(
        connection.execute(
            sa.select(roster_member.c.sub).where(
                roster_member.c.course_id == course_id,
                roster_member.c.sub.in_(subs),
                roster_member.c.is_learner,
                roster_member.c.gone_at.is_(None),
            )
        ).scalars()
    )
    ids = _who_came(connection, course_id, tenant, subs)
    for sub in sorted(learners - ids.keys()):  # in one order, so that two who do this at once do not block each other
        ids[sub] = upsert_participant(
            connection, university_id=tenant.university_id, issuer=tenant.issuer, sub=sub, now=now
        )
    _give_places(connection, course_id, [ids[sub] for sub in sorted(learners)])
    return ids


def _who_came(connection: sa.Connection, course_id: int, tenant: Any, subs: Collection[str]) -> dict[str, int]:
    rows = connection.execute(
        sa.select(participant.c.sub, participant.c.id)
        .distinct()
        .join(membership, membership.c.participant_id == participant.c.id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(
            placement.c.course_id == course_id,
            participant.c.university_id == tenant.university_id,
            participant.c.issuer == tenant.issuer,
            participant.c.sub.in_(subs),
        )
    )
    return {row.sub: row.id for row in rows}


def _give_places(connection: sa.Connection, course_id: int, participant_ids: list[int]) -> None:
    of_course = sa.select(placement.c.id).where(placement.c.course_id == course_id).order_by(placement.c.id)
    rows = [
        {"participant_id": participant_id, "placement_id": placement_id, "is_learner": True}
        for placement_id in connection.execute(of_course).scalars()
        for participant_id in participant_ids
    ]
    if rows:
        connection.execute(insert(connection, membership).on_conflict_do_nothing(), rows)


def _decide(
    connection: sa.Connection, course_id: int, *, now: datetime, held_at: datetime | None, still_there: bool
) -> RosterChanges | None:
    row = _lock(connection, course_id)
    held = _kept(row.held if row else None)
    if held.members is None or held_at not in {None, row.held_at}:
        return None
    stored, listed = _members(connection, course_id), held.listed()
    changes = compare(stored, listed, kept=held.kept)
    kept = [*held.kept, *sorted(changes.fewer)] if still_there else held.kept
    values = _take_over(connection, course_id, stored, listed, kept, now)
    connection.execute(sa.update(course_roster).where(course_roster.c.course_id == course_id).values(values))
    return changes


def _take_over(
    connection: sa.Connection,
    course_id: int,
    stored: tuple[RosterMember, ...],
    listed: list[RosterMember],
    kept: Collection[str],
    now: datetime,
) -> dict[str, Any]:
    """What course_roster then says."""
    before = set(stored)
    rows = [
        {"course_id": course_id, **asdict(member)}
        for member in apply(stored, listed, kept=kept, now=now)
        if member not in before
    ]
    if rows:
        fresh = insert(connection, roster_member)
        values = {name: fresh.excluded[name] for name in ("is_learner", "is_suspended", "gone_at")}
        upsert = fresh.on_conflict_do_update(index_elements=["course_id", "sub"], set_=values)
        connection.execute(upsert, rows)
    missing = still_kept(stored, listed, kept)
    text = msgspec.json.encode(_Kept(kept=missing)).decode() if missing else None
    return {"read_at": now, "held": text, "held_at": None}


def _lock(connection: sa.Connection, course_id: int) -> Any:
    """The course's row, or None: whoever else reads or decides just now comes before or after us."""
    query = sa.select(course_roster).where(course_roster.c.course_id == course_id)
    return connection.execute(query.with_for_update()).one_or_none()


def _members(connection: sa.Connection, course_id: int) -> tuple[RosterMember, ...]:
    rows = connection.execute(
        sa.select(roster_member).where(roster_member.c.course_id == course_id).order_by(roster_member.c.sub)
    )
    return tuple(
        RosterMember(sub=row.sub, is_learner=row.is_learner, is_suspended=row.is_suspended, gone_at=row.gone_at)
        for row in rows
    )


def _kept(text: str | None) -> _Kept:
    return _Kept() if text is None else _KEPT.decode(text)


def _held(row: Any, members: tuple[RosterMember, ...]) -> HeldRoster | None:
    held = _kept(row.held)
    if held.members is None:
        return None
    changes = compare(members, held.listed(), kept=held.kept)
    return HeldRoster(
        held_at=row.held_at,
        gone=len(changes.gone),
        fewer=len(changes.fewer),
        of=changes.of,
        reason=held_in_words(changes),
        subs=tuple(sorted(changes.fewer)),
    )
