"""Platform keys: cached in the database, parsed in the process, fetched again for an unknown key id.

A launch normally makes no outgoing call. An unknown `kid` causes one fetch, and a flood of them no more than one in
COOL_DOWN; while a fetch fails, the keys at hand are used.
"""

import json
from datetime import datetime, timedelta

from joserfc.jwk import KeySet

from config.clock import Clock
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.platform_keys import fetch_key_set
from series.store.database import Database
from series.store.keys import CachedKeySet, cached_key_set, note_key_fetch, save_key_set

FRESH = timedelta(hours=24)
COOL_DOWN = timedelta(seconds=60)


class KeysUnreachable(Exception):
    """There are no keys at hand and the platform gives none."""


class PlatformKeys:
    """The public keys of all platforms."""

    def __init__(self, database: Database, http: GuardedSession, clock: Clock) -> None:
        self._database = database
        self._http = http
        self._clock = clock
        self._parsed: dict[int, tuple[str, KeySet]] = {}

    def key_set(self, platform_id: int, jwks_uri: str, *, wanted_kid: str) -> KeySet:
        """Keys among which `wanted_kid` is, if the platform has it. Raises KeysUnreachable."""
        now = self._clock.now()
        with self._database.read() as connection:
            cached = cached_key_set(connection, platform_id)
        if cached is None or self._must_fetch(platform_id, cached, wanted_kid, now):
            self._fetch(platform_id, jwks_uri, now)
            with self._database.read() as connection:
                cached = cached_key_set(connection, platform_id)
        if cached is None or cached.key_set is None:
            raise KeysUnreachable
        return self._parse(platform_id, cached.key_set)

    def _must_fetch(self, platform_id: int, cached: CachedKeySet, wanted_kid: str, now: datetime) -> bool:
        if abs(now - cached.attempted_at) < COOL_DOWN:
            return False
        if cached.key_set is None or cached.fetched_at is None or now - cached.fetched_at > FRESH:
            return True
        return all(key.kid != wanted_kid for key in self._parse(platform_id, cached.key_set).keys)

    def _fetch(self, platform_id: int, jwks_uri: str, now: datetime) -> None:
        with self._database.write() as connection:
            note_key_fetch(connection, platform_id, now=now)
        try:
            key_set = fetch_key_set(self._http, jwks_uri)
        except LmsError:
            return
        with self._database.write() as connection:
            save_key_set(connection, platform_id, key_set, now=now)

    def _parse(self, platform_id: int, key_set: str) -> KeySet:
        parsed = self._parsed.get(platform_id)
        if parsed is None or parsed[0] != key_set:
            parsed = (key_set, KeySet.import_key_set(json.loads(key_set)))
            self._parsed[platform_id] = parsed
        return parsed[1]
