"""The event in one course's Moodle calendar that stands for one session."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """`event_id` None: a creation was begun and is not known to have ended, because something crashed or timed out
    between the call and the note. `fingerprint`: of the event as we last made it. `began_at`: when its creation was
    last begun. `shown_as`: of what Moodle still showed after the event was put right, so that it is let be."""

    session_id: UUID
    event_id: int | None
    fingerprint: str
    began_at: datetime | None = None
    shown_as: str | None = None
