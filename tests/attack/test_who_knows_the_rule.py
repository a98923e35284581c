"""Somebody who knows the rule as well: of all tables that there may be, which would look the same?"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

from series.pooled import Block, PooledBy, Step
from series.protection import publish

K, UNIVERSITIES, MOST = 3, 4, 9
SESSION = Block(session_id=UUID(int=1))
Table = tuple[int, ...]


def look_alikes() -> Iterator[tuple[frozenset[int], list[Table]]]:
    """Who is hidden, and all tables in which what is shown is the same. None of which the hidden
    could be more than is tried here."""
    found: dict[object, list[Table]] = defaultdict(list)
    hidden = {}
    for table in product(range(MOST + 1), repeat=UNIVERSITIES):
        counts = {SESSION: dict(enumerate(table))}
        step = Step(at=datetime(2026, 11, 2, tzinfo=UTC), smallest_group=K, counts=counts)
        pooled = publish([step], viewer=None, by=PooledBy.SESSION)
        assert pooled is not None
        (column,) = pooled.columns
        looks = (tuple(column.shown.items()), column.group)
        found[looks].append(table)
        hidden[looks] = column.group.university_ids if column.group else frozenset()
    for looks, tables in found.items():
        if sum(tables[0][one] for one in hidden[looks]) <= MOST:
            yield hidden[looks], tables


def test_dpo_08_whoever_knows_the_rule_learns_at_most_that_a_small_one_is_not_nobody() -> None:
    looked = 0
    for hidden, tables in look_alikes():
        for one in hidden:
            values = {table[one] for table in tables}
            if min(values) < K:
                looked += 1
                assert {*range(1, K)} <= values, (hidden, tables[:3], one)
    assert looked > 20
