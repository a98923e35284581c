"""Our signing keys in the database, on both kinds: published, signing, rotated."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc.jwk import RSAKey

from lms.tool_keys import (
    NoToolKey,
    current_signing_key,
    ensure_tool_key,
    published_keys,
    rotate_tool_key,
)
from lti_tool.app import create_app
from series.store.database import Database
from series.store.keys import WrongEncryptionKey, add_tool_key, seal
from series.store.tables import tool_key
from series.tool_keys import NextKeyWaits, Rotation, ToolKey, plan_rotation, plan_rotation_at_once
from tests.conftest import NOW, make_settings
from tests.integration.sandbox_client import TOOL_KEY
from tests.seeds import ENCRYPTION_KEY

ANOTHER_KEY = base64.urlsafe_b64encode(b"b" * 32)
HOUR = timedelta(hours=1)
SIGNS, RETIRES, FORGOTTEN = NOW + 24 * HOUR, NOW + 8 * 24 * HOUR, NOW + 38 * 24 * HOUR


class Watch:
    """A clock that stands until it is moved."""

    at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(autouse=True)
def quick_keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter ones take a fifth of the time; one test makes them as they are."""
    if request.function is not test_pitfall_15_every_published_key_has_what_lmss_ask_for_and_nothing_private:
        monkeypatch.setattr("lms.tool_keys.KEY_BITS", 2048)


@pytest.fixture
def first(database: Database) -> str:
    """The kid of the one key there is."""
    with database.write() as connection:
        add_tool_key(
            connection,
            kid="first",
            private_key_pem=TOOL_KEY.as_pem(private=True),
            encryption_key=ENCRYPTION_KEY,
            now=NOW,
        )
    return "first"


def rotate(database: Database, *, now: datetime = NOW, encryption_key: bytes = ENCRYPTION_KEY) -> str:
    kid, _ = rotate_tool_key(database, partial(plan_rotation, now=now), encryption_key=encryption_key, now=now)
    return kid


def rotate_at_once(database: Database, *, now: datetime = NOW) -> str:
    kid, _ = rotate_tool_key(database, partial(plan_rotation_at_once, now=now), encryption_key=ENCRYPTION_KEY, now=now)
    return kid


def key_set(database: Database, now: datetime = NOW) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = published_keys(database, encryption_key=ENCRYPTION_KEY, now=now)["keys"]
    return keys


def kids(database: Database, now: datetime) -> set[str]:
    return {key["kid"] for key in key_set(database, now)}


def test_pitfall_15_every_published_key_has_what_lmss_ask_for_and_nothing_private(
    database: Database, first: str
) -> None:
    second = rotate(database)
    keys = {key["kid"]: key for key in key_set(database)}
    assert keys.keys() == {first, second}
    for key in keys.values():
        assert key.keys() == {"kty", "kid", "alg", "use", "n", "e"}
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert RSAKey.import_key(keys[second]).raw_value.key_size == 3072


def test_the_key_set_at_each_moment_of_a_rotation(database: Database, first: str) -> None:
    second = rotate(database)
    tick = timedelta(microseconds=1)
    both = {first, second}
    moments = {NOW: both, SIGNS - tick: both, SIGNS: both, RETIRES - tick: both, RETIRES: {second}}
    assert {at: kids(database, at) for at in moments} == moments


def test_who_signs_changes_by_the_clock_without_being_made_anew(database: Database, first: str) -> None:
    watch = Watch()
    current = current_signing_key(database, ENCRYPTION_KEY, watch)
    assert current().kid == first
    second = rotate(database)
    assert current().kid == first
    watch.at = SIGNS
    assert current().kid == second
    third = rotate_at_once(database, now=SIGNS)
    assert current().kid == third
    assert kids(database, SIGNS) == {third}


def test_the_key_that_signs_is_the_published_one(database: Database, first: str) -> None:
    rotate_at_once(database)
    signing = current_signing_key(database, ENCRYPTION_KEY, lambda: NOW)()
    (published,) = key_set(database)
    assert published["n"] == signing.key.as_dict(private=False)["n"]


def test_a_parsed_key_is_kept(database: Database, first: str) -> None:
    current = current_signing_key(database, ENCRYPTION_KEY, lambda: NOW)
    assert current().key is current().key


def test_a_rotation_that_must_wait_changes_nothing(database: Database, first: str) -> None:
    second = rotate(database)
    with pytest.raises(NextKeyWaits):
        rotate(database, now=SIGNS - HOUR)
    assert kids(database, NOW) == {first, second}


def two_at_once(database: Database, plan: Callable[..., Rotation]) -> list[str]:
    """The kids of the keys that two operators made who rotate in the same moment. Each, when it has read the keys,
    waits a little for the other to have read them too."""
    both_have_read = threading.Barrier(2)

    def rotate(_: int) -> str | None:
        own = Database(database.url)

        def slow_plan(keys: list[ToolKey]) -> Rotation:
            with suppress(threading.BrokenBarrierError):
                both_have_read.wait(timeout=1)
            return plan(keys, now=NOW)

        try:
            return rotate_tool_key(own, slow_plan, encryption_key=ENCRYPTION_KEY, now=NOW)[0]
        except NextKeyWaits:
            return None
        finally:
            own.dispose()

    with ThreadPoolExecutor(2) as threads:
        return [kid for kid in threads.map(rotate, range(2)) if kid is not None]


def test_of_two_rotations_at_once_one_is_made(database: Database, first: str) -> None:
    (made,) = two_at_once(database, plan_rotation)
    assert kids(database, NOW) == {first, made}


def test_of_two_replacements_at_once_one_key_is_left(database: Database, first: str) -> None:
    made = two_at_once(database, plan_rotation_at_once)
    (left,) = kids(database, NOW)
    assert left in made
    assert len(made) == 2


def test_a_key_that_retired_long_ago_is_deleted_by_the_next_rotation(database: Database, first: str) -> None:
    second = rotate(database)
    third = rotate(database, now=FORGOTTEN)
    with database.read() as connection:
        assert set(connection.execute(sa.select(tool_key.c.kid)).scalars()) == {second, third}


def test_keys_are_sealed_at_rest(database: Database, first: str) -> None:
    rotate(database)
    with database.read() as connection:
        rows = connection.execute(sa.select(tool_key.c.private_key_sealed)).scalars().all()
    assert len(rows) == 2
    assert not any("PRIVATE KEY" in sealed or "BEGIN" in sealed for sealed in rows)


def test_another_encryption_key_makes_no_key_and_changes_nothing(database: Database, first: str) -> None:
    with pytest.raises(WrongEncryptionKey, match="ENCRYPTION_KEY is not the one"):
        rotate(database, encryption_key=ANOTHER_KEY)
    with pytest.raises(WrongEncryptionKey):
        published_keys(database, encryption_key=ANOTHER_KEY, now=NOW)
    with pytest.raises(WrongEncryptionKey):
        current_signing_key(database, ANOTHER_KEY, lambda: NOW)()
    assert kids(database, RETIRES) == {first}


def test_before_the_first_key_nothing_signs_and_nothing_rotates(database: Database) -> None:
    with pytest.raises(NoToolKey, match="lti-tool migrate"):
        current_signing_key(database, ENCRYPTION_KEY, lambda: NOW)()
    with pytest.raises(NoToolKey):
        rotate(database)
    assert key_set(database) == []
    ensure_tool_key(database, encryption_key=ENCRYPTION_KEY, now=NOW)
    ensure_tool_key(database, encryption_key=ENCRYPTION_KEY, now=NOW)
    assert len(key_set(database)) == 1


def test_the_tool_is_ready_when_it_can_read_its_keys(sqlite_url: str) -> None:
    app = create_app(make_settings(sqlite_url))
    database = app.extensions["shared_sessions"].database
    with app.test_client() as client:
        assert client.get("/readyz").get_json()["checks"] == {"database": True, "migrations": True, "keys": False}
        ensure_tool_key(database, encryption_key=ENCRYPTION_KEY, now=NOW)
        assert client.get("/readyz").status_code == 200
        with database.write() as connection:
            connection.execute(sa.update(tool_key).values(private_key_sealed=seal(b"x", ANOTHER_KEY)))
        answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["keys"]) == (503, False)
    database.dispose()
