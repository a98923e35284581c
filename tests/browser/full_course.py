"""A course in the middle of the term, with long names and something of everything, for the pictures of its pages."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from sandbox_lms.campus import Campus, Person, Role
from sandbox_lms.course_modules import READING
from series.announcements import State
from series.collecting import Said, Source
from series.moodle_jobs import Level
from series.pooled import PooledBy
from series.rosters import RosterMember
from series.rule import Demand, Kind, Rule, SessionRule
from series.sessions import Status
from series.store import deliveries
from series.store.activity_states import Place, add_completed
from series.store.announcements import decide, to_tell
from series.store.approvals import Word, record_word, withdraw
from series.store.database import Connection, Database
from series.store.evidence import record_evidence
from series.store.held_completions import weigh
from series.store.mapped_activities import NewMapping, map_activity, note_problem
from series.store.moodle_connections import NewConnection, save_connection
from series.store.objections import answer_objection, raise_objection
from series.store.reflections import hand_in
from series.store.rosters import ensure_participants, save_roster
from series.store.rules import set_rule, set_session_rule
from series.store.sessions import change_session, list_series, sessions_of
from series.store.tables import (
    completion,
    course,
    delivery,
    evidence,
    membership,
    placement,
    series,
    session,
    university,
)
from tests.integration import whole_series
from tests.seeds import code_entered

NAMES = (
    "Maximiliane Freifrau von Hohenstein-Oberndorff zu Schwarzenbach",
    "Αλεξάνδρα-Παρασκευή Παπαδημητρακοπούλου",
    "Ġorġ Ħaber",
    "Rūta Kazlauskaitė",
    "Bartholomäus Grundstücksverkehrsgenehmigungszuständigkeit",
    "Κωνσταντίνος Χατζηγεωργίου",
    "Maria Vella",
    "Maria Vella",
)
TEACHER = Person(user_id="40", username="teacher", password="teacher-demo", name="Karmenu Żammit", role="teacher")
LONG_TITLE = "Mathematisch-naturwissenschaftliche Unterrichtsentwicklung: Διαπολιτισμικές προσεγγίσεις της ενέργειας"
WHY_NOT = "The LMS takes no grade for this person: they are no longer enrolled in the course."
RULE = Rule(
    ways=(
        (Demand(kind=Kind.CODE),),
        (Demand(kind=Kind.APPROVAL),),
        (Demand(kind=Kind.LIVE, at_least=75),),
        (Demand(kind=Kind.RECORDING, at_least=80, within_days=14), Demand(kind=Kind.REFLECTION, at_least=20)),
    ),
    required=5,
)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """`person`: whose page has most on it; `fact`: one of theirs."""

    person: int
    fact: int
    over: UUID


def people() -> tuple[Person, ...]:
    role: Role = "student"
    students = (
        Person(user_id=str(number), username=f"student{number}", password="demo", name=name, role=role)
        for number, name in enumerate(NAMES, start=3)
    )
    return (*students, TEACHER)


def fill(path: Path) -> Filled:
    """After the teacher has opened the activity once."""
    database, now = Database(f"sqlite:///{path}"), datetime.now(UTC)
    with database.write() as connection:
        course_id, series_id = connection.execute(sa.select(placement.c.course_id, placement.c.series_id)).first() or (
            0,
            UUID(int=0),
        )
        past = connection.execute(
            sa.select(session.c.id).where(session.c.start_at < now).order_by(session.c.start_at)
        ).scalars()
        sessions = list(past)
        set_rule(connection, series_id, RULE, by="staff 1", now=now - timedelta(weeks=60))
        roster = [RosterMember(sub=one.user_id, is_learner=one is not TEACHER) for one in people()]
        save_roster(connection, course_id, roster, now=now)
        ids = ensure_participants(connection, course_id=course_id, subs=[one.user_id for one in people()[:-2]], now=now)
        those = sorted(ids.values())[:6]
        connection.execute(sa.update(membership).where(membership.c.participant_id.in_(those)).values(launched_at=now))
        _record(connection, those, sessions, now)
        _write(connection, (course_id, series_id), those, sessions, now)
        fact = connection.execute(
            sa.select(evidence.c.id).where(evidence.c.participant_id == those[0]).order_by(evidence.c.id)
        ).scalars()
        _replan(connection, series_id, now)
        found = Filled(person=those[0], fact=next(iter(fact)), over=sessions[-1])
    database.dispose()
    return found


def fill_others(path: Path) -> None:
    """Other universities with people in all sessions that are over; some large, some small. After `fill`."""
    database, now = Database(f"sqlite:///{path}"), datetime.now(UTC)
    with database.read() as connection:
        (known,) = list_series(connection)
        over = [one.session_id for one in sessions_of(connection, known.series_id) if one.is_over(now)]
    sizes = {"zagreb": 18, "athens": 21, "kiel": 3, "oslo": 6, "porto": 9}
    people = {slug: [max(1, size - number % 4) for number in range(len(over))] for slug, size in sizes.items()}
    whole_series.fill(database, over, people, now=now, new_each_time=2)
    whole_series.publish_step(database, now=now, series_id=known.series_id)
    database.dispose()


def pool_by_month(path: Path) -> None:
    """As where most universities are small. After `fill_others`."""
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        connection.execute(sa.update(series).values(pooled_by=PooledBy.MONTH.value))  # instead of what was decided
    database.dispose()


def _replan(connection: Connection, series_id: UUID, now: datetime) -> None:
    """One session to come is moved and one cancelled: of one the course has been told, of the other not."""
    connection.execute(sa.update(university).values(language="el", time_zone="Europe/Athens"))
    ahead = [one for one in sessions_of(connection, series_id) if one.start_at > now]
    course_id = connection.execute(sa.select(placement.c.course_id)).scalars().first() or 0
    for session_ in (ahead[-1], ahead[-2]):
        change_session(connection, replace(session_, status=Status.CANCELLED), by="staff 1", now=now)
    for one in to_tell(connection, [course_id], now=now)[:1]:
        decide(connection, one, State.SET_ASIDE, by="participant 1", now=now)
    day = timedelta(days=1)
    moved = replace(ahead[-3], start_at=ahead[-3].start_at + day, end_at=ahead[-3].end_at + day)
    change_session(
        connection, replace(moved, title=LONG_TITLE, moved_from_at=ahead[-3].start_at), by="staff 1", now=now
    )


def collect_from(path: Path, campus: Campus, *, encryption_key: bytes) -> int:
    """The course's Moodle, connected for completions: two activities count, one of which has been hidden since, and
    much is taken back. The course module id of the other."""
    database, now = Database(f"sqlite:///{path}"), datetime.now(UTC)
    with database.write() as connection:
        own = sa.select(course.c.id, course.c.university_id).join(university, course.c.university_id == university.c.id)
        course_id, university_id = connection.execute(own.where(university.c.slug == campus.slug)).one()
        ahead = connection.execute(
            sa.select(session.c.id).where(session.c.start_at > now).order_by(session.c.start_at)
        ).scalars()
        first, second, *_ = ahead
        new = NewConnection(
            university_id=university_id,
            base_url=campus.issuer,
            token=campus.moodle_token,
            moodle_user_id=campus.moodle_user_id,
            level=Level.COMPLETIONS,
        )
        save_connection(connection, new, encryption_key=encryption_key, now=now)
        connection.execute(sa.update(course).where(course.c.id == course_id).values(moodle_course_id=campus.course_id))
        set_session_rule(connection, second, SessionRule(ways=((Demand(kind=Kind.LMS),),)), by="staff 1", now=now)
        for cmid, name, session_id in ((READING.cmid, READING.name, second), (999, f"Quiz: {NAMES[1]}", first)):
            mapping = NewMapping(cmid=cmid, session_id=session_id, module="page", name=name, by="participant 1")
            map_activity(connection, course_id, mapping, now=now)
        note_problem(connection, course_id, 999, "unseen")
        place = Place(course_id=course_id, university_id=university_id, base_url=campus.issuer, knows_people=True)
        _take_much_back(connection, place, second)
    database.dispose()
    return READING.cmid


def _take_much_back(connection: Connection, place: Place, session_id: UUID) -> None:
    now = datetime.now(UTC)
    done = Said(key=(READING.cmid, Source.ACTIVITY), session_id=session_id, is_complete=True, changed_at=now)
    students = [one.user_id for one in people() if one is not TEACHER]
    for sub in (*students, "99"):
        add_completed(connection, place, sub, [done], now=now)
    weigh(connection, place.course_id, {sub: [replace(done, is_complete=False)] for sub in students}, {}, now=now)


def _record(connection: Connection, those: list[int], sessions: list[UUID], now: datetime) -> None:
    for number, participant_id in enumerate(those):
        for session_id in sessions[: len(sessions) - number]:
            record_evidence(connection, code_entered(participant_id, session_id, at=now), now=now)
    for kind, reason, amount in (
        (Kind.APPROVAL, "Sie war die ganze Zeit da; ihr Mikrofon ging nicht, ich habe sie gesehen.", None),
        (Kind.LIVE, "Aus dem Bericht der Konferenz.", 96),
        (Kind.EXCUSED, "Beim Zahnarzt.", None),
    ):
        word = Word(
            session_id=sessions[0],
            kind=kind,
            by="participant 1",
            reason=reason,
            form_id="0" * 32,
            observed_at=now,
            amount=amount,
        )
        record_word(connection, word, [those[0]], now=now)
    last = connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one()
    withdraw(connection, last, participant_id=those[0], by="participant 1", reason="Falsche Person gewählt.", now=now)


def _write(connection: Connection, of: tuple[int, UUID], those: list[int], sessions: list[UUID], now: datetime) -> None:
    """Objections, a reflection, and grades in every state. `of`: the course and the series."""
    course_id, series_id = of
    for text in ("I was there from the first minute to the last, but the code did not work for me.", "Ήμουν εκεί."):
        objection_id = raise_objection(
            connection,
            participant_id=those[1],
            course_id=course_id,
            series_id=series_id,
            session_id=sessions[0],
            text=text,
            now=now,
        )
    answer_objection(
        connection, objection_id=objection_id, course_id=course_id, answer="You were.", by="participant 1", now=now
    )
    hand_in(
        connection,
        participant_id=those[4],
        session_id=sessions[-1],
        text="Im Unterricht am Strand habe ich gelernt, dass Fragen mehr tragen als Antworten. " * 6,
        at_least=1,
        now=now,
    )
    newest = connection.execute(
        sa.select(delivery.c.id, delivery.c.participant_id).where(delivery.c.state == "due")
    ).all()
    for row in newest[:4]:
        deliveries.claim(connection, row.id, now=now)
        if row.participant_id == those[1]:
            deliveries.mark_failed(connection, row.id, outcome=WHY_NOT)
        else:
            deliveries.mark_delivered(connection, row.id, outcome="Taken over.", now=now)
    connection.execute(  # as after a correction
        sa.delete(completion).where(completion.c.participant_id == those[2], completion.c.session_id == sessions[0])
    )
