"""One participant's evidence, words and scores are written in turns, so that versions of a score never race."""

from collections.abc import Iterable

import sqlalchemy as sa

from series.store.tables import participant


def take_turns(connection: sa.Connection, participant_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else writes anything of these participants: before any other row of theirs is
    locked. All at once and in one order, so that nobody waits in a circle. SQLite has one writer anyway."""
    query = sa.select(participant.c.id).where(participant.c.id.in_(list(participant_ids))).order_by(participant.c.id)
    connection.execute(query.with_for_update())
