"""One participant's evidence, words and scores are written in turns, so that versions of a score never race.

An erasure takes its turn as well. So whoever writes anything for a participant takes the turn first, in the same
transaction: on PostgreSQL the number may have become nobody's since the request was let in.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from series.store.tables import participant
from series.tombstones import NobodyThere

is_somebody = participant.c.issuer != sa.literal_column("''")  # of an erased person the number alone stays


def take_turns(connection: sa.Connection, participant_ids: Iterable[int]) -> frozenset[int]:
    """Until the transaction ends, nobody else writes anything of these participants: before any other row of theirs is
    locked. All at once and in one order, so that nobody waits in a circle. SQLite has one writer anyway.

    Those of them who are still somebody: for all others nothing may be written.
    """
    query = sa.select(participant.c.id).where(participant.c.id.in_(list(participant_ids)), is_somebody)
    return frozenset(connection.execute(query.order_by(participant.c.id).with_for_update()).scalars())


def take_turn(connection: sa.Connection, participant_id: int) -> None:
    """The same for one. Raises NobodyThere."""
    if not take_turns(connection, [participant_id]):
        raise NobodyThere
