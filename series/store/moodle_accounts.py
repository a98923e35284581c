"""Our accounts in the universities' Moodles: what they have made there stays ours, also when we were disconnected."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from series.store.database import insert
from series.store.moodle_tables import moodle_account


def note_account(connection: sa.Connection, university_id: int, base_url: str, user_id: int) -> None:
    """It is the one that is used from now on. May be repeated."""
    same = moodle_account.c.university_id == university_id, moodle_account.c.base_url == base_url
    connection.execute(sa.delete(moodle_account).where(*same, moodle_account.c.user_id == user_id))
    values = {"university_id": university_id, "base_url": base_url, "user_id": user_id}
    connection.execute(sa.insert(moodle_account).values(values))


def take_accounts_along(connection: sa.Connection, university_id: int, *, before: str, base_url: str) -> None:
    """The site has moved to another address, and all that is in it."""
    old = sa.select(moodle_account.c.university_id, sa.literal(base_url), moodle_account.c.user_id).where(
        moodle_account.c.university_id == university_id, moodle_account.c.base_url == before
    )
    names = ["university_id", "base_url", "user_id"]
    connection.execute(
        insert(connection, moodle_account)
        .from_select(names, old.order_by(moodle_account.c.id))
        .on_conflict_do_nothing()
    )


def last_address(connection: sa.Connection, university_id: int) -> str | None:
    """Of the Moodle to which the numbers of the university's courses belong, also when it is not connected now."""
    of_university = sa.select(moodle_account.c.base_url).where(moodle_account.c.university_id == university_id)
    found: str | None = connection.execute(
        of_university.order_by(moodle_account.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    return found


def accounts_of(connection: sa.Connection, university_ids: Collection[int]) -> Mapping[tuple[int, str], frozenset[int]]:
    """User ids, by university and address."""
    rows = connection.execute(sa.select(moodle_account).where(moodle_account.c.university_id.in_(university_ids)))
    found: dict[tuple[int, str], set[int]] = {}
    for row in rows:
        found.setdefault((row.university_id, row.base_url), set()).add(row.user_id)
    return {key: frozenset(user_ids) for key, user_ids in found.items()}
