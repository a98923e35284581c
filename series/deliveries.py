"""A score on its way to one line item: when it may be sent, and when again. Pure decisions; the rows are the truth."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LEASE = timedelta(minutes=5)  # longer than the slowest attempt: token, score, result, each up to a minute
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=7)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE_FOR_ONE = timedelta(minutes=2)
LONGEST_AFTER_A_PAUSE = timedelta(minutes=15)
ANSWERED_LATELY = timedelta(days=1)  # a platform that took a score since then is not at fault for one that fails


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One version of one participant's score in one line item, claimed by this worker. `ags_scopes`: what the last
    launch of its placement granted us.

    `trying_since`: when this very score first failed, if it has; that a platform did not answer is no fault of its
    scores. `was_cut_off`: somebody who died had it before, so that it may have arrived. `is_probe`: the platform has
    been left alone for a while, and this one finds out whether it answers again.
    """

    delivery_id: int
    platform_id: int
    line_item_url: str
    version: int
    ags_scopes: frozenset[str]
    sub: str
    score_given: int
    score_maximum: int
    score_at: datetime
    attempts: int
    trying_since: datetime | None = None
    was_cut_off: bool = False
    is_probe: bool = False


def next_score_at(now: datetime, last: datetime | None) -> datetime:
    """Whole seconds, and later than every score before: an LMS compares whole seconds and refuses the same one."""
    whole = now.replace(microsecond=0)
    return whole if last is None else max(whole, last + timedelta(seconds=1))


def next_attempt_at(
    now: datetime, *, attempts: int, trying_since: datetime, retry_after_s: int | None, jitter: float
) -> datetime | None:
    """When to try again what failed by itself, or None to give up. `jitter` from 0 to 1 spreads the load."""
    if now - trying_since > GIVE_UP_AFTER:
        return None
    return now + _delay(FIRST_DELAY, LONGEST_DELAY, attempts, retry_after_s) * (1 + jitter / 4)


def pause_until(
    now: datetime, *, failures: int, retry_after_s: int | None, jitter: float, is_by_one: bool = False
) -> datetime:
    """When to ask a platform again that did not answer, `failures` times in a row. There is no end to that: what waits
    for a platform is not at fault, and one call an hour costs nobody anything. `is_by_one`: only one delivery has met
    it, which may be at fault itself: then the others wait less."""
    longest = LONGEST_PAUSE_FOR_ONE if is_by_one else LONGEST_PAUSE
    return now + _delay(FIRST_PAUSE, longest, failures, retry_after_s) * (1 + jitter / 4)


def after_the_pause(until: datetime, *, attempts: int) -> datetime:
    """When a delivery that met the failure asks again: another one that waits finds out first."""
    return until + min(FIRST_DELAY * (1 << min(attempts - 1, 20)), LONGEST_AFTER_A_PAUSE)


def _delay(first: timedelta, longest: timedelta, times: int, retry_after_s: int | None) -> timedelta:
    """Doubled with each time. The LMS's own wish is respected up to LONGEST_DELAY."""
    delay = min(first * (1 << min(times - 1, 20)), longest)
    return delay if retry_after_s is None else max(delay, min(timedelta(seconds=retry_after_s), LONGEST_DELAY))


def resource_id_of(series_id: UUID, session_id: UUID | None) -> str:
    """By which a line item is found again, whoever has made it: we, or the LMS from what Deep Linking has handed it."""
    return f"series {series_id}" if session_id is None else f"session {session_id}"
