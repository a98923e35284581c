"""Who saw or did what to whom: only ever appended."""

import json
from datetime import datetime

import sqlalchemy as sa

from series.store.tables import audit

OPERATOR = "operator"  # the actor of every command: whoever has a shell where we run


def append_audit(
    connection: sa.Connection, *, actor: str, action: str, thing: str, now: datetime, **detail: str | int
) -> None:
    """One line. `actor` and `thing` are ids of ours such as `participant 7` and `course 3`, never names."""
    connection.execute(
        sa.insert(audit).values(at=now, actor=actor, action=action, object=thing, detail=json.dumps(detail))
    )
