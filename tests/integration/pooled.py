"""A series with people of several universities, as launches and check-ins make it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import structs

from series.people import Visit
from series.pooled import Step
from series.store.database import Database
from series.store.pooled import steps_of, take_step
from tests.conftest import NOW
from tests.examples import SERIES, VILNIUS
from tests.replacing import register, through
from tests.seeds import LAUNCH, PLATFORM, Seeded, code_of, launch, record, seed

MONDAY = datetime.fromisoformat("2026-12-07T03:00+00:00")  # 04:00 in Berlin; the first two sessions are over
OTHER = replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, client_id="client-of-vilnius")


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Visits of students by university, all in one course of each."""

    seeded: Seeded
    malta: list[Visit]
    vilnius: list[Visit]

    @property
    def sessions(self) -> list[UUID]:
        return self.seeded.session_ids


def gather(database: Database, *, malta: int = 3, vilnius: int = 2) -> Crowd:
    seeded = seed(database)
    home = register(database, OTHER)
    abroad = through(home, deployment_id="1")
    return Crowd(
        seeded=seeded,
        malta=[launch(database, structs.replace(LAUNCH, sub=f"m{one}")) for one in range(malta)],
        vilnius=[launch(database, structs.replace(abroad, sub=f"v{one}")) for one in range(vilnius)],
    )


def complete(database: Database, session_id: UUID, people: Iterable[Visit], *, at: datetime = NOW) -> None:
    for one in people:
        record(database, code_of(one, session_id, at=at), now=at)


def step(database: Database, *, at: datetime = MONDAY) -> Step | None:
    with database.write() as connection:
        return take_step(connection, SERIES.series_id, due_at=at, now=at + timedelta(seconds=3))


def steps(database: Database) -> tuple[Step, ...]:
    with database.read() as connection:
        return steps_of(connection, SERIES.series_id)


def by_key(taken: Step | None) -> Mapping[str, Mapping[int, int]]:
    """Counts by the stored name of the block."""
    assert taken is not None
    return {block.key: cells for block, cells in taken.counts.items()}
