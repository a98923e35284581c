"""The whole walk at each product, as the sandbox plays it, over real HTTP: launch, token, roster, line item, score,
result, and a grade that is taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from lms.products import Product as OurProduct
from sandbox_lms.products.table import Product
from series.store.universities import list_platforms
from tests.integration.product_walk import STUDENT, TEACHER, UNGRADED, Walk, campus_of, open_walk

PRODUCTS: tuple[Product, ...] = get_args(Product)
OWN_COLUMN, MADE_COLUMN = 4, 100
SAME_SECOND_S = 2


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest) -> Product:
    found: Product = request.param
    return found


@pytest.fixture
def walk(tmp_path: Path, sqlite_url: str, product: Product) -> Iterator[Walk]:
    with open_walk(tmp_path, sqlite_url, campus_of(product)) as opened:
        yield opened


@pytest.fixture
def ungraded(tmp_path: Path, sqlite_url: str, product: Product) -> Iterator[Walk]:
    """An LMS that gives activities no column of their own."""
    with open_walk(tmp_path, sqlite_url, campus_of(product, grades_activities=UNGRADED)) as opened:
        yield opened


def test_each_product_is_told_by_its_addresses(walk: Walk, product: Product) -> None:
    with walk.services.database.read() as connection:
        (row,) = list_platforms(connection)
    assert OurProduct(row.product) == product


def test_from_the_launch_to_the_grade_and_back(walk: Walk) -> None:
    visit, page = walk.opens()
    assert "Maria" not in page
    walk.attends(visit)
    assert [row.state for row in walk.delivers()] == ["delivered"]
    assert walk.grades() == {OWN_COLUMN: 50}
    walk.attends(visit, session=1)
    walk.delivers()
    assert walk.grades() == {OWN_COLUMN: 100}
    walk.advance(SAME_SECOND_S)
    walk.takes_back(visit)
    assert walk.delivers()[0].state == "delivered"
    assert walk.grades() == {OWN_COLUMN: None}


def test_a_column_is_made_once_and_gets_the_score_of_before(ungraded: Walk) -> None:
    visit, _ = ungraded.opens()
    ungraded.attends(visit)
    assert ungraded.delivers() == []
    ungraded.finds_line_item()
    assert [row.state for row in ungraded.delivers()] == ["delivered"]
    grades = ungraded.grades()
    assert grades == {MADE_COLUMN: 1}  # of 2: the column's own scale
    ungraded.opens()
    ungraded.finds_line_item()
    ungraded.delivers()
    assert ungraded.grades() == grades


def test_the_roster_names_everybody_as_they_launch(walk: Walk) -> None:
    student, _ = walk.opens(STUDENT)
    teacher, _ = walk.opens(TEACHER)
    assert (student.is_teacher, teacher.is_teacher) == (False, True)
    roster = {member.sub: member.is_learner for member in walk.roster()}
    campus = walk.site.campus
    assert roster == {campus.sub(person.user_id): person.role == "student" for person in campus.members}
