"""Taking a rehearsal away, with all that was tried in it.

Evidence is append-only because grades rest on it. On that of a rehearsal nothing rests, so there is no reason to keep
what people did there: who entered which code when is personal, and goes with the rehearsal. The audit keeps that it was
there, and who has removed it.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.store.audit import append_audit
from series.store.lms_tables import host_invitation, host_request, join_link_change
from series.store.sessions import lock_series
from series.store.tables import check_in, evidence, more_time, objection, reflection, session, session_host


class NoRehearsal(Exception):
    """It is not there, or counts."""


TRIED = (reflection, objection, session_host, host_request, host_invitation, join_link_change, check_in)  # deleted


def remove_rehearsal(connection: sa.Connection, series_id: UUID, session_id: UUID, *, by: str, now: datetime) -> None:
    """Raises NoRehearsal; then nothing was removed."""
    lock_series(connection, series_id)
    its = (session.c.id == session_id) & (session.c.series_id == series_id) & session.c.is_rehearsal
    if connection.execute(sa.select(session.c.id).where(its).with_for_update()).one_or_none() is None:
        raise NoRehearsal
    openings = sa.select(check_in.c.id).where(check_in.c.session_id == session_id)
    connection.execute(sa.delete(more_time).where(more_time.c.check_in_id.in_(openings)))
    for table in TRIED:
        connection.execute(sa.delete(table).where(table.c.session_id == session_id))
    of_it = evidence.c.session_id == session_id
    connection.execute(sa.delete(evidence).where(of_it, evidence.c.retracts_evidence_id.is_not(None)))
    facts = len(connection.execute(sa.delete(evidence).where(of_it).returning(evidence.c.id)).all())
    connection.execute(sa.delete(session).where(session.c.id == session_id))
    thing = f"session {session_id}"
    append_audit(connection, actor=by, action="remove_rehearsal", thing=thing, now=now, evidence=facts)
