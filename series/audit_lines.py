"""Lines of the audit: whom they name, and what of them a seal covers in place of persons.

A seal must hold after an erasure has taken a person out of the lines. So it covers, in place of each person, a
commitment: an HMAC under a salt of that person, other in every line. Who has the salt can show that a line means this
person; once it is destroyed nobody can, and no two lines can be told to be of one person.
"""

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

ERASED = "erased participant"  # in place of whom was erased
SALT_BYTES = 32
_PERSON = re.compile(r"participant ([0-9]+)")
_STAFF = re.compile(r"staff ([0-9]+)")


class Place(StrEnum):
    """Where a line may name a participant."""

    ACTOR = "actor"
    THING = "object"
    DETAIL = "detail"


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """As it is stored; `detail` is JSON."""

    line_id: int
    at: datetime
    actor: str
    action: str
    thing: str
    detail: str
    actor_commitment: str | None = None
    object_commitment: str | None = None
    detail_commitment: str | None = None

    @property
    def persons(self) -> dict[Place, int | None]:
        """The participant at each place; None: nobody, or none any more. The detail is about the participant to whom
        something was done, or whom it names itself."""
        thing = person_of(self.thing)
        return {
            Place.ACTOR: person_of(self.actor),
            Place.THING: thing,
            Place.DETAIL: thing if thing is not None else participant_in(self.detail),
        }

    @property
    def details(self) -> dict[str, Any]:
        return _parsed(self.detail)

    @property
    def person_ids(self) -> frozenset[int]:
        return frozenset(one for one in self.persons.values() if one is not None)

    @property
    def commitments(self) -> dict[Place, str]:
        """Of the places that have one."""
        every = {
            Place.ACTOR: self.actor_commitment,
            Place.THING: self.object_commitment,
            Place.DETAIL: self.detail_commitment,
        }
        return {place: one for place, one in every.items() if one is not None}


def in_audit(participant_id: int) -> str:
    """How a participant stands in the audit, and wherever else we write down who said something."""
    return f"participant {participant_id}"


def person_of(text: str) -> int | None:
    """The participant that an actor or a thing is; None: somebody or something else."""
    found = _PERSON.fullmatch(text)
    return int(found[1]) if found else None


def staff_of(text: str) -> int | None:
    """The account of staff that an actor or a thing is; None: somebody or something else."""
    found = _STAFF.fullmatch(text)
    return int(found[1]) if found else None


def commit(salt: bytes, line: AuditLine, place: Place) -> str:
    """Of a detail, without the number of the participant, which changes when two turn out to be one person."""
    what: list[Any] = [line.line_id, place.value]
    if place is Place.DETAIL:
        what.append({**_parsed(line.detail), "participant": None})
    return hmac.digest(salt, json.dumps(what, sort_keys=True).encode(), "sha256").hex()


def with_participant(detail: str, *, dropped: int, kept: int) -> str:
    """The same detail, about `kept` where it named `dropped`."""
    if participant_in(detail) != dropped:
        return detail
    return json.dumps({**_parsed(detail), "participant": kept})


def participant_in(detail: str) -> int | None:
    """Whom a detail names itself."""
    found = _parsed(detail).get("participant")
    return found if isinstance(found, int) else None


def _parsed(detail: str) -> dict[str, Any]:
    """Nothing of what is no object: somebody has written there by hand, and the seal will say so."""
    try:
        found = json.loads(detail)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
