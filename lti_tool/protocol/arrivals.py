"""Which claims an LMS sends: their names, and never a value; and which of our custom parameters it did not know."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from lti_tool.protocol.claims import short_name
from lti_tool.protocol.constants import CLAIM

LOOKED_INTO = ("lis", "custom", "ext")  # whose members are personal data, or not
MAX_NAMES, MAX_NAME_CHARS = 100, 100
MAX_CLAIM_CHARS = 200  # more than its short name and what stands before that
_CLAIMS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """`claims`: in order, such as `email` and `lis.person_sourcedid`. `unexpanded`: custom parameters that came back as
    they were sent, so that the LMS does not know their variables."""

    message_type: str
    claims: tuple[str, ...]
    unexpanded: tuple[str, ...]


def arrival_of(payload: bytes) -> Arrival | None:
    """Of a verified launch; None for one that names no type, or is no object."""
    claims = _object(payload)
    message_type = _text(claims.get(CLAIM + "message_type"))
    if not message_type:
        return None
    names: list[str] = []
    unexpanded: list[str] = []
    for claim, value in claims.items():
        short = _short_name(claim[:MAX_CLAIM_CHARS])
        members = _object(value) if short in LOOKED_INTO else {}
        names += [f"{short}.{member}" for member in members] or [short]
        if short == "custom":
            unexpanded += [member for member, sent in members.items() if _text(sent).startswith("$")]
    return Arrival(message_type=message_type[:64], claims=_kept(names), unexpanded=_kept(unexpanded))


def together(one: Arrival, other: Arrival) -> Arrival:
    """Of two launches with the same type of message: a teacher's may bring other claims than a student's."""
    return Arrival(
        message_type=one.message_type,
        claims=_kept([*one.claims, *other.claims]),
        unexpanded=_kept([*one.unexpanded, *other.unexpanded]),
    )


_short_name = lru_cache(maxsize=512)(short_name)  # an LMS sends the same ones with each launch


def _kept(names: list[str]) -> tuple[str, ...]:
    """An LMS may send any number of any length."""
    return tuple(sorted({name[:MAX_NAME_CHARS] for name in names}))[:MAX_NAMES]


def _object(text: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return _CLAIMS.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _text(value: msgspec.Raw | None) -> str:
    try:
        return _TEXT.decode(value) if value is not None else ""
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
