"""Every column of every table is in the data map, or is declared free of personal data; never both, and no other."""

import pkgutil
from importlib import import_module

import series.store
from series.data_map import HOLDINGS, columns_mapped, map_rows
from series.retention import RETENTION
from series.store.tables import metadata


def test_dpo_04_every_column_says_what_it_holds_of_persons() -> None:
    personal, free = columns_mapped()
    assert sorted([*personal, *free]) == sorted(_columns())  # each once: what is twice has two purposes


def test_dpo_04_a_column_of_a_person_is_never_declared_free() -> None:
    """By what columns are called here that tell of somebody."""
    _, free = columns_mapped()
    telling = ("participant_id", "staff_id", "_by", "sub", "email", "actor", "recorded_by", "text", "answer")
    assert [name for name in free if name.split(".")[1].endswith(telling) and not name.endswith(NOT_BY_SOMEBODY)] == []


def test_dpo_04_each_line_says_purpose_source_who_sees_it_and_how_long() -> None:
    for row in map_rows():
        assert all([row.whose, row.category, row.purpose, row.source, row.seen_by, row.kept]), row.field


def test_dpo_09_every_class_of_retention_is_of_something() -> None:
    used = {holding.kept for holding in HOLDINGS}
    assert used <= set(RETENTION)


NOT_BY_SOMEBODY = ("only_by", "pooled_by")  # by what alone it failed; how columns are made


def _columns() -> list[str]:
    for module in pkgutil.iter_modules(series.store.__path__, "series.store."):
        if module.name.endswith("tables"):
            import_module(module.name)
    return [f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns]
