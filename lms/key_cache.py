"""Platform keys: cached in the database, parsed in the process, fetched again for an unknown key id.

A launch normally makes no outgoing call. An unknown `kid` causes one fetch, and a flood of them no more than one in
COOL_DOWN; while a fetch fails, the keys at hand are used.
"""

import json
import threading
from collections import defaultdict
from datetime import timedelta
from enum import Enum

from joserfc.jwk import KeySet

from config.clock import Clock
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.platform_keys import fetch_key_set
from series.store.database import Database
from series.store.keys import CachedKeySet, cached_key_set, save_key_fetch

FRESH = timedelta(hours=24)
COOL_DOWN = timedelta(seconds=60)


class KeysUnreachable(Exception):
    """There are no keys at hand and the platform gives none."""


class Need(Enum):
    """What a launch needs of the platform before it can be verified."""

    NOTHING = "nothing"
    FRESHER_KEYS = "fresher keys"
    KEYS = "keys"


class PlatformKeys:
    """The public keys of all platforms."""

    def __init__(self, database: Database, http: GuardedSession, clock: Clock) -> None:
        self._database = database
        self._http = http
        self._clock = clock
        self._parsed: dict[int, tuple[str, KeySet]] = {}
        self._fetching: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def key_set(self, platform_id: int, jwks_uri: str, *, wanted_kid: str) -> KeySet:
        """Keys among which `wanted_kid` is, if the platform has it. Raises KeysUnreachable.

        A class that opens the activity at once after a key rotation waits for one fetch; when the keys at hand are only
        old, nobody waits.
        """
        cached = self._cached(platform_id)
        need = self._need(platform_id, cached, wanted_kid)
        if need is not Need.NOTHING and self._fetching[platform_id].acquire(blocking=need is Need.KEYS):
            try:
                cached = self._cached(platform_id)
                if self._need(platform_id, cached, wanted_kid) is not Need.NOTHING:
                    self._fetch(platform_id, jwks_uri)
                    cached = self._cached(platform_id)
            finally:
                self._fetching[platform_id].release()
        if cached is None or cached.key_set is None:
            raise KeysUnreachable
        return self._parse(platform_id, cached.key_set)

    def _cached(self, platform_id: int) -> CachedKeySet | None:
        with self._database.read() as connection:
            return cached_key_set(connection, platform_id)

    def _need(self, platform_id: int, cached: CachedKeySet | None, wanted_kid: str) -> Need:
        now = self._clock.now()
        if cached is None:
            return Need.KEYS
        if abs(now - cached.attempted_at) < COOL_DOWN:
            return Need.NOTHING
        if cached.key_set is None or cached.fetched_at is None:
            return Need.KEYS
        if all(key.kid != wanted_kid for key in self._parse(platform_id, cached.key_set).keys):
            return Need.KEYS
        return Need.FRESHER_KEYS if abs(now - cached.fetched_at) > FRESH else Need.NOTHING

    def _fetch(self, platform_id: int, jwks_uri: str) -> None:
        """Whether it worked or not, the time is noted afterwards: who comes meanwhile waits for what it brings."""
        try:
            key_set = fetch_key_set(self._http, jwks_uri)
        except LmsError:
            key_set = None
        with self._database.write() as connection:
            save_key_fetch(connection, platform_id, key_set, now=self._clock.now())

    def _parse(self, platform_id: int, key_set: str) -> KeySet:
        parsed = self._parsed.get(platform_id)
        if parsed is None or parsed[0] != key_set:
            parsed = (key_set, KeySet.import_key_set(json.loads(key_set)))
            self._parsed[platform_id] = parsed
        return parsed[1]
