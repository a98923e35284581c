"""The data map: every column that can hold personal data, with its purpose, its source, who sees it, how long it stays.

It stands beside the tables and not in them, because people read it in one piece; a test goes over all columns of all
tables, so that neither can change alone (tests/integration/test_data_map.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from series.data_map_free import FREE
from series.data_map_hosts import OF_HOSTS
from series.data_map_kinds import Category, Holding, Whose
from series.data_map_people import OF_PEOPLE
from series.data_map_staff import OF_STAFF
from series.retention import RETENTION, Kept
from series.rule_words import ENGLISH, N_, Words

HOLDINGS: tuple[Holding, ...] = (*OF_PEOPLE, *OF_HOSTS, *OF_STAFF)
WHOSE: Mapping[Whose, str] = {
    Whose.TAKES_PART: N_("students and guests"),
    Whose.TEACHES: N_("hosts and instructors"),
    Whose.LAUNCHES: N_("whoever comes from an LMS: students, guests, instructors"),
    Whose.STAFF: N_("coordinators and LMS administrators"),
    Whose.ACTED: N_("whoever did it: an instructor, a host, staff; in the audit log also students and guests"),
    Whose.SPEAKS: N_("hosts and guest speakers"),
}
CATEGORIES: Mapping[Category, str] = {
    Category.NUMBER: N_("a number by which a system knows the person"),
    Category.CODED: N_("a code made from such a number"),
    Category.NAME: N_("a name"),
    Category.CONTACT: N_("an e-mail address"),
    Category.ROLE: N_("the role: student, teacher, host, staff"),
    Category.WHERE: N_("where: university, course, activity, session"),
    Category.TIME: N_("a time"),
    Category.TAKING_PART: N_("how somebody took part"),
    Category.GRADE: N_("a grade"),
    Category.WRITING: N_("a text that somebody has written"),
    Category.CHOICE: N_("what the person has chosen"),
    Category.ACT: N_("who did it"),
    Category.PROOF: N_("a fingerprint of a secret, or a random number"),
    Category.TECHNICAL: N_("how far the handling of it has come"),
}


@dataclass(frozen=True, kw_only=True)
class MapRow:
    """One line of the map, in words. `field`: table.column, as in the database."""

    field: str
    whose: str
    category: str
    purpose: str
    source: str
    seen_by: str
    kept: str
    kept_class: Kept


def map_rows(words: Words = ENGLISH) -> list[MapRow]:
    """In the order of the holdings: the most personal first."""
    return [_row(holding, column, category, words) for holding in HOLDINGS for column, category in _columns(holding)]


def columns_mapped() -> tuple[list[str], list[str]]:
    """(personal, free of personal data), each as table.column."""
    personal = [f"{holding.table}.{column}" for holding in HOLDINGS for column, _ in _columns(holding)]
    return personal, [f"{table}.{column}" for table, names in FREE.items() for column in names.split()]


def _columns(holding: Holding) -> Iterator[tuple[str, Category]]:
    for category, names in holding.columns.items():
        for name in names.split():
            yield name, category


def _row(holding: Holding, column: str, category: Category, words: Words) -> MapRow:
    said = words.gettext
    return MapRow(
        field=f"{holding.table}.{column}",
        whose=said(WHOSE[holding.whose]),
        category=said(CATEGORIES[category]),
        purpose=said(holding.purpose),
        source=said(holding.source),
        seen_by=said(holding.seen_by),
        kept=said(RETENTION[holding.kept].words),
        kept_class=holding.kept,
    )
