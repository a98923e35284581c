"""Persons in the audit: who reads a line finds them by their number; what a seal covers are commitments.

Rows of participants are locked before lines of the audit, here and where both are written: else two could wait for
each other.
"""

import secrets
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from series.audit_lines import (
    ERASED,
    SALT_BYTES,
    AuditLine,
    commit_detail,
    commit_person,
    in_audit,
    with_participant,
)
from series.store.database import insert
from series.store.privacy_tables import audit_salt
from series.store.tables import audit, participant


def forget(connection: sa.Connection, participant_id: int) -> int:
    """Take a participant out of the audit and destroy their salt: the lines stay, their seals hold, and nobody can show
    any more whom they meant. What the lines told about them goes as well. How many lines; may be repeated."""
    _lock_participants(connection, [participant_id])
    lines = _lines_naming(connection, participant_id)
    for line in lines:
        values = {}
        if line.actor_id == participant_id:
            values["actor"] = ERASED
        if line.thing_id == participant_id:
            values["object"] = ERASED
        if line.subject_id == participant_id:
            values["detail"] = "{}"
        connection.execute(sa.update(audit).where(audit.c.id == line.line_id).values(values))
    connection.execute(sa.delete(audit_salt).where(audit_salt.c.participant_id == participant_id))
    return len(lines)


def hand_over(connection: sa.Connection, *, kept: int, dropped: int) -> None:
    """Two participants are one person: what the audit says of `dropped` is of `kept` from now on. The salts go with it,
    so that every commitment can still be shown to be theirs."""
    _lock_participants(connection, [kept, dropped])
    for line in _lines_naming(connection, dropped):
        values = {}
        if line.actor_id == dropped:
            values["actor"] = in_audit(kept)
        if line.thing_id == dropped:
            values["object"] = in_audit(kept)
        elif line.subject_id == dropped:
            values["detail"] = with_participant(line.detail, kept)
        connection.execute(sa.update(audit).where(audit.c.id == line.line_id).values(values))
    connection.execute(sa.update(audit_salt).where(audit_salt.c.participant_id == dropped).values(participant_id=kept))


def commit_persons(connection: sa.Connection, lines: Iterable[AuditLine], salts: dict[int, tuple[bytes, ...]]) -> None:
    """Write the commitments of lines that are about to be sealed. Whoever has no salt is nobody whom we know: a number
    that tells of no one, which stays as it is."""
    found = [values for line in lines if len(values := _commitments(line, salts)) > 1]
    if not found:
        return
    connection.execute(
        sa.update(audit)
        .where(audit.c.id == sa.bindparam("line_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in _COMMITMENTS}),
        [{"line_id": None, **dict.fromkeys(f"new_{name}" for name in _COMMITMENTS), **one} for one in found],
    )


_COMMITMENTS = ("actor_commitment", "object_commitment", "detail_commitment")


def ensure_salts(connection: sa.Connection, participant_ids: Collection[int]) -> dict[int, tuple[bytes, ...]]:
    """Of those of them who are still there; more than one of whom was two participants once."""
    there = _lock_participants(connection, participant_ids)
    if not there:
        return {}
    lacking = [one for one in there if one not in salts_of(connection, there)]
    if lacking:
        rows = [{"participant_id": one, "salt": secrets.token_bytes(SALT_BYTES)} for one in lacking]
        connection.execute(insert(connection, audit_salt), rows)
    return salts_of(connection, there)


def salts_of(connection: sa.Connection, participant_ids: Collection[int]) -> dict[int, tuple[bytes, ...]]:
    query = sa.select(audit_salt).where(audit_salt.c.participant_id.in_(participant_ids)).order_by(audit_salt.c.salt)
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


def _commitments(line: AuditLine, salts: dict[int, tuple[bytes, ...]]) -> dict[str, Any]:
    values: dict[str, Any] = {"line_id": line.line_id}
    if line.actor_id in salts:
        values["new_actor_commitment"] = commit_person(salts[line.actor_id][0], line.line_id, place="actor")
    if line.thing_id in salts:
        values["new_object_commitment"] = commit_person(salts[line.thing_id][0], line.line_id, place="object")
    if line.subject_id in salts:
        values["new_detail_commitment"] = commit_detail(salts[line.subject_id][0], line.line_id, line.detail)
    return values


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
    return [line for line in found if participant_id in line.person_ids]


def _lock_participants(connection: sa.Connection, participant_ids: Collection[int]) -> list[int]:
    """Those who are there, in the order in which everybody locks them."""
    query = sa.select(participant.c.id).where(participant.c.id.in_(participant_ids)).order_by(participant.c.id)
    return list(connection.execute(query.with_for_update()).scalars())
