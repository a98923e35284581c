"""Our signing keys over time: published before they sign, and for a while after. Pure decisions; the rows are the
truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SIGNS_AFTER = timedelta(hours=24)  # LMSs keep a copy of our key set; by then each has read it anew
RETIRES_AFTER = timedelta(days=7)  # once its successor signs; what it signed last is good for minutes
FORGOTTEN_AFTER = timedelta(days=30)  # once it is published no longer


class KeyState(StrEnum):
    NEXT = "next"  # published, so that LMSs know it when it signs
    SIGNING = "signing"
    RETIRING = "retiring"  # replaced, and still published
    RETIRED = "retired"  # not published any more


@dataclass(frozen=True, kw_only=True)
class ToolKey:
    """One of our keys. `retires_at` is None until a rotation has decided it."""

    kid: str
    private_key_pem: bytes = field(repr=False)
    created_at: datetime
    signs_from: datetime
    retires_at: datetime | None

    def is_published(self, now: datetime) -> bool:
        return self.retires_at is None or now < self.retires_at


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """When the new key signs; which keys retire for it, and when; which retired so long ago that they are forgotten."""

    signs_from: datetime
    retiring_kids: tuple[str, ...]
    retires_at: datetime
    forgotten_kids: tuple[str, ...]


class NextKeyWaits(Exception):
    """There is a key already that is published and does not sign yet."""

    def __init__(self, waiting: ToolKey) -> None:
        super().__init__(waiting.kid)
        self.waiting = waiting


def signing_key(keys: Iterable[ToolKey], now: datetime) -> ToolKey | None:
    """The published key that began to sign last; None if there is no published key at all.

    Before any has begun, as after a clock was set back, it is the one that begins first.
    """
    published = [key for key in keys if key.is_published(now)]
    begun = [key for key in published if key.signs_from <= now]
    return max(begun, key=_order) if begun else min(published, key=_order, default=None)


def key_state(key: ToolKey, keys: Iterable[ToolKey], now: datetime) -> KeyState:
    """The state of one of `keys`; at most one signs at any moment."""
    if not key.is_published(now):
        return KeyState.RETIRED
    if key == signing_key(keys, now):
        return KeyState.SIGNING
    return KeyState.NEXT if key.signs_from > now else KeyState.RETIRING


def plan_rotation(keys: Sequence[ToolKey], now: datetime, *, signs_after: timedelta = SIGNS_AFTER) -> Rotation:
    """The next key signs `signs_after` from now; the present one is published for RETIRES_AFTER beyond that.

    Raises NextKeyWaits.
    """
    for key in keys:
        if key_state(key, keys, now) is KeyState.NEXT:
            raise NextKeyWaits(key)
    signs_from = now + signs_after
    return Rotation(
        signs_from=signs_from,
        retiring_kids=tuple(key.kid for key in keys if key.retires_at is None),
        retires_at=signs_from + RETIRES_AFTER,
        forgotten_kids=_forgotten(keys, now),
    )


def plan_quiet_rotation(keys: Sequence[ToolKey], now: datetime) -> Rotation:
    """As `plan_rotation`, and only when no key of an earlier one is published any more: whoever may ask for it often
    must not fill the key set. Raises NextKeyWaits."""
    for key in keys:
        if key_state(key, keys, now) is KeyState.RETIRING:
            raise NextKeyWaits(key)
    return plan_rotation(keys, now)


def plan_rotation_at_once(keys: Sequence[ToolKey], now: datetime) -> Rotation:
    """For a leaked key: the new one signs now and no other is published any more, not even one that waits, because it
    lay where the leaked one did."""
    return Rotation(
        signs_from=now,
        retiring_kids=tuple(key.kid for key in keys if key.is_published(now)),
        retires_at=now,
        forgotten_kids=_forgotten(keys, now),
    )


def _order(key: ToolKey) -> tuple[datetime, datetime, str]:
    return key.signs_from, key.created_at, key.kid


def _forgotten(keys: Iterable[ToolKey], now: datetime) -> tuple[str, ...]:
    return tuple(key.kid for key in keys if key.retires_at is not None and key.retires_at + FORGOTTEN_AFTER <= now)
