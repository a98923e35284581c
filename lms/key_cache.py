"""Platform keys: cached in the database, parsed in the process, fetched again for an unknown key id.

A launch with a known key makes no outgoing call and, mostly, does not even ask the database. An unknown `kid` causes
one fetch, and a flood of them no more than one in COOL_DOWN, over all processes; while a fetch fails, the keys at hand
are used. What the platform no longer publishes is trusted for FRESH at most, if it can be asked.
"""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from joserfc.jwk import KeySet, RSAKey

from config.clock import Clock
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.platform_keys import FETCH_WITHIN_S, fetch_key_set
from lms.turnstile import TooManyWait, Turnstile
from series.store.database import Database
from series.store.keys import CachedKeySet, cached_key_set, claim_key_fetch, save_key_fetch

FRESH = timedelta(hours=1)
COOL_DOWN = timedelta(seconds=60)
TRUSTED = timedelta(seconds=10)  # without a look into the database, where another process may have put other keys
LEASE = timedelta(seconds=FETCH_WITHIN_S + 5)
LOOK_AGAIN_S = 0.1
SHORT_S = 1.0


class KeysUnreachable(Exception):
    """There are no keys at hand and the platform gives none."""


class Need(Enum):
    """What a launch needs of the platform before it can be verified."""

    NOTHING = "nothing"
    FRESHER_KEYS = "fresher keys"
    KEYS = "keys"
    KEYS_ON_THEIR_WAY = "keys that somebody else is fetching"


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A row of the cache, parsed; `read_at` is when it was read."""

    cached: CachedKeySet
    key_set: KeySet
    kids: frozenset[str | None]
    read_at: datetime


class PlatformKeys:
    """The public keys of all platforms. May be shared by threads."""

    def __init__(self, database: Database, http: GuardedSession, clock: Clock, turnstile: Turnstile) -> None:
        self._database = database
        self._http = http
        self._clock = clock
        self._turnstile = turnstile
        self._held: dict[int, _Held] = {}
        self._fetching: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def key_set(self, platform_id: int, jwks_uri: str, *, wanted_kid: str) -> KeySet:
        """Keys among which `wanted_kid` is, if the platform has it. Raises KeysUnreachable.

        A class that opens the activity at once after a key rotation waits for one fetch; when the keys at hand are only
        old, nobody else waits.
        """
        held = self._held.get(platform_id)
        if held is None or not self._serves(held, wanted_kid):
            held = self._looked_up(platform_id, jwks_uri, wanted_kid)
        if held is None or not held.kids:
            raise KeysUnreachable
        return held.key_set

    def _serves(self, held: _Held, wanted_kid: str) -> bool:
        now = self._clock.now()
        is_fresh = abs(now - held.cached.attempted_at) <= FRESH
        return wanted_kid in held.kids and is_fresh and abs(now - held.read_at) < TRUSTED

    def _looked_up(self, platform_id: int, jwks_uri: str, wanted_kid: str) -> _Held | None:
        held = self._read(platform_id)
        need = self._need(held, wanted_kid)
        if need is Need.NOTHING:
            return held
        # Threads of this process queue here; other processes wait for the row.
        patience_s = 0.0 if need is Need.FRESHER_KEYS else FETCH_WITHIN_S
        try:
            with self._turnstile.place(platform_id):
                if not self._fetching[platform_id].acquire(timeout=patience_s):
                    return held
                try:
                    return self._fetched(platform_id, jwks_uri, wanted_kid)
                finally:
                    self._fetching[platform_id].release()
        except TooManyWait:  # a whole class at once: long enough for an LMS that answers, too short to hold up others
            if self._fetching[platform_id].acquire(timeout=min(patience_s, SHORT_S)):
                self._fetching[platform_id].release()
            return self._read(platform_id)

    def _fetched(self, platform_id: int, jwks_uri: str, wanted_kid: str) -> _Held | None:
        give_up_at = time.monotonic() + FETCH_WITHIN_S
        while True:
            held = self._read(platform_id)
            need = self._need(held, wanted_kid)
            if need is Need.NOTHING:
                return held
            if need is not Need.KEYS_ON_THEIR_WAY and self._claim(platform_id):
                self._fetch(platform_id, jwks_uri)
                return self._read(platform_id)
            if need is Need.FRESHER_KEYS or time.monotonic() > give_up_at:
                return held
            time.sleep(LOOK_AGAIN_S)

    def _need(self, held: _Held | None, wanted_kid: str) -> Need:
        if held is None:
            return Need.KEYS
        ahead = held.cached.attempted_at - self._clock.now()
        if wanted_kid in held.kids:
            return Need.FRESHER_KEYS if abs(ahead) > FRESH else Need.NOTHING
        if timedelta(0) < ahead <= LEASE:
            return Need.KEYS_ON_THEIR_WAY
        return Need.NOTHING if abs(ahead) <= COOL_DOWN else Need.KEYS

    def _read(self, platform_id: int) -> _Held | None:
        with self._database.read() as connection:
            cached = cached_key_set(connection, platform_id)
        if cached is None:
            return None
        before = self._held.get(platform_id)
        if before is not None and before.cached.key_set == cached.key_set:
            key_set = before.key_set
        else:
            # Not import_key_set, which raises when there is none.
            key_set = KeySet([RSAKey.import_key(key) for key in json.loads(cached.key_set or '{"keys": []}')["keys"]])
        kids = frozenset(key.kid for key in key_set.keys)
        held = _Held(cached=cached, key_set=key_set, kids=kids, read_at=self._clock.now())
        self._held[platform_id] = held
        return held

    def _claim(self, platform_id: int) -> bool:
        with self._database.write() as connection:
            return claim_key_fetch(connection, platform_id, now=self._clock.now(), lease=LEASE, cool_down=COOL_DOWN)

    def _fetch(self, platform_id: int, jwks_uri: str) -> None:
        """Whether it worked or not, the time is noted afterwards: who comes meanwhile waits for what it brings."""
        try:
            key_set = fetch_key_set(self._http, jwks_uri)
        except LmsError:
            key_set = None
        with self._database.write() as connection:
            save_key_fetch(connection, platform_id, key_set, now=self._clock.now())
