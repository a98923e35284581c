"""What Moodle no longer says is complete: the evidence that came of it is withdrawn."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from series.collecting import Said, Source
from series.store.activity_states import OF_MOODLE, Outcome, Place, is_connected, known_states, save_state
from series.store.evidence import NothingToRetract, retract_evidence
from series.store.moodle_tables import activity_state
from series.store.tables import evidence, participant

TAKEN_BACK = {
    Source.ACTIVITY: "Moodle no longer says that the activity is complete.",
    Source.OVERRIDE: "In Moodle, a teacher has taken their word for it back.",
    Source.GRADE: "In Moodle, a teacher has lowered the grade that they had given.",
}


def people_to_weigh(connection: sa.Connection, course_id: int, *, since: datetime) -> tuple[set[str], int]:
    """Of whom Moodle alone has taken something back since then, and how many people that is together with those who
    have something."""
    taken = activity_state.c.taken_at >= since
    has = activity_state.c.is_complete & activity_state.c.evidence_id.is_not(None)
    of_course = sa.select(activity_state.c.sub).where(activity_state.c.course_id == course_id).distinct()
    return set(connection.execute(of_course.where(taken)).scalars()), len(
        connection.execute(of_course.where(taken | has)).all()
    )


def take_back(
    connection: sa.Connection, place: Place, sub: str, said: Iterable[Said], *, now: datetime, is_decided: bool = False
) -> Outcome:
    """Withdraw the very evidence that each of these things gave, and no other. May be repeated. `is_decided`: a person
    has said yes. What has become that of somebody with another number, or of another site, is left to people."""
    if not is_connected(connection, place):
        return Outcome()
    known, queued, taken_back = known_states(connection, place.course_id, sub), list[int](), 0
    for one in said:
        before = known.get(one.key)
        if before is None or not before.is_complete or before.session_id != one.session_id:
            continue
        standing: list[int] = []
        if before.evidence_id is not None:
            if not _is_of(connection, place, sub, before.evidence_id):
                continue  # the site has moved, perhaps, and its people have not yet: the next reading says it again
            standing = _standing(connection, before.evidence_id, one.key[0])
            for evidence_id in standing:
                queued += _retract(connection, place, evidence_id, TAKEN_BACK[one.key[1]], now)
            taken_back += bool(standing)
        save_state(
            connection, place.course_id, sub, one, None, now, taken_at=now if standing and not is_decided else None
        )
    return Outcome(queued=tuple(queued), taken_back=taken_back)


def _retract(connection: sa.Connection, place: Place, evidence_id: int, reason: str, now: datetime) -> list[int]:
    try:
        by = f"{OF_MOODLE} {place.university_id}"
        return retract_evidence(connection, evidence_id, by=by, reason=reason, now=now)
    except NothingToRetract:  # a person was faster
        return []


def _is_of(connection: sa.Connection, place: Place, sub: str, evidence_id: int) -> bool:
    query = (
        sa.select(evidence.c.id)
        .join(participant, evidence.c.participant_id == participant.c.id)
        .where(evidence.c.id == evidence_id, participant.c.issuer == place.base_url, participant.c.sub == sub)
    )
    return connection.execute(query).one_or_none() is not None


def _standing(connection: sa.Connection, evidence_id: int, number: int) -> list[int]:
    """With all else that the same thing has given the same person for the same session, as far as it still counts: two
    who have become one may both have had it."""
    one, withdrawal = evidence.alias("one"), evidence.alias("withdrawal")
    same = ("participant_id", "session_id", "kind", "source")
    query = (
        sa.select(evidence.c.id)
        .join(one, sa.and_(*(one.c[name] == evidence.c[name] for name in same)))
        .where(
            one.c.id == evidence_id,
            evidence.c.source_id.like(f"{number}:%"),
            evidence.c.retracts_evidence_id.is_(None),
            ~sa.exists().where(withdrawal.c.retracts_evidence_id == evidence.c.id),
        )
        .order_by(evidence.c.id)
    )
    return list(connection.execute(query).scalars())
