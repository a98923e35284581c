"""Openings of the check-in of a session."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.check_in import CODE_LIFE, CheckIn
from series.store.tables import check_in


def open_check_in(
    connection: sa.Connection,
    *,
    session_id: UUID,
    code: str,
    participant_id: int | None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Open the check-in of a session for CODE_LIFE. `participant_id` None: it opens by itself."""
    connection.execute(
        sa.insert(check_in).values(
            session_id=session_id,
            code=code,
            opens_at=now,
            closes_at=now + CODE_LIFE,
            opened_by_participant_id=participant_id,
            reason=reason,
        )
    )


def check_ins_of(connection: sa.Connection, session_id: UUID) -> list[CheckIn]:
    """The newest first."""
    rows = connection.execute(
        sa.select(check_in).where(check_in.c.session_id == session_id).order_by(check_in.c.id.desc())
    )
    return [CheckIn(check_in_id=row.id, code=row.code, opens_at=row.opens_at, closes_at=row.closes_at) for row in rows]
