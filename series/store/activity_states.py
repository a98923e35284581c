"""What Moodle last said of each person and each thing that may complete a session, and the evidence that came of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.collecting import REMOVED, WAITS_AFTER_THE_END, Key, Known, Said, Source
from series.rule import Kind
from series.store.database import insert
from series.store.ended_series import sessions_forgotten
from series.store.evidence import NewEvidence, record_evidence
from series.store.mapped_activities import mapped_now
from series.store.moodle_tables import activity_state
from series.store.rosters import ensure_participants
from series.store.tables import counted, evidence, moodle_connection, participant, roster_member, session

OF_MOODLE = "moodle of university"  # says who it was, with the university's id; "moodle user": a teacher's id there
_MOODLE_USER = "moodle user "


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a person's changes. `queued`: the new deliveries' ids."""

    queued: tuple[int, ...] = ()
    completed: int = 0
    waiting: int = 0
    taken_back: int = 0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where it was said. `base_url`: of the site that says it. `knows_people`: as of
    series.store.course_collects.CollectedCourse."""

    course_id: int
    university_id: int
    base_url: str
    knows_people: bool


def known_states(connection: sa.Connection, course_id: int, sub: str) -> dict[Key, Known]:
    rows = connection.execute(sa.select(activity_state).filter_by(course_id=course_id, sub=sub))
    return {(row.cmid, Source(row.source)): _known(row) for row in rows}


def no_longer_waiting(connection: sa.Connection, place: Place) -> list[str]:
    """Who has completed something, was not known here when it was read, and is known by now."""
    query = sa.select(activity_state.c.sub).where(
        activity_state.c.course_id == place.course_id,
        activity_state.c.is_complete,
        activity_state.c.evidence_id.is_(None),
    )
    waiting = set(connection.execute(query).scalars())
    known = set(_participants(connection, place, waiting))
    if place.knows_people:
        listed = sa.select(roster_member.c.sub).where(
            roster_member.c.course_id == place.course_id,
            roster_member.c.is_learner,
            roster_member.c.gone_at.is_(None),
        )
        known |= waiting & set(connection.execute(listed).scalars())
    return sorted(known)


def people_with_something(connection: sa.Connection, course_id: int) -> int:
    """How many people the course's activities have given anything that Moodle had not taken back so far."""
    query = sa.select(sa.func.count(sa.distinct(activity_state.c.sub))).where(
        activity_state.c.course_id == course_id,
        activity_state.c.is_complete,
        activity_state.c.evidence_id.is_not(None),
    )
    return int(connection.execute(query).scalar_one())


def known_people(connection: sa.Connection, place: Place, subs: Collection[str], *, now: datetime) -> dict[str, int]:
    """Those whom a launch or the course's roster has named: participants' ids by `sub`, made where only the roster
    knows them. By nothing but their user id in this very site."""
    found = dict(_participants(connection, place, subs))
    if place.knows_people:
        found |= ensure_participants(connection, course_id=place.course_id, subs=subs, now=now)
    return found


def add_completed(
    connection: sa.Connection, place: Place, sub: str, completed: Iterable[Said], *, now: datetime
) -> Outcome:
    """Evidence for all of it, or, where nobody knows the person yet, a note that it waits for them. May be repeated."""
    names, forgotten = mapped_now(connection, place.course_id), sessions_forgotten(connection, now=now)
    completed = [one for one in completed if one.key[1] is not Source.ACTIVITY or _name(one, names) is not None]
    completed = [one for one in completed if one.session_id not in forgotten]  # Moodle may remember longer than we do
    if not completed or not is_connected(connection, place):  # or somebody has taken it from the list meanwhile
        return Outcome()
    participant_id = known_people(connection, place, [sub], now=now).get(sub)
    if participant_id is None:
        lasting = set(connection.execute(_not_long_over(now)).scalars())
        completed = [one for one in completed if one.session_id in lasting]
    done, queued = 0, list[int]()
    for said in completed:
        evidence_id = None
        if participant_id is not None:
            new = _new_evidence(place, participant_id, said, names, now)
            evidence_id = _adopted(connection, new, said.key[0])
            if evidence_id is None:
                new = _with_unused_id(connection, new)
                queued += record_evidence(connection, new, now=now)
                evidence_id = _evidence_id(connection, new)
        save_state(connection, place.course_id, sub, said, evidence_id, now)
        done += 1
    is_known = participant_id is not None
    return Outcome(queued=tuple(queued), completed=done if is_known else 0, waiting=0 if is_known else done)


def give_waiting(connection: sa.Connection, place: Place, sub: str, *, now: datetime) -> Outcome:
    """What has waited for this person, if they are known by now."""
    if sub not in known_people(connection, place, [sub], now=now):
        return Outcome()
    said = [
        Said(key=key, session_id=one.session_id, is_complete=True, changed_at=one.changed_at, by=one.by)
        for key, one in known_states(connection, place.course_id, sub).items()
        if one.is_complete and one.evidence_id is None
    ]
    return add_completed(connection, place, sub, said, now=now)


def forget(connection: sa.Connection, course_id: int, sub: str, said: Iterable[Said]) -> None:
    """It waits no more: Moodle has taken it back."""
    for one in said:
        number, source = one.key
        key = {"course_id": course_id, "sub": sub, "cmid": number, "source": source.value}
        connection.execute(sa.delete(activity_state).filter_by(**key).where(activity_state.c.evidence_id.is_(None)))


def purge_waiting(connection: sa.Connection, *, now: datetime) -> None:
    """Who has not become known long after the end of a series will not be."""
    connection.execute(
        sa.delete(activity_state).where(
            activity_state.c.evidence_id.is_(None), activity_state.c.session_id.not_in(_not_long_over(now))
        )
    )


def _not_long_over(now: datetime) -> sa.Select[tuple[UUID]]:
    """Sessions of the series that go on, or have ended a while ago."""
    lasting = sa.select(session.c.series_id).where(counted, session.c.end_at > now - WAITS_AFTER_THE_END)
    return sa.select(session.c.id).where(session.c.series_id.in_(lasting))


def is_connected(connection: sa.Connection, place: Place) -> bool:
    """Still: another Moodle may have been connected while this one was read."""
    query = sa.select(moodle_connection.c.base_url).where(moodle_connection.c.university_id == place.university_id)
    return connection.execute(query).scalar_one_or_none() == place.base_url


def _participants(connection: sa.Connection, place: Place, subs: Collection[str]) -> Mapping[str, int]:
    """Of the site that was read, whichever of its courses they have come from."""
    rows = connection.execute(
        sa.select(participant.c.sub, participant.c.id).where(
            participant.c.university_id == place.university_id,
            participant.c.issuer == place.base_url,
            participant.c.sub.in_(subs),
        )
    )
    return {row.sub: row.id for row in rows}


def _new_evidence(
    place: Place,
    participant_id: int,
    said: Said,
    names: Mapping[tuple[int, UUID], str],
    now: datetime,
) -> NewEvidence:
    (number, source), observed_at = said.key, _changed_at(said, now)
    return NewEvidence(
        participant_id=participant_id,
        session_id=said.session_id,
        kind=Kind.LMS,
        source=source,
        source_id=f"{number}:{int(observed_at.timestamp())}",
        observed_at=observed_at,
        recorded_by=_who(said, place.university_id),
        reason=_name(said, names) if source is Source.ACTIVITY else None,
    )


def _name(said: Said, names: Mapping[tuple[int, UUID], str]) -> str | None:
    """Of an activity that counts for this very session."""
    return names.get((said.key[0], said.session_id))


def _adopted(connection: sa.Connection, new: NewEvidence, number: int) -> int | None:
    """The newest evidence that the same thing has given before, whenever: the same fact in another place's words, the
    activity mapped once more, two courses that have become one. What a person has withdrawn from it stays withdrawn.
    None: there is none, or Moodle or the activity's removal has withdrawn it, and the fact is true anew."""
    withdrawal = evidence.alias("withdrawal")
    newest = connection.execute(
        sa.select(evidence.c.id, withdrawal.c.recorded_by, withdrawal.c.reason)
        .outerjoin(withdrawal, withdrawal.c.retracts_evidence_id == evidence.c.id)
        .where(*_of_fact(new), evidence.c.source_id.like(f"{number}:%"), evidence.c.retracts_evidence_id.is_(None))
        .order_by(evidence.c.id.desc())
        .limit(1)
    ).one_or_none()
    if newest is None or newest.reason == REMOVED or (newest.recorded_by or "").startswith(OF_MOODLE):
        return None
    return int(newest.id)


def _with_unused_id(connection: sa.Connection, new: NewEvidence) -> NewEvidence:
    used = connection.execute(
        sa.select(evidence.c.source_id).where(
            *_of_fact(new), (evidence.c.source_id == new.source_id) | evidence.c.source_id.like(f"{new.source_id}:%")
        )
    ).all()
    return replace(new, source_id=f"{new.source_id}:{len(used) + 1}") if used else new


def _evidence_id(connection: sa.Connection, new: NewEvidence) -> int:
    query = sa.select(evidence.c.id).where(*_of_fact(new), evidence.c.source_id == new.source_id)
    return int(connection.execute(query).scalar_one())


def _of_fact(new: NewEvidence) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        evidence.c.participant_id == new.participant_id,
        evidence.c.session_id == new.session_id,
        evidence.c.kind == new.kind.value,
        evidence.c.source == new.source,
    )


def moodle_user(sub: str) -> str:
    """As who has said something in Moodle: a teacher, by their number there."""
    return f"{_MOODLE_USER}{sub}"


def sub_of_moodle_user(by: str) -> str | None:
    """The number of the teacher there; None: somebody else."""
    return by.removeprefix(_MOODLE_USER) if by.startswith(_MOODLE_USER) else None


def _who(said: Said, university_id: int) -> str | None:
    """None: the participant. Who types a grade, Moodle does not say."""
    if said.by:
        return moodle_user(said.by)
    return None if said.key[1] is Source.ACTIVITY else f"{OF_MOODLE} {university_id}"


def _changed_at(said: Said, now: datetime) -> datetime:
    """Never later than now, whatever Moodle's clock says."""
    return now if said.changed_at is None else min(said.changed_at, now)


def save_state(
    connection: sa.Connection,
    course_id: int,
    sub: str,
    said: Said,
    evidence_id: int | None,
    now: datetime,
    *,
    taken_at: datetime | None = None,
) -> None:
    number, source = said.key
    key = {"course_id": course_id, "cmid": number, "sub": sub, "source": source.value}
    values: dict[str, Any] = {
        "session_id": said.session_id,
        "is_complete": said.is_complete,
        "changed_at": _changed_at(said, now),
        "evidence_id": evidence_id,
        "said_by": said.by,
        "taken_at": taken_at,
    }
    connection.execute(
        insert(connection, activity_state)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_=values)
    )


def _known(row: Any) -> Known:
    session_id: UUID = row.session_id
    return Known(
        session_id=session_id,
        is_complete=row.is_complete,
        changed_at=row.changed_at,
        evidence_id=row.evidence_id,
        by=row.said_by,
    )
