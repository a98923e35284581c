"""Persons in the audit: who reads a line finds them by their number; what a seal covers are commitments.

Rows of participants are locked before lines of the audit, here and where both are written: else two could wait for
each other.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from series.audit_lines import (
    ERASED,
    SALT_BYTES,
    AuditLine,
    Place,
    commit,
    in_audit,
    with_participant,
)
from series.store.database import insert
from series.store.privacy_tables import audit_salt, audit_seal
from series.store.tables import audit, participant
from series.store.turns import is_somebody


def forget(connection: sa.Connection, participant_id: int) -> int:
    """Take a participant out of the audit and destroy their salt: the lines stay, their seals hold, and nobody can show
    any more whom they meant. What the lines told about them goes as well. How many lines; may be repeated."""
    _lock_participants(connection, [participant_id])
    lines = _lines_naming(connection, participant_id)
    for line in lines:
        _take_out(connection, line, {participant_id})
    connection.execute(sa.delete(audit_salt).where(audit_salt.c.participant_id == participant_id))
    return len(lines)


@dataclass(frozen=True, kw_only=True)
class LinesOf:
    """Of many: the numbers of the lines that name each of them. `last_id`: up to which line was looked."""

    lines: Mapping[int, Sequence[int]]
    last_id: int


def find_lines(connection: sa.Connection, participant_ids: Set[int]) -> LinesOf:
    """In one pass over the audit, where `forget` goes through all of it for each of them."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    last_id = 0
    query = sa.select(audit).where(_NAMES_SOMEBODY).order_by(audit.c.id).execution_options(yield_per=1_000)
    for line in map(line_of, connection.execute(query)):
        last_id = line.line_id
        for participant_id in line.person_ids & participant_ids:
            found[participant_id].append(last_id)
    return LinesOf(lines=found, last_id=last_id)


def forget_some(connection: sa.Connection, some: Collection[int], found: LinesOf) -> int:
    """What `forget` does, for some of those who were found, and what has come behind. May be repeated."""
    _lock_participants(connection, some)
    numbers = sorted({number for one in some for number in found.lines.get(one, ())})
    named = [audit.c.id.in_(numbers[begin : begin + 1_000]) for begin in range(0, len(numbers), 1_000)]
    sealed_to, changed = _sealed_to(connection), 0
    for which in (*named, (audit.c.id > found.last_id) & _NAMES_SOMEBODY):
        lines = connection.execute(sa.select(audit).where(which).order_by(audit.c.id).with_for_update()).all()
        for line in map(line_of, lines):
            if not line.person_ids.isdisjoint(some) and _may_change(line, sealed_to):
                _take_out(connection, line, some)
                changed += 1
    connection.execute(sa.delete(audit_salt).where(audit_salt.c.participant_id.in_(some)))
    return changed


NAMES_IN_DETAIL = audit.c.detail.like('%"participant": %')
_NAMES_SOMEBODY = sa.or_(audit.c.actor.like("participant %"), audit.c.object.like("participant %"), NAMES_IN_DETAIL)


def _take_out(connection: sa.Connection, line: AuditLine, participant_ids: Collection[int]) -> None:
    there = [place for place, person_id in line.persons.items() if person_id in participant_ids]
    _change(connection, line, {place: "{}" if place is Place.DETAIL else ERASED for place in there})


def hand_over(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """Two participants are one person: what the audit says of `dropped` is of `kept` from now on. The salts go with it,
    so that every commitment can still be shown to be theirs."""
    _lock_participants(connection, [kept, dropped])
    for line in _lines_naming(connection, dropped):
        there = [place for place, person_id in line.persons.items() if person_id == dropped]
        texts = {place: in_audit(kept) for place in there}
        if Place.DETAIL in texts:
            texts[Place.DETAIL] = with_participant(line.detail, dropped=dropped, kept=kept)
        _change(connection, line, texts)
    connection.execute(sa.update(audit_salt).where(audit_salt.c.participant_id == dropped).values(participant_id=kept))


def commit_persons(
    connection: sa.Connection, lines: Iterable[AuditLine], salts: dict[int, tuple[bytes, ...]]
) -> list[AuditLine]:
    """The lines with their commitments, which are also written. Whoever has no salt is nobody whom we know: a number
    that tells of no one, which stays as it is."""
    committed = [_committed(line, salts) for line in lines]
    rows = [
        {"row_id": line.line_id, **{f"new_{name}": getattr(line, name) for name in _COMMITMENTS}}
        for line in committed
        if line.commitments
    ]
    if rows:
        update = sa.update(audit).where(audit.c.id == sa.bindparam("row_id"))
        connection.execute(update.values(**{name: sa.bindparam(f"new_{name}") for name in _COMMITMENTS}), rows)
    return committed


_COMMITMENTS = ("actor_commitment", "object_commitment", "detail_commitment")


def ensure_salts(connection: sa.Connection, participant_ids: Collection[int]) -> dict[int, tuple[bytes, ...]]:
    """Of those of them who are still there; more than one of whom was two participants once."""
    there = _lock_participants(connection, participant_ids)
    if not there:
        return {}
    found = salts_of(connection, there)
    made = {one: secrets.token_bytes(SALT_BYTES) for one in there if one not in found}
    if made:
        rows = [{"participant_id": one, "salt": salt} for one, salt in made.items()]
        connection.execute(insert(connection, audit_salt), rows)
    return found | {one: (salt,) for one, salt in made.items()}


def salts_of(connection: sa.Connection, participant_ids: Collection[int]) -> dict[int, tuple[bytes, ...]]:
    return _salts(connection, audit_salt.c.participant_id.in_(participant_ids))


def salts_of_all(connection: sa.Connection) -> dict[int, tuple[bytes, ...]]:
    return _salts(connection, sa.true())


def _salts(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> dict[int, tuple[bytes, ...]]:
    query = sa.select(audit_salt).where(condition).order_by(audit_salt.c.salt)
    found: dict[int, tuple[bytes, ...]] = {}
    for row in connection.execute(query):
        found[row.participant_id] = (*found.get(row.participant_id, ()), row.salt)
    return found


def line_of(row: Any) -> AuditLine:
    return AuditLine(
        line_id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        thing=row.object,
        detail=row.detail,
        actor_commitment=row.actor_commitment,
        object_commitment=row.object_commitment,
        detail_commitment=row.detail_commitment,
    )


def _committed(line: AuditLine, salts: dict[int, tuple[bytes, ...]]) -> AuditLine:
    made = {
        place: commit(salts[person_id][0], line, place)
        for place, person_id in line.persons.items()
        if person_id in salts
    }
    return replace(
        line,
        actor_commitment=made.get(Place.ACTOR),
        object_commitment=made.get(Place.THING),
        detail_commitment=made.get(Place.DETAIL),
    )


def _change(connection: sa.Connection, line: AuditLine, texts: dict[Place, str]) -> None:
    values = {place.value: text for place, text in texts.items()}
    connection.execute(sa.update(audit).where(audit.c.id == line.line_id).values(values))


def _lines_naming(connection: sa.Connection, participant_id: int) -> list[AuditLine]:
    name = in_audit(participant_id)
    query = sa.select(audit).where(
        sa.or_(
            audit.c.actor == name,
            audit.c.object == name,
            audit.c.detail.like(f'%"participant": {participant_id}%'),  # or of another whose number begins so
        )
    )
    found = [line_of(row) for row in connection.execute(query.with_for_update())]
    sealed_to = _sealed_to(connection)
    return [line for line in found if participant_id in line.person_ids and _may_change(line, sealed_to)]


def _sealed_to(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.max(audit_seal.c.last_audit_id))).scalar_one() or 0


def _may_change(line: AuditLine, sealed_to: int) -> bool:
    """Not what was sealed when that number was nobody's: whoever has it now is not meant."""
    return bool(line.commitments) or line.line_id > sealed_to


def _lock_participants(connection: sa.Connection, participant_ids: Collection[int]) -> list[int]:
    """Those who are there and were not erased, in the order in which everybody locks them. Whoever only writes rows
    that point to them, as a launch does, neither waits for us nor we for them."""
    query = sa.select(participant.c.id).where(participant.c.id.in_(participant_ids), is_somebody)
    return list(connection.execute(query.order_by(participant.c.id).with_for_update(key_share=True)).scalars())
