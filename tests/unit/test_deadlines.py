"""One month, as the law counts it."""

from datetime import UTC, datetime

import pytest

from series.deadlines import one_month_later


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        ("2026-11-24", "2026-12-24"),
        ("2026-12-31", "2027-01-31"),
        ("2027-01-31", "2027-02-28"),
        ("2028-01-30", "2028-02-29"),
    ],
)
def test_an_answer_is_due_on_the_same_day_of_the_next_month_or_its_last(raised: str, due: str) -> None:
    at = datetime.fromisoformat(f"{raised}T16:10").replace(tzinfo=UTC)
    assert one_month_later(at) == datetime.fromisoformat(f"{due}T16:10").replace(tzinfo=UTC)
