"""What a viewer is shown of the series as a whole: values, without a name and without a single person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

SMALLEST_GROUPS = range(3, 21)  # what k may be


class PooledBy(StrEnum):
    """Columns of the table of sessions and universities. Months, where sessions alone would be mostly holes."""

    SESSION = "session"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Part of a series of which people are counted: one session, one month of sessions ("2026-11"), or all of it; of
    all of it also those of one audience (a series.audience.Audience, or NOT_SAID)."""

    session_id: UUID | None = None
    month: str | None = None
    audience: str | None = None

    @property
    def key(self) -> str:
        """As it is stored."""
        if self.session_id is not None:
            return f"session:{self.session_id}"
        if self.audience is not None:
            return f"audience:{self.audience}"
        return f"month:{self.month}" if self.month is not None else "term"


TERM = Block()
NOT_SAID = "not_said"  # of whose courses nobody has said whom they teach


@dataclass(frozen=True, kw_only=True)
class Step:
    """What was counted at one moment: distinct people by block and university id, as series.protected_falls lets it
    fall. Never shown as it is. `months`: the month of each session."""

    at: datetime
    smallest_group: int
    counts: Mapping[Block, Mapping[int, int]]
    months: Mapping[Block, Block] = field(default_factory=dict)

    def sessions_in(self, month: Block) -> list[Block]:
        """That are counted."""
        return [session for session, of in self.months.items() if of == month and session in self.counts]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Universities that are shown together in one block, because some of them are too small alone. `people` None: all
    of them together are too few."""

    university_ids: frozenset[int]
    people: int | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One block for one viewer, without the viewer's own university. `shown`: alone. `group` None: nobody is hidden.
    `total`: of `shown` and `group`; None when that would tell of a hidden group. `as_of`: when it was last told, where
    it was not told anew since."""

    block: Block
    shown: Mapping[int, int]
    group: Group | None
    total: int | None
    as_of: datetime | None = None

    @property
    def university_ids(self) -> frozenset[int]:
        """Who is counted here, alone or with others; a university that came later is not."""
        return frozenset(self.shown) | (self.group.university_ids if self.group else frozenset())


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """All that one viewer is told at one step. `sessions`: where the columns are months, each session without any cell:
    all others together. `rows`: of each university whose cells are all shown, their sum. `people`: distinct ones in the
    whole series, of all others together, as of `people_at`: the last step at which that number narrowed nothing."""

    step_at: datetime
    smallest_group: int
    by: PooledBy
    columns: tuple[Column, ...]
    rows: Mapping[int, int]
    people: int | None
    people_at: datetime | None = None
    sessions: tuple[Column, ...] = ()

    @property
    def share_shown(self) -> float:
        """Of all cells of others, how many are shown alone: 0 to 1."""
        shown = sum(len(column.shown) for column in self.columns)
        hidden = sum(len(column.group.university_ids) for column in self.columns if column.group)
        return shown / (shown + hidden) if shown + hidden else 0.0


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What may stand in a report that everybody reads: each may subtract their own university from it. `by_block`: of
    all universities together, None where that would tell of few; `people`: distinct ones, as of `people_at`;
    `audiences`: these by whom their courses teach, as of `audiences_at`: all of them or none."""

    step_at: datetime
    smallest_group: int
    by: PooledBy
    by_block: Mapping[Block, int | None]
    people: int | None
    people_at: datetime | None
    audiences: Mapping[str, int] | None = None
    audiences_at: datetime | None = None
