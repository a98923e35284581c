"""Small charts of the weeks, each on a scale of its own: bars with their numbers, drawn as SVG. The table that says the
same stands beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from lti_tool.pages.pooled_cells import Line, PooledTable, Shows

WIDTH, HEIGHT = 360, 150
BASE_Y, TOP_Y = 132, 16  # of the bars; the number stands above, the column's number below
MOST_NUMBERS = 16  # as many as fit beside each other


@dataclass(frozen=True, kw_only=True)
class Bar:
    """In units of the picture. `people` None: no number is shown. `is_labelled`: there is room for its number."""

    x: float
    y: float
    width: float
    height: float
    number: int
    people: int | None
    is_labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, kw_only=True)
class Chart:
    name: str
    kind: str
    bars: tuple[Bar, ...]
    least: int
    most: int


def charts_of(table: PooledTable) -> list[Chart]:
    """Of the own course, the own university and all others; none before two columns have a number."""
    charts = [_chart(line) for line in table.own]
    return [one for one in charts if sum(bar.people is not None for bar in one.bars) > 1]


def _chart(line: Line) -> Chart:
    people = [cell.people if cell.shows is Shows.PEOPLE else None for cell in line.cells]
    told = [one for one in people if one is not None]
    most = max(told, default=0)
    return Chart(name=line.name, kind=line.kind, bars=_bars(people, most or 1), least=min(told, default=0), most=most)


def _bars(people: Sequence[int | None], most: int) -> tuple[Bar, ...]:
    step = WIDTH / max(len(people), 4)
    every = -(-len(people) // MOST_NUMBERS)
    bars = []
    for number, one in enumerate(people):
        height = round((BASE_Y - TOP_Y) * (one or 0) / most, 1)
        bars.append(
            Bar(
                x=round(number * step + step * 0.15, 1),
                y=round(BASE_Y - height, 1),
                width=round(step * 0.7, 1),
                height=height,
                number=number + 1,
                people=one,
                is_labelled=number % every == 0,
            )
        )
    return tuple(bars)
