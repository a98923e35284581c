"""Whether named data may cross a border, and the contracts that let them: what pages and exports ask before they show
a person of one university to somebody elsewhere. The rule is series.countries.may_cross.
"""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from series.countries import Home, may_cross
from series.store.audit import append_audit
from series.store.database import insert
from series.store.privacy_tables import transfer_instrument
from series.store.tables import university


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """What the coordinator has recorded, in their words. `by`: as in the audit."""

    words: str
    by: str
    at: datetime


def homes(connection: sa.Connection) -> dict[int, Home]:
    """Of all universities, by id."""
    rows = connection.execute(
        sa.select(university.c.id, university.c.country, transfer_instrument.c.recorded_at).outerjoin(
            transfer_instrument, transfer_instrument.c.university_id == university.c.id
        )
    )
    return {row.id: Home(country=row.country, has_instrument=row.recorded_at is not None) for row in rows}


def may_be_shown_in(connection: sa.Connection, *, of: int, to: int, today: date) -> bool:
    """Whether named data of university `of` may be shown to somebody of university `to`."""
    found = homes(connection)
    return may_cross(found[of], found[to], today)


def shown_at_the_centre(connection: sa.Connection, *, country: str, today: date) -> frozenset[int]:
    """The universities whose named data may be shown to coordinators and operators, who work in `country`; empty: not
    said, and then only the university's own side is asked."""
    centre = Home(country=country, has_instrument=not country)
    return frozenset(one for one, home in homes(connection).items() if may_cross(home, centre, today))


def instrument_of(connection: sa.Connection, university_id: int) -> Instrument | None:
    row = connection.execute(
        sa.select(transfer_instrument).where(transfer_instrument.c.university_id == university_id)
    ).one_or_none()
    return None if row is None else Instrument(words=row.instrument, by=row.recorded_by, at=row.recorded_at)


def record_instrument(connection: sa.Connection, university_id: int, words: str, *, actor: str, now: datetime) -> None:
    """From now on, named data may cross. In place of one recorded before, which the audit keeps."""
    values = {"instrument": words, "recorded_by": actor, "recorded_at": now}
    connection.execute(
        insert(connection, transfer_instrument)
        .values(university_id=university_id, **values)
        .on_conflict_do_update(index_elements=["university_id"], set_=values)
    )
    thing = f"university {university_id}"
    append_audit(connection, actor=actor, action="record_instrument", thing=thing, now=now, instrument=words)


def withdraw_instrument(connection: sa.Connection, university_id: int, *, actor: str, now: datetime) -> bool:
    """From now on, named data may cross no longer; whether there was one."""
    gone = connection.execute(
        sa.delete(transfer_instrument)
        .where(transfer_instrument.c.university_id == university_id)
        .returning(transfer_instrument.c.instrument)
    ).scalar_one_or_none()
    if gone is None:
        return False
    thing = f"university {university_id}"
    append_audit(connection, actor=actor, action="withdraw_instrument", thing=thing, now=now, instrument=gone)
    return True
