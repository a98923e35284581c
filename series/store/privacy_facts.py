"""What the documents for data-protection officers say of the partners."""

import sqlalchemy as sa

from series.privacy.facts import Partner
from series.store.privacy_tables import transfer_instrument
from series.store.tables import university


def partners_for_documents(connection: sa.Connection) -> tuple[Partner, ...]:
    """Those that take part, by name; not those that have left."""
    rows = connection.execute(
        sa.select(university.c.name, university.c.country, transfer_instrument.c.recorded_at)
        .outerjoin(transfer_instrument, transfer_instrument.c.university_id == university.c.id)
        .where(university.c.left_at.is_(None))
        .order_by(university.c.name)
    )
    return tuple(
        Partner(
            name=row.name,
            country=row.country,
            instrument_on=row.recorded_at.date() if row.recorded_at else None,
        )
        for row in rows
    )
