"""Whether a university still takes part: nothing new of one that leaves, or has left, is stored."""

import sqlalchemy as sa

from series.store.tables import university


class UniversityLeft(Exception):
    """It takes part no longer."""


def refuse_left(connection: sa.Connection, university_id: int | None) -> None:
    """It does not begin to leave before this transaction has ended, either. Raises UniversityLeft."""
    query = sa.select(university.c.name, university.c.left_at).where(university.c.id == university_id)
    row = connection.execute(query.with_for_update(read=True)).one_or_none()
    if row is not None and row.left_at is not None:
        raise UniversityLeft(f"{row.name} has left. Nothing new of it is stored.")


def have_left(connection: sa.Connection) -> frozenset[int]:
    """Also those whose data are being deleted."""
    return frozenset(connection.execute(sa.select(university.c.id).where(university.c.left_at.is_not(None))).scalars())
