"""The small charts: every bar inside its picture, nothing drawn for what is hidden."""

import pytest

from lti_tool.pages.pooled_cells import Cell, Line, PooledTable, Shows
from lti_tool.pages.pooled_trend import BASE_Y, HEIGHT, TOP_Y, WIDTH, Chart, charts_of


def chart(people: list[int | None]) -> Chart | None:
    cells = tuple(Cell(shows=Shows.HIDDEN) if one is None else Cell(shows=Shows.PEOPLE, people=one) for one in people)
    line = Line(name="All", country="", cells=cells, kind="others")
    return next(iter(charts_of(PooledTable(heads=(), lines=(line,), smallest_group=5))), None)


@pytest.mark.parametrize("people", [[5, 9], [0, 0], [0, 1_000_000, 3], [7] * 80, [5, None, 8]])
def test_every_bar_is_inside_the_picture(people: list[int | None]) -> None:
    made = chart(people)
    assert made
    for bar in made.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.1
        assert TOP_Y - 0.1 <= bar.y <= bar.y + bar.height <= BASE_Y + 0.1 < HEIGHT
    assert sum(bar.is_labelled for bar in made.bars) <= 16


def test_what_is_hidden_has_no_number_and_no_height() -> None:
    made = chart([5, None, 8])
    assert made
    assert [(bar.people, bar.height > 0) for bar in made.bars] == [(5, True), (None, False), (8, True)]
    assert (made.least, made.most) == (5, 8)


@pytest.mark.parametrize("people", [[], [5], [None, None], [None, 5]])
def test_one_number_is_no_trend(people: list[int | None]) -> None:
    assert chart(people) is None
