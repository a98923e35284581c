"""The tool's own keys (sealed) and the platforms' public keys (cached)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from series.store.database import insert
from series.store.tables import platform_key_set, tool_key
from series.tool_keys import ToolKey


class WrongEncryptionKey(Exception):
    """What the database holds was sealed with another key."""

    def __init__(self) -> None:
        super().__init__("ENCRYPTION_KEY is not the one with which this database was set up: set that one again.")


@dataclass(frozen=True, kw_only=True)
class CachedKeySet:
    """`key_set` is JSON as fetched, or None when no fetch has succeeded yet. `attempted_at`: when the last fetch ended,
    well or not; while one is under way, when its lease ends."""

    key_set: str | None
    fetched_at: datetime | None
    attempted_at: datetime


def add_tool_key(
    connection: sa.Connection,
    *,
    kid: str,
    private_key_pem: bytes,
    encryption_key: bytes,
    now: datetime,
    signs_from: datetime | None = None,
) -> None:
    """A new key of ours, published at once. It signs from `signs_from` on, or at once."""
    sealed = seal(private_key_pem, encryption_key)
    row = {"kid": kid, "private_key_sealed": sealed, "created_at": now, "signs_from": signs_from or now}
    connection.execute(sa.insert(tool_key).values(row))


def tool_keys(connection: sa.Connection, *, encryption_key: bytes) -> list[ToolKey]:
    """All keys, the newest first. Raises WrongEncryptionKey."""
    rows = connection.execute(sa.select(tool_key).order_by(tool_key.c.created_at.desc(), tool_key.c.kid))
    return [
        ToolKey(
            kid=row.kid,
            private_key_pem=unseal(row.private_key_sealed, encryption_key),
            created_at=row.created_at,
            signs_from=row.signs_from,
            retires_at=row.retires_at,
        )
        for row in rows
    ]


def lock_tool_keys(connection: sa.Connection) -> None:
    """Rotations take turns: whoever locks second sees, in statements after this one, what the first has done."""
    connection.execute(sa.select(tool_key.c.kid).order_by(tool_key.c.kid).with_for_update()).all()


def retire_tool_keys(connection: sa.Connection, kids: Collection[str], *, at: datetime) -> None:
    connection.execute(sa.update(tool_key).where(tool_key.c.kid.in_(kids)).values(retires_at=at))


def delete_tool_keys(connection: sa.Connection, kids: Collection[str]) -> None:
    connection.execute(sa.delete(tool_key).where(tool_key.c.kid.in_(kids)))


def seal(secret: bytes, encryption_key: bytes) -> str:
    """As it may stand in the database."""
    return Fernet(encryption_key).encrypt(secret).decode("ascii")


def unseal(sealed: str, encryption_key: bytes) -> bytes:
    """Raises WrongEncryptionKey."""
    try:
        return Fernet(encryption_key).decrypt(sealed)
    except InvalidToken:
        raise WrongEncryptionKey from None


def cached_key_set(connection: sa.Connection, platform_id: int) -> CachedKeySet | None:
    row = connection.execute(
        sa.select(platform_key_set).where(platform_key_set.c.platform_id == platform_id)
    ).one_or_none()
    if row is None:
        return None
    return CachedKeySet(key_set=row.key_set, fetched_at=row.fetched_at, attempted_at=row.attempted_at)


def claim_key_fetch(
    connection: sa.Connection, platform_id: int, *, now: datetime, lease: timedelta, cool_down: timedelta
) -> bool:
    """Whether the caller may fetch the key set now: of all processes one, and at most once in a cool-down.

    A claim whose process died ends with its lease, and then counts as a fetch that failed.
    """
    attempted_at = platform_key_set.c.attempted_at
    claim = (
        insert(connection, platform_key_set)
        .values(platform_id=platform_id, attempted_at=now + lease)
        .on_conflict_do_update(
            index_elements=["platform_id"],
            set_={"attempted_at": now + lease},
            # A time that lies further ahead is of a clock that was put back since.
            where=~attempted_at.between(now - cool_down, now + cool_down),
        )
        .returning(attempted_at)
    )
    return connection.execute(claim).one_or_none() is not None


def save_key_fetch(connection: sa.Connection, platform_id: int, key_set: str | None, *, now: datetime) -> None:
    """What a fetch brought; None when it failed, and the keys at hand stay."""
    brought = {} if key_set is None else {"key_set": key_set, "fetched_at": now}
    values = {"attempted_at": now, **brought}
    connection.execute(
        insert(connection, platform_key_set)
        .values(platform_id=platform_id, **values)
        .on_conflict_do_update(index_elements=["platform_id"], set_=values)
    )
