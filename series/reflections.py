"""What a participant writes about a session: a draft, then handed in, and perhaps returned with a comment."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from series.afterwards import Window

MAX_REFLECTION_CHARS = 20_000
RETURN_GRACE = timedelta(days=14)  # to hand in once more what was returned, also where its time is over


class ReflectionState(StrEnum):
    DRAFT = "draft"
    HANDED_IN = "handed_in"
    RETURNED = "returned"  # and whatever has been saved since


@dataclass(frozen=True, kw_only=True)
class Reflection:
    """The one text of a participant about a session. `evidence_id`: what it became when it was handed in last;
    `read_at`: one who teaches has read that. `comment`: with which it was returned last."""

    participant_id: int
    session_id: UUID
    text: str
    state: ReflectionState
    saved_at: datetime
    handed_in_at: datetime | None
    evidence_id: int | None
    read_at: datetime | None
    comment: str | None
    returned_at: datetime | None

    @property
    def words(self) -> int:
        return count_words(self.text)


class ReflectionLocked(Exception):
    """It has been handed in, and stays as it is until somebody returns it."""


class ReflectionTooShort(Exception):
    """Fewer words than the rule demands. Nothing was handed in; the draft is kept."""

    def __init__(self, *, words: int, at_least: int) -> None:
        super().__init__(f"{words} words; at least {at_least} are demanded")
        self.words, self.at_least = words, at_least


class SavedMeanwhile(Exception):
    """Another text has been saved since this one was begun, perhaps in another window. Nothing was overwritten."""


class NothingToReturn(Exception):
    """There is no such reflection, or it is not handed in (any more)."""


class HandedInAnew(Exception):
    """Not what was read, but a later text. Nothing was changed."""


def window_to_hand_in(window: Window, reflection: Reflection | None) -> Window:
    """As the rule has it; what was returned can be handed in once more for RETURN_GRACE at least."""
    if window.closes_at is None or reflection is None or reflection.state is not ReflectionState.RETURNED:
        return window
    if reflection.returned_at is None:
        return window
    return replace(window, closes_at=max(window.closes_at, reflection.returned_at + RETURN_GRACE))


def count_words(text: str) -> int:
    """What stands between blanks and has a letter or a digit in it: a dash of its own is no word."""
    return sum(1 for piece in text.split() if any(sign.isalnum() for sign in piece))
