"""The one place that reads the time.

Rehearsals and the demo jump in time: `CLOCK_FILE` names a file with an offset in seconds, read anew at every
reading, so that the tool, the worker and the sandbox jump together.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Aware UTC time, moved by the offset in `offset_file` (seconds, may be negative), if there is one."""

    offset_file: Path | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def offset(self) -> timedelta:
        if self.offset_file is None:
            return timedelta(0)
        try:
            return timedelta(seconds=float(self.offset_file.read_text().strip() or 0))
        except FileNotFoundError:
            return timedelta(0)
