"""Wait for a fact instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(fact: Callable[[], T], what: str, *, within_s: float) -> T:
    """Ask again and again until the fact holds; its value."""
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        if found := fact():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {what}")
