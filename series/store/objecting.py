"""The objection of Art. 21 GDPR: no counting with others and no grades sent, until the person takes it back.

Not to be mixed up with series.store.objections, which is “this is wrong”.
https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_21
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.store.audit import append_audit
from series.store.scores import queue_scores
from series.store.tables import delivery, membership, participant, placement
from series.store.turns import take_turn


def objected_at(connection: sa.Connection, participant_id: int) -> datetime | None:
    """None: they have not objected, or have taken it back."""
    query = sa.select(participant.c.objected_at).where(participant.c.id == participant_id)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def object_to_use(
    connection: sa.Connection, participant_id: int, *, now: datetime, since: datetime | None = None
) -> None:
    """From the next step on the numbers are without them, and no grade that has not left goes out. May be repeated.

    `since`: they said so before, in another account. Raises NobodyThere.
    """
    take_turn(connection, participant_id)
    fresh = participant.c.objected_at.is_(None) & (participant.c.id == participant_id)
    made = connection.execute(
        sa.update(participant).where(fresh).values(objected_at=since or now).returning(participant.c.id)
    )
    if made.one_or_none() is None:
        return
    _stop_what_waits(connection, participant_id)
    _note(connection, "object", participant_id, now)


def take_objection_back(connection: sa.Connection, participant_id: int, *, now: datetime) -> list[int]:
    """All as if they had never objected; the new deliveries' ids. May be repeated. Raises NobodyThere."""
    take_turn(connection, participant_id)
    stood = participant.c.objected_at.is_not(None) & (participant.c.id == participant_id)
    ended = connection.execute(sa.update(participant).where(stood).values(objected_at=None).returning(participant.c.id))
    if ended.one_or_none() is None:
        return []
    _note(connection, "take_objection_back", participant_id, now)
    queued: list[int] = []
    for series_id in _series_of(connection, participant_id):
        queued += queue_scores(connection, participant_id=participant_id, series_id=series_id, now=now)
    return queued


def _stop_what_waits(connection: sa.Connection, participant_id: int) -> None:
    """Also what has failed, so that nobody sends it again. What is in flight just now can no longer be stopped; if it
    does not arrive, it is not tried again (series.store.deliveries.claim)."""
    connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.participant_id == participant_id,
            delivery.c.state.in_(["due", "failed", "unaddressed"]),
            sa.not_(delivery.c.in_flight),
        )
        .values(state="superseded")
    )


def _series_of(connection: sa.Connection, participant_id: int) -> list[UUID]:
    query = (
        sa.select(placement.c.series_id)
        .join(membership, membership.c.placement_id == placement.c.id)
        .where(membership.c.participant_id == participant_id)
        .distinct()
    )
    return list(connection.execute(query).scalars())


def _note(connection: sa.Connection, action: str, participant_id: int, now: datetime) -> None:
    who = f"participant {participant_id}"
    append_audit(connection, actor=who, action=action, thing=who, now=now)
