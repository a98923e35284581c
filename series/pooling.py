"""What others may know of how many: counts that hide small groups."""

from dataclasses import dataclass

SMALLEST_GROUP = 5
STEP = 5


@dataclass(frozen=True, kw_only=True)
class ProtectedCount:
    """A number of other universities' people. `at_least` is None when the group is too small to be counted."""

    at_least: int | None
    smallest_group: int = SMALLEST_GROUP


def protect(count: int) -> ProtectedCount:
    """Fewer than SMALLEST_GROUP are hidden; more are shown in steps, so that two looks tell nothing of one person."""
    if count < SMALLEST_GROUP:
        return ProtectedCount(at_least=None)
    return ProtectedCount(at_least=count - count % STEP)
