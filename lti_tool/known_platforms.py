"""The registered LMSs as this process has read them a moment ago, so that most logins and launches ask no database.

Whoever is disabled meanwhile gets as far as the launch: its transaction looks once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.clock import Clock
from series.store.database import Database
from series.store.universities import PlatformRow, find_platform, get_platform, platforms_of_issuer

TRUSTED = timedelta(seconds=10)
_Key = tuple[str, str | int]
_Rows = tuple[PlatformRow | None, ...]


@dataclass(frozen=True, kw_only=True)
class _Held:
    rows: _Rows
    read_at: datetime


class KnownPlatforms:
    """May be shared by threads. Only what is registered is held, so that nobody can fill it with names."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._held: dict[_Key, _Held] = {}

    def of_slug(self, slug: str) -> PlatformRow | None:
        return self._look_up(("slug", slug), lambda: self._one(slug))[0]

    def of_id(self, platform_id: int) -> PlatformRow | None:
        return self._look_up(("id", platform_id), lambda: self._one(platform_id))[0]

    def of_issuer(self, issuer: str) -> list[PlatformRow]:
        """Cloud LMSs share one issuer between all their customers, so there may be several."""
        return [row for row in self._look_up(("issuer", issuer), lambda: self._all(issuer)) if row is not None]

    def _look_up(self, key: _Key, read: Callable[[], _Rows]) -> _Rows:
        now = self._clock.now()
        held = self._held.get(key)
        if held is None or abs(now - held.read_at) >= TRUSTED:
            held = _Held(rows=read(), read_at=now)
            if any(held.rows):
                self._held[key] = held
            else:
                self._held.pop(key, None)
        return held.rows

    def _one(self, name: str | int) -> _Rows:
        with self._database.read() as connection:
            return (find_platform(connection, name) if isinstance(name, str) else get_platform(connection, name),)

    def _all(self, issuer: str) -> _Rows:
        with self._database.read() as connection:
            return tuple(platforms_of_issuer(connection, issuer))
