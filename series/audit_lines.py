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
from typing import Any

ERASED = "erased participant"  # in place of whom was erased
SALT_BYTES = 32
_PERSON = re.compile(r"participant ([0-9]+)")


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
    def actor_id(self) -> int | None:
        return person_of(self.actor)

    @property
    def thing_id(self) -> int | None:
        return person_of(self.thing)

    @property
    def subject_id(self) -> int | None:
        """The participant whom the detail is about; None: nobody, or the actor alone."""
        return self.thing_id if self.thing_id is not None else _participant_in(self.detail)

    @property
    def person_ids(self) -> frozenset[int]:
        named = (self.actor_id, self.thing_id, self.subject_id)
        return frozenset(one for one in named if one is not None)


def in_audit(participant_id: int) -> str:
    """How a participant stands in the audit, and wherever else we write down who said something."""
    return f"participant {participant_id}"


def person_of(text: str) -> int | None:
    """The participant that an actor or a thing is; None: somebody or something else."""
    found = _PERSON.fullmatch(text)
    return int(found[1]) if found else None


def commit_person(salt: bytes, line_id: int, *, place: str) -> str:
    """`place`: actor, object."""
    return _commit(salt, [line_id, place])


def commit_detail(salt: bytes, line_id: int, detail: str) -> str:
    """Without the number of the participant, which changes when two turn out to be one person."""
    return _commit(salt, [line_id, "detail", {**_parsed(detail), "participant": None}])


def with_participant(detail: str, participant_id: int) -> str:
    """The same detail about a participant of another number."""
    return json.dumps({**_parsed(detail), "participant": participant_id})


def _commit(salt: bytes, what: list[Any]) -> str:
    return hmac.digest(salt, json.dumps(what, sort_keys=True).encode(), "sha256").hex()


def _participant_in(detail: str) -> int | None:
    found = _parsed(detail).get("participant")
    return found if isinstance(found, int) else None


def _parsed(detail: str) -> dict[str, Any]:
    """Nothing of what is no object: somebody has written there by hand, and the seal will say so."""
    try:
        found = json.loads(detail)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
