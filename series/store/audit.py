"""Who saw or did what to whom: only ever appended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.audit_lines import AuditLine
from series.store.audit_commitments import line_of
from series.store.tables import audit

OPERATOR = "operator"  # the actor of every command: whoever has a shell where we run
WORKER = "worker"  # of what the clock has done


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Of the audit; what is empty is not asked for. `about`: as actor or as what it was done to."""

    actor: str = ""
    action: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


def append_audit(
    connection: sa.Connection, *, actor: str, action: str, thing: str, now: datetime, **detail: str | int
) -> None:
    """One line. `actor` and `thing` are ids of ours such as `participant 7` and `course 3`, never names. In the detail,
    `participant` is the number of one whom it is about."""
    connection.execute(
        sa.insert(audit).values(at=now, actor=actor, action=action, object=thing, detail=json.dumps(detail))
    )


def list_audit(
    connection: sa.Connection, wanted: Wanted, *, limit: int, before_id: int | None = None
) -> list[AuditLine]:
    """The newest first; `before_id`: those before that line."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    for condition in _conditions(wanted):
        query = query.where(condition)
    return [line_of(row) for row in connection.execute(query)]


def known_actions(connection: sa.Connection) -> Sequence[str]:
    return connection.execute(sa.select(audit.c.action).distinct().order_by(audit.c.action)).scalars().all()


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.actor:
        found.append(audit.c.actor == wanted.actor)
    if wanted.action:
        found.append(audit.c.action == wanted.action)
    if wanted.about:
        found.append(sa.or_(audit.c.actor == wanted.about, audit.c.object == wanted.about))
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    return found
