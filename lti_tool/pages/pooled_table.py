"""The table of sessions and universities, made of what one viewer is told."""

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from flask_babel import get_locale

from lti_tool.pages.pooled_cells import HEATS, Cell, Filter, Head, Line, PooledTable, Shows
from lti_tool.pages.pooled_reading import Results
from lti_tool.pages.words import WORDS
from series.pooled import Block, PooledBy
from series.sessions import Session
from series.step_times import month_of

gettext, ngettext = WORDS.gettext, WORDS.ngettext
NO_FILTER = Filter()
NEUTRAL = {Shows.PEOPLE, Shows.WAITS, Shows.CANCELLED}  # hide nothing from a sum


def table_of(results: Results, wanted: Filter = NO_FILTER) -> PooledTable:
    heads = [head for head in heads_of(results) if wanted.month in {"", head.month}]
    lines = [*_own_lines(results, heads), *_university_lines(results, heads, wanted)]
    return PooledTable(heads=tuple(heads), lines=tuple(lines), smallest_group=results.smallest_group)


def heads_of(results: Results) -> list[Head]:
    """What has begun, and whatever was published."""
    weeks = weeks_of(results)
    if results.by is PooledBy.SESSION:
        return weeks
    months = sorted({head.month for head in weeks})
    return [_month_head(one, results) for one in months]


def weeks_of(results: Results) -> list[Head]:
    """The same as sessions, whatever the columns of the table are."""
    begun = [
        one
        for one in results.sessions
        if one.start_at <= results.now or results.is_counted(Block(session_id=one.session_id))
    ]
    return [_session_head(one, results) for one in begun]


def week_by_week(results: Results) -> PooledTable:
    """The first lines of the table by session: own course, own university, all others together."""
    heads = weeks_of(results)
    lines = tuple(_own_lines(results, heads))
    return PooledTable(heads=tuple(heads), lines=lines, smallest_group=results.smallest_group)


def month_name(month: str) -> str:
    """November 2026, of "2026-11"."""
    return str(format_date(date.fromisoformat(f"{month}-01"), "LLLL y", locale=get_locale()))


def country_name(code: str) -> str:
    locale = get_locale() or Locale("en")
    return str(locale.territories.get(code, code))


def _month_head(month: str, results: Results) -> Head:
    block = Block(month=month)
    return Head(block=block, title=month_name(month), day="", month=month, older=_older(block, results))


def _session_head(session: Session, results: Results) -> Head:
    month, block = month_of(session.start_at, results.series.time_zone), Block(session_id=session.session_id)
    day, older = _day(session.wall_start.date()), _older(block, results)
    return Head(block=block, title=session.title, day=day, month=month, older=older)


def _older(block: Block, results: Results) -> str:
    as_of = results.older_step_of(block)
    if as_of is None:
        return ""
    day = _day(as_of.astimezone(ZoneInfo(results.series.time_zone)).date())
    return gettext("others as of %(day)s", day=day) if results.own else gettext("as of %(day)s", day=day)


def _day(day: date) -> str:
    return str(format_date(day, "d MMM", locale=get_locale()))


def _own_lines(results: Results, heads: Sequence[Head]) -> list[Line]:
    found = []
    if results.own:
        found.append(_own_line(results, heads, gettext("Your course"), "course", results.own.course))
        found.append(_own_line(results, heads, gettext("Your university"), "own", results.own.university))
    name = gettext("All other universities together") if results.own else gettext("All universities together")
    cells = tuple(_others_cell(results, head.block) for head in heads)
    return [*found, Line(name=name, country="", cells=cells, kind="others", together=_sum(cells))]


def _own_line(
    results: Results, heads: Sequence[Head], name: str, kind: str, counts: Mapping[Block, int | None]
) -> Line:
    cells = tuple(_own_cell(results, head.block, counts.get(head.block, 0)) for head in heads)
    return Line(name=name, country="", cells=cells, kind=kind, together=_sum(cells))


def _own_cell(results: Results, block: Block, people: int | None) -> Cell:
    if not people and (gone := _cancelled(results, block)):
        return gone
    return Cell(shows=Shows.HIDDEN) if people is None else Cell(shows=Shows.PEOPLE, people=people)


def _others_cell(results: Results, block: Block) -> Cell:
    if not results.is_counted(block):
        return _cancelled(results, block) or Cell(shows=Shows.WAITS)
    people = results.others_in(block)
    return Cell(shows=Shows.HIDDEN) if people is None else Cell(shows=Shows.PEOPLE, people=people)


def _cancelled(results: Results, block: Block) -> Cell | None:
    is_off = any(one.is_cancelled for one in results.sessions if one.session_id == block.session_id)
    return Cell(shows=Shows.CANCELLED) if is_off else None


def _university_lines(results: Results, heads: Sequence[Head], wanted: Filter) -> list[Line]:
    columns = results.columns
    ids = set[int]().union(*(column.university_ids for column in columns.values()))
    most = max((people for column in columns.values() for people in column.shown.values()), default=0)
    lines = []
    for one in sorted((results.universities[found] for found in ids), key=lambda one: one.name.casefold()):
        if wanted.country not in {"", one.country}:
            continue
        cells = tuple(_university_cell(results, head.block, one.university_id, most) for head in heads)
        if wanted.is_without_hidden and all(cell.shows is not Shows.PEOPLE for cell in cells):
            continue
        rows = results.pooled.rows if results.pooled else {}
        together = _sum(cells) if wanted.month else rows.get(one.university_id)
        lines.append(
            Line(name=one.name, country=country_name(one.country), cells=cells, kind="university", together=together)
        )
    return [*lines, *_group_line(results, heads)]


def _university_cell(results: Results, block: Block, university_id: int, most: int) -> Cell:
    column = results.columns.get(block)
    if column is None:
        return _cancelled(results, block) or Cell(shows=Shows.WAITS)
    people = column.shown.get(university_id)
    if people is not None:
        return Cell(shows=Shows.PEOPLE, people=people, heat=-(-HEATS * people // most) if most else 0)
    if university_id not in column.university_ids:
        return Cell(shows=Shows.NOT_YET_THERE)
    is_told = column.group is not None and column.group.people is not None
    return Cell(shows=Shows.WITH_OTHERS if is_told else Shows.HIDDEN)


def _group_line(results: Results, heads: Sequence[Head]) -> list[Line]:
    """Those that are hidden in a column, together; each column has its own of them."""
    if not any(column.group for column in results.columns.values()):
        return []
    cells = tuple(_group_cell(results, head.block) for head in heads)
    return [Line(name=gettext("Counted together"), country="", cells=cells, kind="group")]


def _group_cell(results: Results, block: Block) -> Cell:
    column = results.columns.get(block)
    if column is None:
        return _cancelled(results, block) or Cell(shows=Shows.WAITS)
    if column.group is None:
        return Cell(shows=Shows.NOBODY)
    number = len(column.group.university_ids)
    note = ngettext("%(num)s university", "%(num)s universities", number)
    if column.group.people is None:
        return Cell(shows=Shows.HIDDEN, note=note)
    return Cell(shows=Shows.PEOPLE, people=column.group.people, note=note)


def _sum(cells: Sequence[Cell]) -> int | None:
    """Of what is shown anyway; None where a part of it is hidden."""
    told = [cell.people for cell in cells if cell.shows is Shows.PEOPLE]
    is_whole = all(cell.shows in NEUTRAL for cell in cells)
    return sum(one or 0 for one in told) if told and is_whole else None
