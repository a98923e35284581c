"""Somebody is erased while their Moodle is read: nothing of them is stored, whenever it happens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from series.store.database import Database
from series.store.erasure import erase_person
from series.store.moodle_tables import activity_state
from series.store.tables import moodle_connection, participant
from series.tombstones import Whom
from tests.integration.collected import MARIA, ZAREN, Collected, open_collected

MOMENTS = range(8, 14)  # which transaction of the reading: about the one that stores


@pytest.fixture
def mapped(tmp_path: Path, sqlite_url: str) -> Iterator[Collected]:
    with open_collected(tmp_path, sqlite_url) as opened:
        opened.map()
        opened.collect()
        yield opened


def erase(collected: Collected) -> None:
    """By another process."""
    services, other = collected.partner.services, Database(collected.partner.services.database.url)
    with other.write() as connection:
        issuer = connection.execute(sa.select(moodle_connection.c.base_url)).scalar_one()
        person, key = Whom(university_id=1, issuer=issuer, sub=MARIA), services.settings.secret_key
        erase_person(connection, person, by="operator", secret_key=key, now=collected.partner.now)
    other.dispose()


@pytest.mark.parametrize("moment", MOMENTS)
def test_dpo_12_who_is_erased_while_moodle_is_read_is_not_stored(mapped: Collected, moment: int) -> None:
    engine, seen = mapped.partner.services.database.engine, list[int]()

    def before_a_transaction(*_: Any) -> None:
        seen.append(len(seen))
        if seen[-1] == moment:
            erase(mapped)

    mapped.complete(MARIA, ZAREN)
    sa.event.listen(engine, "checkout", before_a_transaction)
    try:
        mapped.recollect()
    finally:
        sa.event.remove(engine, "checkout", before_a_transaction)
    with mapped.partner.services.database.read() as connection:
        assert MARIA not in connection.execute(sa.select(activity_state.c.sub)).scalars().all()
        assert MARIA not in connection.execute(sa.select(participant.c.sub)).scalars().all()
    assert len(seen) > moment
