"""The next round of the series of `tests.seeds`, made as `moodle-sync series copy` makes it."""

from datetime import date, datetime
from uuid import UUID

from series.rounds import copy_round
from series.rule import Rule
from series.sessions import Series, Session
from series.store.database import Database
from series.store.sessions import add_series, add_session, sessions_of
from tests.conftest import NOW
from tests.examples import SERIES


def next_round(
    database: Database, starts_on: date, *, of: Series = SERIES, slug: str = "spring", now: datetime = NOW
) -> tuple[Series, list[Session]]:
    new = Series(
        series_id=UUID(int=of.series_id.int + 1),
        slug=slug,
        title=f"{of.title}, {slug}",
        time_zone=of.time_zone,
        source=None,
    )
    with database.write() as connection:
        copies = copy_round(sessions_of(connection, of.series_id), new.series_id, starts_on=starts_on, hosts=())
        add_series(connection, new, rule=Rule(required=2), now=now, copied_from_id=of.series_id)
        for copy in copies:
            add_session(connection, copy, now=now)
    return new, copies
