"""Buckets that all processes share: one row for each that is not full."""

from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa

from series.limits import Limit
from series.store.database import insert_of
from series.store.tables import rate_limit

CLOCKS_DIFFER_S = 900.0  # of several processes, or before and after a correction, at most


def take(connection: sa.Connection, key: str, limit: Limit, *, now: datetime) -> float:
    """Take one, and 0; or, when the bucket is empty, the seconds until it is not.

    One statement decides, so that many at once are counted one by one.
    """
    now_s = now.timestamp()
    asked = {
        "key": key,
        "now_s": now_s,
        "every_s": limit.every_s,
        "full_at_s": now_s + limit.every_s,
        "latest_s": now_s + limit.burst * limit.every_s,
        "never_s": now_s + limit.burst * limit.every_s + CLOCKS_DIFFER_S,
    }
    taken = connection.execute(_take(connection.dialect.name), asked).one_or_none()
    if taken is not None:
        return 0
    full_at_s = connection.execute(sa.select(rate_limit.c.full_at_s).where(rate_limit.c.key == key)).scalar_one()
    return limit.wait_s(full_at_s, now_s) or limit.every_s


@cache
def _take(dialect: str) -> sa.Executable:
    """Made once, because every launch and every score takes one."""
    now_s = sa.bindparam("now_s", type_=sa.Double)
    fullest = sa.case(
        # Later than any bucket can be: the clock was put back, and nobody should wait for the time to come again.
        (rate_limit.c.full_at_s > sa.bindparam("never_s", type_=sa.Double), now_s),
        (rate_limit.c.full_at_s > now_s, rate_limit.c.full_at_s),
        else_=now_s,
    )
    after = fullest + sa.bindparam("every_s", type_=sa.Double)
    return (
        insert_of(dialect, rate_limit)
        .values(key=sa.bindparam("key"), full_at_s=sa.bindparam("full_at_s"))
        .on_conflict_do_update(
            index_elements=["key"],
            set_={"full_at_s": after},
            where=after <= sa.bindparam("latest_s", type_=sa.Double),
        )
        .returning(rate_limit.c.key)
    )


def purge_full(connection: sa.Connection, *, now: datetime) -> None:
    """Drop the buckets that are full again."""
    long_full = now - timedelta(minutes=1)
    connection.execute(sa.delete(rate_limit).where(rate_limit.c.full_at_s < long_full.timestamp()))
