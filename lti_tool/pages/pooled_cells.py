"""The table of sessions and universities as values, the same for the page, its print and its files: every cell says in
words or as a number what it is, and none is empty."""

from dataclasses import dataclass
from enum import StrEnum

from lti_tool.pages.words import WORDS
from lti_tool.spreadsheets import Cell as FileCell
from series.pooled import Block

gettext = WORDS.gettext
HEATS = 5


class Shows(StrEnum):
    PEOPLE = "people"
    HIDDEN = "hidden"
    WITH_OTHERS = "with-others"
    WAITS = "waits"
    CANCELLED = "cancelled"
    NOT_YET_THERE = "not-yet-there"  # became a partner after this was counted first
    NOBODY = "nobody"  # is hidden in this column, so there is no group


@dataclass(frozen=True, kw_only=True)
class Cell:
    """`heat`: 1 to HEATS, from few to many; 0: none. `note`: of how many universities it is the sum."""

    shows: Shows
    people: int | None = None
    heat: int = 0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Head:
    """One column. `day`: of a session; `month`: in which it is, as in series.pooled.Block; `older`: in words, as of
    when numbers are, where they were not told anew at the last step."""

    block: Block
    title: str
    day: str
    month: str
    older: str = ""

    @property
    def note(self) -> str:
        return ", ".join(filter(None, (self.day, self.older)))


@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    country: str
    cells: tuple[Cell, ...]
    kind: str  # course, own, others, university, group
    together: int | None = None


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Of what is published, what is shown; nothing is counted for it."""

    country: str = ""
    month: str = ""
    is_without_hidden: bool = False

    @property
    def query(self) -> dict[str, str]:
        """Of the address that asks for it."""
        rows = "shown" if self.is_without_hidden else ""
        asked = {"country": self.country, "month": self.month, "rows": rows}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, kw_only=True)
class PooledTable:
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    smallest_group: int

    @property
    def own(self) -> list[Line]:
        return [line for line in self.lines if line.kind in {"course", "own", "others"}]

    @property
    def universities(self) -> list[Line]:
        return [line for line in self.lines if line.kind in {"university", "group"}]

    def has(self, shows: str) -> bool:
        """Whether any cell is so; `shows`: a value of Shows."""
        return any(cell.shows == shows for line in self.lines for cell in line.cells)


def words_of(cell: Cell, smallest_group: int) -> FileCell:
    """For a file, where a number stays a number."""
    if cell.shows is Shows.PEOPLE:
        return cell.people
    return {
        Shows.HIDDEN: hidden_words(smallest_group),
        Shows.WITH_OTHERS: gettext("counted with others"),
        Shows.CANCELLED: gettext("cancelled"),
        Shows.NOT_YET_THERE: gettext("not yet a partner then"),
        Shows.NOBODY: gettext("nobody is hidden"),
        Shows.WAITS: gettext("not counted yet"),
    }[cell.shows]


def hidden_words(smallest_group: int) -> str:
    return gettext("hidden to protect small groups (fewer than %(k)s)", k=smallest_group)


def rows_of(table: PooledTable) -> list[list[FileCell]]:
    """For a file, the heads first."""
    heads = [f"{head.title} ({head.note})" if head.note else head.title for head in table.heads]
    return [
        [gettext("University"), gettext("Country"), *heads, gettext("Together")],
        *(
            [line.name, line.country, *(words_of(cell, table.smallest_group) for cell in line.cells), line.together]
            for line in table.lines
        ),
    ]
