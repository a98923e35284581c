"""Seals over the audit, each over the one before it, and what is wrong where they do not hold.

A seal is an HMAC-SHA256 (https://www.rfc-editor.org/rfc/rfc2104) over the digests of its lines and the seal before it.
Its key is derived from a setting and never in the database, so that whoever can write there can still not seal. What
no chain can show by itself is that its end was cut off together with the lines: for this somebody keeps the last seal
elsewhere (the worker logs each), and verify is told it.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from series.audit_lines import AuditLine, commit
from series.proofs import prove

OF_LINE, OF_SEAL = "line of the audit", "seal of the audit"
LINES_OF_SEAL = 500  # at most
_DIGEST_HEX = 24


class Wrong(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    SOMEBODY_ELSE = "somebody_else"
    SEAL_BROKEN = "seal_broken"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`line_id`: of the line it is about, or 0. `other_id`: with which it has changed places."""

    wrong: Wrong
    line_id: int = 0
    seal_id: int = 0
    other_id: int = 0


@dataclass(frozen=True, kw_only=True)
class Seal:
    """`digests` by line id, in order. `seal_id` 0: it is being made."""

    seal_id: int = 0
    first_line_id: int
    last_line_id: int
    digests: Mapping[int, str]
    sealed_at: datetime
    seal: str


def seal_lines(lines: Sequence[AuditLine], *, previous: str, now: datetime, secret_key: bytes) -> Seal:
    """`lines` in order, with their commitments, at least one. `previous`: the seal before; empty: it is the first."""
    unsealed = Seal(
        first_line_id=lines[0].line_id,
        last_line_id=lines[-1].line_id,
        digests={line.line_id: _digest(line, secret_key) for line in lines},
        sealed_at=now,
        seal="",
    )
    return replace(unsealed, seal=_seal_of(unsealed, previous, secret_key))


def check_seal(seal: Seal, lines: Sequence[AuditLine], *, previous: str, secret_key: bytes) -> list[Finding]:
    """`lines`: all that are there since the last line of the seal before, up to the last of this one."""
    if not hmac.compare_digest(_seal_of(seal, previous, secret_key), seal.seal):
        return [Finding(wrong=Wrong.SEAL_BROKEN, seal_id=seal.seal_id, line_id=seal.first_line_id)]
    there = {line.line_id: line for line in lines}
    findings = [Finding(wrong=Wrong.REMOVED, line_id=one) for one in seal.digests if one not in there]
    findings += [Finding(wrong=Wrong.INSERTED, line_id=one) for one in there if one not in seal.digests]
    sealed = {one: line for one, line in there.items() if one in seal.digests}
    differ = [line for one, line in sealed.items() if _digest(line, secret_key) != seal.digests[one]]
    findings += [_difference(line, differ, seal, secret_key) for line in differ]
    return sorted(findings, key=lambda finding: finding.line_id)


def check_persons(line: AuditLine, salts: Mapping[int, Sequence[bytes]]) -> list[Finding]:
    """Whether a sealed line still names whom it was sealed with. `salts`: of all who are not erased."""
    for place, commitment in line.commitments.items():
        person_id = line.persons[place]
        tried = salts.get(person_id, ()) if person_id is not None else [salt for own in salts.values() for salt in own]
        is_shown = any(hmac.compare_digest(commit(salt, line, place), commitment) for salt in tried)
        if is_shown != (person_id is not None):  # named, and not shown; or taken out, and still to be shown
            return [Finding(wrong=Wrong.SOMEBODY_ELSE, line_id=line.line_id)]
    return []


def digests_as_text(digests: Mapping[int, str]) -> str:
    return " ".join(f"{line_id}:{digest}" for line_id, digest in digests.items())


def digests_from_text(text: str) -> dict[int, str]:
    """Of what is malformed, nothing: then the seal does not hold."""
    pairs = (part.partition(":") for part in text.split())
    return {int(line_id): digest for line_id, _, digest in pairs if line_id.isascii() and line_id.isdecimal()}


def _difference(line: AuditLine, differ: Sequence[AuditLine], seal: Seal, secret_key: bytes) -> Finding:
    for other in differ:
        in_its_place = replace(other, line_id=line.line_id)
        if other is not line and _digest(in_its_place, secret_key) == seal.digests[line.line_id]:
            return Finding(wrong=Wrong.SWAPPED, line_id=line.line_id, other_id=other.line_id)
    return Finding(wrong=Wrong.CHANGED, line_id=line.line_id)


def _digest(line: AuditLine, secret_key: bytes) -> str:
    """Under the key, because what is short and likely could be found by trying."""
    parts = [
        line.line_id,
        line.at.isoformat(),
        line.action,
        _covered(line.actor, line.actor_commitment),
        _covered(line.thing, line.object_commitment),
        _covered(line.detail, line.detail_commitment),
    ]
    return prove(json.dumps(parts).encode(), OF_LINE, secret_key=secret_key).hex()[:_DIGEST_HEX]


def _covered(text: str, commitment: str | None) -> list[str]:
    return ["text", text] if commitment is None else ["commitment", commitment]


def _seal_of(seal: Seal, previous: str, secret_key: bytes) -> str:
    parts = [
        previous,
        seal.first_line_id,
        seal.last_line_id,
        digests_as_text(seal.digests),
        seal.sealed_at.isoformat(),
    ]
    return prove(json.dumps(parts).encode(), OF_SEAL, secret_key=secret_key).hex()
