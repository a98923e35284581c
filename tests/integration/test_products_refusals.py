"""What each product, as the sandbox plays it, says to a score that it does not take, and what becomes of the score:
later, or never with a sentence that an instructor understands. The numbers are those of lms-pitfalls.md."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import pytest

from sandbox_lms.products.habits import Fault
from sandbox_lms.products.table import Product
from series.deliveries import FIRST_DELAY, FIRST_PAUSE
from series.store.deliveries import DeliveryRow
from tests.integration.product_walk import STUDENT, Walk, campus_of, open_walk

PRODUCTS: tuple[Product, ...] = get_args(Product)
OWN_COLUMN = 4
LATER, NEVER = "due", "failed"
AFTER_A_DELAY_S = (FIRST_PAUSE * 1.25 + FIRST_DELAY).total_seconds()
NO_STUDENT = "no longer a student of the course"

Open = Callable[..., Walk]


@pytest.fixture
def open_at(tmp_path: Path, sqlite_url: str) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda product, **changes: stack.enter_context(
            open_walk(tmp_path, sqlite_url, campus_of(product, **changes))
        )


def sent(walk: Walk, **switches: Any) -> DeliveryRow:
    """The student attends while the LMS behaves like that."""
    visit, _ = walk.opens()
    walk.attends(visit)
    walk.switches.set(**switches)
    (row,) = walk.delivers()
    return row


def refused(walk: Walk, state: str, sentence: str, **switches: Any) -> None:
    row = sent(walk, **switches)
    assert (row.state, walk.grades()) == (state, {})
    assert sentence in str(row.outcome)


def goes_through_afterwards(walk: Walk) -> None:
    walk.switches.reset()
    walk.advance(AFTER_A_DELAY_S)
    assert [row.state for row in walk.delivers()] == ["delivered"]
    assert walk.grades() == {OWN_COLUMN: 50}


@pytest.mark.parametrize(
    ("product", "sentence"),
    [
        ("moodle", NO_STUDENT),
        ("canvas", NO_STUDENT),
        ("brightspace", NO_STUDENT),
        ("blackboard", NO_STUDENT),
        ("sakai", NO_STUDENT),
        ("generic", "takes no score for this person now"),
    ],
)
def test_pitfalls_25_26_and_27_who_has_left_the_course_gets_no_score(
    open_at: Open, product: Product, sentence: str
) -> None:
    refused(open_at(product), NEVER, sentence, left=[STUDENT.user_id])


@pytest.mark.parametrize(
    ("fault", "state", "sentence"),
    [
        (Fault.COURSE_OVER, NEVER, "The course is over"),
        (Fault.ATTEMPTS_USED_UP, NEVER, "limits the number of attempts"),
        (Fault.NOT_GRADABLE, NEVER, "test student of the Student View"),
        (Fault.COLUMN_GONE, NEVER, "no longer in the course"),
        (Fault.UNPUBLISHED, LATER, "publish it"),
    ],
)
def test_pitfall_26_a_canvas_says_why_and_so_do_we(open_at: Open, fault: Fault, state: str, sentence: str) -> None:
    walk = open_at("canvas")
    refused(walk, state, sentence, score_fault=fault)
    if state == LATER:
        goes_through_afterwards(walk)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault.UNKNOWN_PERSON, "no longer knows this person"),
        (Fault.NOT_GRADABLE, "Can be graded in Grades"),
        (Fault.COLUMN_GONE, "no longer in the course"),
    ],
)
def test_pitfall_27_a_brightspace_says_why_and_so_do_we(open_at: Open, fault: Fault, sentence: str) -> None:
    refused(open_at("brightspace"), NEVER, sentence, score_fault=fault)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(Fault.UNKNOWN_PERSON, NO_STUDENT), (Fault.INCORRECT_SCORE, "whoever runs the tool")],
)
def test_pitfall_27_a_blackboard_says_why_and_so_do_we(open_at: Open, fault: Fault, sentence: str) -> None:
    refused(open_at("blackboard"), NEVER, sentence, score_fault=fault)


@pytest.mark.parametrize(
    ("fault", "state", "sentence"),
    [
        (Fault.COLUMN_GONE, NEVER, "no longer in the course"),
        (Fault.INCORRECT_SCORE, NEVER, "may no longer be in the site"),
        (Fault.LACKS_SCOPE, LATER, "administrator should check"),
    ],
)
def test_a_sakai_says_400_to_everything_and_is_told_apart_by_its_words(
    open_at: Open, fault: Fault, state: str, sentence: str
) -> None:
    refused(open_at("sakai"), state, sentence, score_fault=fault)


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_token_that_nobody_takes_is_tried_twice_and_then_later(open_at: Open, product: Product) -> None:
    walk = open_at(product)
    refused(walk, LATER, "administrator should check", score_fault=Fault.BAD_TOKEN)
    asked = [entry.path for entry in walk.site.journal.entries() if entry.path.endswith("/scores")]
    assert len(asked) == 2
    goes_through_afterwards(walk)


@pytest.mark.parametrize("product", PRODUCTS)
def test_pitfalls_26_and_28_a_busy_lms_gets_the_score_later(open_at: Open, product: Product) -> None:
    walk = open_at(product)
    refused(walk, LATER, "cannot answer at the moment", busy=True)
    goes_through_afterwards(walk)


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_lms_that_is_down_gets_the_score_later(open_at: Open, product: Product) -> None:
    walk = open_at(product)
    refused(walk, LATER, "cannot answer at the moment", down=True)
    goes_through_afterwards(walk)


@pytest.mark.parametrize("without", ["", "result.readonly"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_pitfalls_25_and_26_a_score_whose_worker_died_ends_as_one_right_grade(
    open_at: Open, product: Product, without: str
) -> None:
    """Where we may look, it is not sent again: it would be a second attempt. Elsewhere the same bytes are, which some
    refuse as old and others take once more."""
    walk = open_at(product, without=without)
    visit, _ = walk.opens()
    walk.attends(visit)
    walk.dies_after_sending()
    assert [row.state for row in walk.delivers()] == ["delivered"]
    assert walk.grades() == {OWN_COLUMN: 50}
    posted = [entry.body_sha256 for entry in walk.site.journal.entries() if entry.path.endswith("/scores")]
    assert (len(posted), len(set(posted))) == (2 if without else 1, 1)
