"""The event in one course's Moodle calendar that stands for one session."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from series.moodle_jobs import CLOCKS_DIFFER, LATE_EFFECT


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """`event_id` None: it is not known whether there is an event; it is looked for by our marker before one is made.
    `fingerprint`: of the event as we last made it. `began_at`: when a creation was last begun whose end is not known,
    because something crashed or timed out between the call and the note. `shown_as`: of what Moodle still showed after
    the event was put right, so that it is let be."""

    session_id: UUID
    event_id: int | None
    fingerprint: str
    began_at: datetime | None = None
    shown_as: str | None = None

    def late_until(self, now: datetime) -> datetime | None:
        """Until when a creation that was given up may still have its effect; None when that is over, or
        was begun by a clock that has been put back since: by ours, that would never be over."""
        if self.began_at is None or self.began_at > now + CLOCKS_DIFFER:
            return None
        until = self.began_at + LATE_EFFECT
        return until if until > now else None
