"""The erasure of everything that is held about one person at one university, in one transaction (Art. 17 GDPR).

Of the person's row its number stays, and nothing else: SQLite would give the number to the next who comes, and with it
whatever had been made for it. What is left of others' records then names a number that is nobody's.
https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_17
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from series.store.activity_states import OF_MOODLE, moodle_user
from series.store.audit import OPERATOR, append_audit
from series.store.audit_commitments import forget
from series.store.course_collects import forget_refused
from series.store.held_completions import forget_held_person
from series.store.lms_tables import host_invitation, host_request, staff_binding
from series.store.moodle_tables import activity_state
from series.store.privacy_tables import transfer_code
from series.store.rosters import forget_member
from series.store.tables import (
    check_in,
    completion,
    delivery,
    evidence,
    excuse,
    membership,
    more_time,
    objection,
    participant,
    reflection,
    session_host,
    university,
    visit,
)
from series.store.tombstones import (
    Mark,
    hold_off_lists,
    participant_of,
    put_tombstone,
    restore_tombstone,
    same_people,
)
from series.store.turns import take_turns
from series.tombstones import Whom, tombstone_of

# In an order in which no row is left that points to one that is gone.
GOES = (
    reflection,
    completion,
    excuse,
    evidence,
    objection,
    delivery,
    more_time,
    membership,
    visit,
    session_host,
    host_request,
    transfer_code,
    staff_binding,
)
STAYS_UNNAMED = (check_in.c.opened_by_participant_id, host_invitation.c.participant_id)  # of a session, without them


def erase_person(connection: sa.Connection, person: Whom, *, by: str, secret_key: bytes, now: datetime) -> int:
    """All that is held about them; how many rows that were. From then on no list of the LMS brings them back.

    `by`: as in the audit table. Also of somebody whom only a roster or a reading of Moodle has named. May be repeated.
    """
    courses = hold_off_lists(connection, person)
    put_tombstone(connection, person, secret_key=secret_key, now=now)
    erased = _erase_from_lists(connection, person, courses)
    participant_id = _take_turn(connection, person)
    if participant_id is not None:
        erased += _erase_participant(connection, participant_id)
    thing = f"university {person.university_id}" if participant_id is None else f"participant {participant_id}"
    append_audit(connection, actor=by, action="erase_person", thing=thing, now=now, rows=erased)
    if participant_id is not None:
        forget(connection, participant_id)
        _leave_the_number(connection, participant_id, now)
    return erased


def erase_marked(connection: sa.Connection, marks: Collection[Mark], *, secret_key: bytes, now: datetime) -> int:
    """After a backup was restored: everybody who has been erased since is erased once more; how many of them were in
    it. Whoever came after their mark was made has begun again, and stays. May be repeated."""
    wanted = {(mark.university, mark.mark): mark for mark in marks}
    slugs = {row.id: row.slug for row in connection.execute(sa.select(university.c.id, university.c.slug))}
    rows = connection.execute(sa.select(participant).where(participant.c.issuer != "")).all()
    found = 0
    for row in rows:
        person = Whom(university_id=row.university_id, issuer=row.issuer, sub=row.sub)
        key = (slugs[row.university_id], tombstone_of(person, secret_key=secret_key))
        if key in wanted and row.created_at > wanted[key].erased_at:
            del wanted[key]
        elif key in wanted:
            erase_person(connection, person, by=OPERATOR, secret_key=secret_key, now=now)
            found += 1
    ids = {slug: university_id for university_id, slug in slugs.items()}
    for mark in wanted.values():
        if mark.university in ids:
            restore_tombstone(connection, ids[mark.university], mark)
    return found


def _take_turn(connection: sa.Connection, person: Whom) -> int | None:
    """Their number; None: there is none, or another erasure was faster. Whoever wants to write for them comes after us,
    and finds nobody."""
    participant_id = participant_of(connection, person)
    return participant_id if participant_id in take_turns(connection, [participant_id or 0]) else None


def _erase_participant(connection: sa.Connection, participant_id: int) -> int:
    own = sa.select(evidence.c.id).where(evidence.c.participant_id == participant_id)
    for column in (*STAYS_UNNAMED, reflection.c.evidence_id, activity_state.c.evidence_id):
        of_them = column.in_(own) if column.name == "evidence_id" else column == participant_id
        connection.execute(sa.update(column.table).where(of_them).values({column.name: sa.null()}))
    gone = _delete(connection, evidence, evidence.c.retracts_evidence_id.in_(own))
    return gone + sum(_delete(connection, table, table.c.participant_id == participant_id) for table in GOES)


def _erase_from_lists(connection: sa.Connection, person: Whom, courses: Iterable[int]) -> int:
    """By their number in the LMS: where nobody of ours need be known for it."""
    gone = 0
    for course_id in courses:
        gone += forget_member(connection, course_id, person.sub)
        gone += _delete(
            connection, activity_state, (activity_state.c.course_id == course_id) & (activity_state.c.sub == person.sub)
        )
        forget_held_person(connection, course_id, person.sub)
        forget_refused(connection, course_id, person.sub)
        said = (activity_state.c.course_id == course_id) & (activity_state.c.said_by == person.sub)
        connection.execute(sa.update(activity_state).where(said).values(said_by=None))
    _leave_the_word_to_moodle(connection, person)
    return gone


def _leave_the_word_to_moodle(connection: sa.Connection, person: Whom) -> None:
    """What a teacher has said of others in Moodle names them by their number there: from now on, their Moodle did."""
    issuers = same_people(connection, person.university_id, person.issuer)
    ids = sa.select(participant.c.id).where(
        participant.c.university_id == person.university_id, participant.c.issuer.in_(issuers)
    )
    said = (evidence.c.recorded_by == moodle_user(person.sub)) & evidence.c.participant_id.in_(ids)
    nobody = f"{OF_MOODLE} {person.university_id}"
    connection.execute(sa.update(evidence).where(said).values(recorded_by=nobody))


def _leave_the_number(connection: sa.Connection, participant_id: int, now: datetime) -> None:
    """And make the address of their calendar feed worthless."""
    nobody = {"issuer": "", "sub": f"erased {participant_id}", "created_at": now, "objected_at": None}
    connection.execute(
        sa.update(participant)
        .where(participant.c.id == participant_id)
        .values(**nobody, feed_generation=participant.c.feed_generation + 1)
    )


def _delete(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    return len(connection.execute(sa.delete(table).where(which).returning(sa.literal(1))).all())
