"""What others may know of how many while it grows: counts that hide small groups."""

from dataclasses import dataclass

SMALLEST_GROUP = 5


@dataclass(frozen=True, kw_only=True)
class ProtectedCount:
    """A number of people. `at_least` is None when it would tell of a group smaller than `smallest_group`."""

    at_least: int | None
    smallest_group: int = SMALLEST_GROUP


def protect(count: int, *, largest: int = 0, smallest_group: int = SMALLEST_GROUP) -> ProtectedCount:
    """Fewer than `smallest_group` are hidden; more are shown in steps of as many, so that two looks do not tell of one.

    `largest`: how many of them belong to one university at most, where members of it look too. They know their own
    number, so that the others have to be enough without it.
    """
    if count - largest < smallest_group:
        return ProtectedCount(at_least=None, smallest_group=smallest_group)
    return ProtectedCount(at_least=count - count % smallest_group, smallest_group=smallest_group)
