"""One's progress moves to another account of the same person: their university has another LMS, or they study at two.

The evidence itself moves, every row of it, and what counts is derived from it where it has come to. So the same session
counts once, whoever of the two accounts has done it, and the numbers of both universities are right from their next
step on. What a gradebook has been told stays there; what else is the old course's, too: messages, places, grades sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.audit import append_audit
from series.store.borders import may_be_shown_in
from series.store.evidence import derive_completion
from series.store.merging import hand_over, hand_over_evidence, reflection_rank
from series.store.objecting import object_to_use, objected_at
from series.store.privacy_tables import transfer_code
from series.store.scores import queue_scores
from series.store.tables import completion, evidence, excuse, participant, reflection, university
from series.store.turns import take_turn, take_turns
from series.tombstones import NobodyThere
from series.transfer_codes import CODE_LIFE

GIVES_PROGRESS = "give_progress"  # in the audit


class CodeOver(Exception):
    """There is no such code, or not any more."""


class OwnCode(Exception):
    """It was made in this very account."""


class BorderClosed(Exception):
    """What is recorded would be shown to teachers in a country to which nothing lets it cross so far."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """What a code would bring: `sessions` with something recorded, `both` of them in either account; `since`: from when
    the other account is. `is_objected_to`: in one of the two they have objected, so that no gradebook is told."""

    university: str
    since: datetime
    sessions: int
    both: int
    is_objected_to: bool


def save_code(connection: sa.Connection, participant_id: int, code_hash: str, *, now: datetime) -> datetime:
    """In place of any older one; until when it works. Raises NobodyThere."""
    take_turn(connection, participant_id)
    who, until = f"participant {participant_id}", now + CODE_LIFE
    connection.execute(sa.delete(transfer_code).where(transfer_code.c.participant_id == participant_id))
    row = {"id": code_hash, "participant_id": participant_id, "created_at": now, "expires_at": until}
    connection.execute(sa.insert(transfer_code).values(row))
    append_audit(connection, actor=who, action="make_transfer_code", thing=who, now=now)
    return until


def preview_move(connection: sa.Connection, code_hash: str, *, to: int, now: datetime) -> Move:
    """Nothing is written. Raises CodeOver, OwnCode or BorderClosed."""
    row = connection.execute(
        sa.select(transfer_code.c.participant_id, participant.c.created_at, university.c.name)
        .join(participant, transfer_code.c.participant_id == participant.c.id)
        .join(university, participant.c.university_id == university.c.id)
        .where(_is_open(code_hash, now))
    ).one_or_none()
    giver = _checked(connection, None if row is None else row.participant_id, to, now)
    assert row is not None
    theirs, own = _sessions(connection, giver), _sessions(connection, to)
    return Move(
        university=row.name,
        since=row.created_at,
        sessions=len(theirs),
        both=len(theirs & own),
        is_objected_to=any(objected_at(connection, one) is not None for one in (giver, to)),
    )


def move_progress(connection: sa.Connection, code_hash: str, *, to: int, now: datetime) -> list[int]:
    """The new deliveries' ids. The code is used up by it: of two who use it at once, one does. Raises CodeOver, OwnCode
    or BorderClosed, NobodyThere; then nothing was done. Who has objected in the other account has objected in this one:
    nothing may be told to a gradebook, and counted with others, only because it has moved."""
    giver = _checked(connection, _giver(connection, code_hash, now), to, now)
    if to not in take_turns(connection, [giver, to]):  # before the code: an erasure takes it in the same order
        raise NobodyThere
    used = sa.delete(transfer_code).where(_is_open(code_hash, now)).returning(transfer_code.c.participant_id)
    if connection.execute(used).one_or_none() is None:
        raise CodeOver
    _exchange_reflections(connection, giver=giver, to=to)
    hand_over(connection, excuse, "participant_id", kept=to, dropped=giver)
    home = connection.execute(sa.select(participant.c.university_id).where(participant.c.id == to)).scalar_one()
    hand_over(connection, completion, "participant_id", kept=to, dropped=giver, university_id=home)
    sessions = hand_over_evidence(connection, kept=to, dropped=giver)
    # No line names both: erasing one of the two accounts later must not leave a trace of it with the other.
    for action, one in ((GIVES_PROGRESS, giver), ("take_progress", to)):
        who = f"participant {one}"
        append_audit(connection, actor=who, action=action, thing=who, now=now, sessions=len(sessions))
    since = objected_at(connection, giver)
    if since is not None:
        object_to_use(connection, to, now=now, since=since)
    return _derive(connection, to, sessions, now)


def purge_codes(connection: sa.Connection, *, now: datetime) -> None:
    """Drop those that are over."""
    connection.execute(sa.delete(transfer_code).where(transfer_code.c.expires_at <= now))


def _giver(connection: sa.Connection, code_hash: str, now: datetime) -> int | None:
    found: int | None = connection.execute(
        sa.select(transfer_code.c.participant_id).where(_is_open(code_hash, now))
    ).scalar_one_or_none()
    return found


def _is_open(code_hash: str, now: datetime) -> sa.ColumnElement[bool]:
    return (transfer_code.c.id == code_hash) & (transfer_code.c.expires_at > now)


def _checked(connection: sa.Connection, giver: int | None, to: int, now: datetime) -> int:
    if giver is None:
        raise CodeOver
    if giver == to:
        raise OwnCode
    query = sa.select(participant.c.id, participant.c.university_id).where(participant.c.id.in_([giver, to]))
    home = {row.id: row.university_id for row in connection.execute(query)}
    if not may_be_shown_in(connection, of=home[giver], to=home[to], today=now.date()):
        raise BorderClosed
    return giver


def _sessions(connection: sa.Connection, participant_id: int) -> set[UUID]:
    query = sa.select(evidence.c.session_id).where(evidence.c.participant_id == participant_id)
    return set(connection.execute(query).scalars())


def _derive(connection: sa.Connection, participant_id: int, sessions: Iterable[UUID], now: datetime) -> list[int]:
    series = {
        derive_completion(connection, participant_id=participant_id, session_id=session_id, now=now)
        for session_id in sorted(sessions)
    }
    queued: list[int] = []
    for series_id in sorted(series):
        queued += queue_scores(connection, participant_id=participant_id, series_id=series_id, now=now)
    return queued


def _exchange_reflections(connection: sa.Connection, *, giver: int, to: int) -> None:
    """All that are free to move do. Where both accounts have one, the one that is more goes with the progress, and the
    other one stays with the old account: nobody's text is lost."""
    both = connection.execute(
        sa.select(reflection).where(reflection.c.participant_id.in_([giver, to])).order_by(reflection.c.session_id)
    ).all()
    of_giver = {row.session_id: row for row in both if row.participant_id == giver}
    of_to = {row.session_id: row for row in both if row.participant_id == to}
    for session_id, theirs in of_giver.items():
        own = of_to.get(session_id)
        if own is not None and reflection_rank(own) >= reflection_rank(theirs):
            continue
        _delete_reflections(connection, session_id, [giver, to])
        moved = [{**_columns(theirs), "participant_id": to}]
        if own is not None:
            moved.append({**_columns(own), "participant_id": giver})
        for row in moved:
            connection.execute(sa.insert(reflection).values(row))


def _columns(row: Any) -> dict[str, Any]:
    return dict(row._mapping)


def _delete_reflections(connection: sa.Connection, session_id: UUID, participant_ids: list[int]) -> None:
    of_them = reflection.c.participant_id.in_(participant_ids) & (reflection.c.session_id == session_id)
    connection.execute(sa.delete(reflection).where(of_them))
