"""Openings of the check-in of a session, who needs more time, and how many have come."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.check_in import CODE_LIFE, OPENS_BY_ITSELF_AFTER, CheckIn, new_code, opens_by_itself
from series.rule import Kind
from series.sessions import Status
from series.store.database import insert
from series.store.rules import rules_of
from series.store.sessions import get_session
from series.store.tables import check_in, evidence, more_time, participant, session, university
from series.store.turns import take_turn


@dataclass(frozen=True, kw_only=True)
class Turnout:
    """How many people have entered a code; `largest`: most of one university. Never shown without `pooling.protect`.
    `countries`: in which one university has enough people for a group of its own, so that it tells of nobody."""

    people: int
    countries: int
    largest: int


def open_check_in(
    connection: sa.Connection,
    *,
    session_id: UUID,
    code: str,
    participant_id: int | None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Open the check-in of a session for CODE_LIFE. `participant_id` None: it opens by itself; of anybody else the
    caller has taken the turn."""
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


def lock_check_ins(connection: sa.Connection, session_id: UUID) -> list[CheckIn]:
    """The same, and whoever wants to open it too comes after us. Evidence is taken meanwhile."""
    connection.execute(sa.select(session.c.id).where(session.c.id == session_id).with_for_update(key_share=True))
    return check_ins_of(connection, session_id)


def sessions_to_open(connection: sa.Connection, *, now: datetime) -> list[UUID]:
    """Running sessions whose code counts, and whose check-in nobody has opened since the start."""
    opened = sa.exists().where(check_in.c.session_id == session.c.id, check_in.c.opens_at >= session.c.start_at)
    rows = connection.execute(
        sa.select(session.c.id, session.c.series_id).where(
            session.c.status == Status.PLANNED.value,
            session.c.start_at <= now - OPENS_BY_ITSELF_AFTER,
            session.c.end_at > now,
            ~opened,
        )
    ).all()
    rules = {row.series_id: rules_of(connection, row.series_id).of_sessions for row in rows}
    return [row.id for row in rows if rules[row.series_id][row.id].rule.counts(Kind.CODE)]


def open_by_itself(connection: sa.Connection, session_id: UUID, *, now: datetime) -> bool:
    """Whether it was still to be opened. May be repeated, and by many at once: one of them opens it."""
    openings = lock_check_ins(connection, session_id)
    found = get_session(connection, session_id)
    if found is None or not opens_by_itself(found, openings, now):
        return False
    code = new_code([opening.code for opening in openings])
    open_check_in(connection, session_id=session_id, code=code, participant_id=None, now=now)
    return True


def give_more_time(connection: sa.Connection, *, check_in_id: int, participant_id: int, now: datetime) -> None:
    """May be repeated. Raises NobodyThere."""
    take_turn(connection, participant_id)
    connection.execute(
        insert(connection, more_time)
        .values(check_in_id=check_in_id, participant_id=participant_id, asked_at=now)
        .on_conflict_do_nothing()
    )


def extended_check_ins(connection: sa.Connection, *, participant_id: int, session_id: UUID) -> frozenset[int]:
    """Ids of the openings in which the participant has more time."""
    rows = connection.execute(
        sa.select(more_time.c.check_in_id)
        .join(check_in, more_time.c.check_in_id == check_in.c.id)
        .where(more_time.c.participant_id == participant_id, check_in.c.session_id == session_id)
    )
    return frozenset(rows.scalars())


def turnout_of(connection: sa.Connection, session_id: UUID, *, smallest_group: int) -> Turnout:
    """By the codes that count: what was withdrawn is not in it, nor who has objected."""
    withdrawal = evidence.alias()
    rows = connection.execute(
        sa.select(university.c.country, sa.func.count(evidence.c.participant_id.distinct()).label("people"))
        .join(participant, evidence.c.participant_id == participant.c.id)
        .join(university, participant.c.university_id == university.c.id)
        .where(
            evidence.c.session_id == session_id,
            evidence.c.kind == Kind.CODE.value,
            evidence.c.retracts_evidence_id.is_(None),
            participant.c.objected_at.is_(None),
            ~sa.exists().where(
                withdrawal.c.session_id == session_id, withdrawal.c.retracts_evidence_id == evidence.c.id
            ),
        )
        .group_by(university.c.id, university.c.country)
    ).all()
    people = [row.people for row in rows]
    countries = {row.country for row in rows if row.people >= smallest_group}
    return Turnout(people=sum(people), countries=len(countries), largest=max(people, default=0))
