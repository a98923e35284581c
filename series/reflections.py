"""What a participant writes about a session: a draft, then handed in, and perhaps returned with a comment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

MAX_REFLECTION_CHARS = 20_000


class ReflectionState(StrEnum):
    DRAFT = "draft"
    HANDED_IN = "handed_in"
    RETURNED = "returned"  # and whatever has been saved since


@dataclass(frozen=True, kw_only=True)
class Reflection:
    """The one text of a participant about a session. `comment`: with which it was returned last."""

    participant_id: int
    session_id: UUID
    text: str
    state: ReflectionState
    saved_at: datetime
    handed_in_at: datetime | None
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


class NothingToReturn(Exception):
    """There is no such reflection, or it is not handed in (any more)."""


def count_words(text: str) -> int:
    """What stands between blanks and has a letter or a digit in it: a dash of its own is no word."""
    return sum(1 for piece in text.split() if any(sign.isalnum() for sign in piece))
