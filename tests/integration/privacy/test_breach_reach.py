"""Nobody is left out of the list of whom a breach touches by forgetting a column."""

from itertools import chain

import sqlalchemy as sa

from series.data_map import columns_mapped
from series.store.breach_reach import NO_WAY, REACHES
from series.store.tables import metadata, participant, staff

PERSONAL, _ = columns_mapped()


def test_dpo_18_every_personal_column_of_the_data_map_leads_to_people_or_says_why_not() -> None:
    named = [f"{reach.table.name}.{column}" for reach in REACHES for column in reach.columns]
    assert len(named) == len(set(named))
    unreached = {name for name in PERSONAL if name not in named and name.split(".")[0] not in NO_WAY}
    assert unreached == set()


def test_what_is_named_is_there() -> None:
    for reach in REACHES:
        assert set(reach.columns) <= set(reach.table.c.keys()), reach.table.name
    assert set(NO_WAY) <= set(metadata.tables)
    assert set(NO_WAY).isdisjoint(reach.table.name for reach in REACHES)


def test_dpo_18_what_points_to_a_person_leads_to_them() -> None:
    """By the foreign keys, which nobody has to declare personal."""
    for table in metadata.sorted_tables:
        for column in _pointing(table, participant):
            assert column in _led_by(table, "people"), column
        for column in _pointing(table, staff):
            assert column in _led_by(table, "staff"), column


def test_dpo_18_what_says_who_did_something_leads_to_them() -> None:
    for name in PERSONAL:
        table, column = name.split(".")
        if column.endswith("_by"):
            assert column in _led_by(metadata.tables[table], "actors", "members"), name


def _pointing(table: sa.Table, to: sa.Table) -> list[str]:
    ways = {str(table.name) for table in metadata.sorted_tables if table.name in NO_WAY}
    if table.name in ways:
        return []
    return [key.parent.name for key in table.foreign_keys if key.column is to.c.id]


def _led_by(table: sa.Table, *ways: str) -> set[str]:
    of_table = [reach for reach in REACHES if reach.table is table]
    return set(chain.from_iterable(getattr(reach, way).split() for reach in of_table for way in ways))
