"""A score on its way to one line item: when it may be sent, and when again. Pure decisions; the rows are the truth."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEASE = timedelta(minutes=5)  # longer than the slowest attempt: token, score, result, each up to a minute
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One version of one participant's score in one line item, claimed by this worker. `ags_scopes`: what the last
    launch of its placement granted us."""

    delivery_id: int
    platform_id: int
    line_item_url: str
    ags_scopes: frozenset[str]
    sub: str
    score_given: int
    score_maximum: int
    score_at: datetime
    attempts: int
    created_at: datetime


def next_score_at(now: datetime, last: datetime | None) -> datetime:
    """Whole seconds, and later than every score before: an LMS compares whole seconds and refuses the same one."""
    whole = now.replace(microsecond=0)
    return whole if last is None else max(whole, last + timedelta(seconds=1))


def next_attempt_at(
    now: datetime, *, attempts: int, created_at: datetime, retry_after_s: int | None, jitter: float
) -> datetime | None:
    """When to try again, or None to give up. `jitter` from 0 to 1 spreads the load."""
    if now - created_at > GIVE_UP_AFTER:
        return None
    delay = min(FIRST_DELAY * (1 << min(attempts - 1, 20)), LONGEST_DELAY)
    if retry_after_s is not None:
        delay = max(delay, min(timedelta(seconds=retry_after_s), LONGEST_DELAY))
    return now + delay * (1 + jitter / 4)
