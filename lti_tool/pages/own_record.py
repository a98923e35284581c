"""All that a participant sees of themselves in a series, read at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lti_tool.pages.recorded_words import Reader, Recorded
from lti_tool.pages.times import SessionTimes, moment, times_of
from series.afterwards import Window, percentages_offered, window_of, words_demanded
from series.check_in import OPENS_BY_ITSELF_AFTER
from series.people import Visit
from series.reflections import Reflection, ReflectionState, window_to_hand_in
from series.rule import Kind, Outcome, SessionRule, Span
from series.sessions import Series, Session
from series.standing import CourseCount, SessionRecord, Standing, open_kinds, standing
from series.store.database import Connection
from series.store.declarations import is_declaration, may_declare
from series.store.evidence import Fact, facts_of
from series.store.objections import Objection, objections_of_participant
from series.store.records import records_of
from series.store.reflections import SOURCE as REFLECTION
from series.store.reflections import reflections_of_participant
from series.store.rules import RuleInForce, Rules, course_count_of, rules_of
from series.store.sent_grades import SentGrade, grades_of_participant
from series.store.sessions import get_series, hosts_of, sessions_of


@dataclass(frozen=True, kw_only=True)
class OwnSession:
    """One session as it stands for its reader. `own_rule`: where another thing counts than for the series."""

    session: Session
    times: SessionTimes
    zone: str  # the reader's
    record: SessionRecord
    rule: RuleInForce
    own_rule: SessionRule | None
    facts: tuple[Fact, ...]
    recorded: tuple[Recorded, ...]
    reflection: Reflection | None
    is_of_the_grade: bool  # of the own course

    @property
    def is_done(self) -> bool:
        return self.record.outcome.completed_at is not None

    @property
    def is_excused(self) -> bool:
        return self.record.outcome.is_excused

    @property
    def is_checked_in(self) -> bool:
        return any(is_check_in(fact) for fact in self.facts)

    def is_past_opening(self, now: datetime) -> bool:
        """The check-in opens by itself no more, unless nobody has opened it."""
        return now >= self.session.start_at + OPENS_BY_ITSELF_AFTER

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be completed, by a whole way and alone."""
        return bool(open_kinds(self.record, now))

    def recording_waits(self, now: datetime) -> bool:
        return Kind.RECORDING in open_kinds(self.record, now) and self.session.is_over(now) and not self.has_declared

    def reflection_waits(self, now: datetime) -> bool:
        """Also after it was returned, when the way that it is part of may be over for all others."""
        if self.reflection is not None and self.reflection.state is ReflectionState.HANDED_IN:
            return False
        is_returned = self.reflection is not None and self.reflection.state is ReflectionState.RETURNED
        return self.can(Kind.REFLECTION, now) and (is_returned or Kind.REFLECTION in open_kinds(self.record, now))

    def window(self, kind: Kind) -> Window | None:
        """None as well for a session that does not take place. What was returned has a longer one."""
        window = None if self.session.is_cancelled else window_of(self.rule.rule, kind, self.record.span)
        return window_to_hand_in(window, self.reflection) if window and kind is Kind.REFLECTION else window

    def can(self, kind: Kind, now: datetime) -> bool:
        window = self.window(kind)
        return window is not None and window.is_open(now)

    def until(self, kind: Kind) -> str:
        """In words, where that has an end."""
        window = self.window(kind)
        return moment(window.closes_at, self.zone) if window and window.closes_at else ""

    def words_demanded(self, now: datetime) -> int:
        """What was returned counts as of the first time that it was handed in."""
        handed_in = (fact.evidence.observed_at for fact in self.facts if fact.source == REFLECTION)
        return words_demanded(self.rule.rule, self.record.span, min(handed_in, default=now))

    def percentages(self, now: datetime) -> list[int]:
        return percentages_offered(self.rule.rule, self.record.span, now)

    @property
    def declarations(self) -> list[Fact]:
        return [fact for fact in self.facts if is_declaration(fact)]

    @property
    def has_declared(self) -> bool:
        return any(fact.retraction is None for fact in self.declarations)

    def may_declare(self, participant_id: int) -> bool:
        return may_declare(self.declarations, participant_id)


@dataclass(frozen=True, kw_only=True)
class OwnRecord:
    """`course`: the standing for the grade of the own course, where that has a count of its own. `rehearsals` are kept
    apart from the `sessions`, because nothing of them counts."""

    series: Series
    rules: Rules
    sessions: Mapping[UUID, OwnSession]
    rehearsals: Mapping[UUID, OwnSession]
    standing: Standing
    course: Standing | None
    count: CourseCount | None
    grades: tuple[SentGrade, ...]
    objections: tuple[Objection, ...]
    reader: Reader

    def session(self, session_id: UUID) -> OwnSession:
        """Also a rehearsal."""
        return self.sessions.get(session_id) or self.rehearsals[session_id]

    def objections_to(self, session_id: UUID | None) -> list[Objection]:
        return [objection for objection in self.objections if objection.session_id == session_id]


def is_check_in(fact: Fact) -> bool:
    """A code that still counts."""
    return fact.evidence.kind is Kind.CODE and fact.retraction is None


def read_own_record(connection: Connection, visit: Visit, *, now: datetime) -> OwnRecord:
    who = {"participant_id": visit.participant_id}
    rules = rules_of(connection, visit.series_id)
    records = records_of(connection, [visit.participant_id], visit.series_id)[visit.participant_id]
    count = course_count_of(connection, visit.course_id, visit.series_id)
    reader = Reader(visit=visit, hosts=hosts_of(connection, visit.series_id))
    found = _sessions(connection, visit, rules, records, count, reader)
    return OwnRecord(
        series=get_series(connection, visit.series_id),
        rules=rules,
        sessions={key: one for key, one in found.items() if not one.session.is_rehearsal},
        rehearsals={key: one for key, one in found.items() if one.session.is_rehearsal},
        standing=standing(records, rules.series, now),
        course=standing(records, rules.series, now, count) if count else None,
        count=count,
        grades=tuple(grades_of_participant(connection, **who, series_id=visit.series_id)),
        objections=tuple(objections_of_participant(connection, **who, series_id=visit.series_id)),
        reader=reader,
    )


def _sessions(
    connection: Connection,
    visit: Visit,
    rules: Rules,
    records: list[SessionRecord],
    count: CourseCount | None,
    reader: Reader,
) -> dict[UUID, OwnSession]:
    """In the order of their start."""
    facts = facts_of(connection, participant_id=visit.participant_id, series_id=visit.series_id)
    written = reflections_of_participant(connection, participant_id=visit.participant_id, series_id=visit.series_id)
    record_of = {record.session_id: record for record in records}
    found = {}
    for session in sessions_of(connection, visit.series_id, with_rehearsals=True):
        in_force = rules.of_sessions[session.session_id]
        own_facts = tuple(fact for fact in facts if fact.session_id == session.session_id)
        found[session.session_id] = OwnSession(
            session=session,
            times=times_of(session, reader.zone),
            zone=reader.zone,
            record=record_of.get(session.session_id) or _empty_record(session, in_force.rule),
            rule=in_force,
            own_rule=in_force.rule if in_force.rule.ways != rules.series.ways else None,
            facts=own_facts,
            recorded=tuple(reader.recorded(fact) for fact in own_facts),
            reflection=written.get(session.session_id),
            is_of_the_grade=count is None or count.session_ids is None or session.session_id in count.session_ids,
        )
    return found


def _empty_record(session: Session, rule: SessionRule) -> SessionRecord:
    """Of a rehearsal, which nobody completes."""
    span = Span(start_at=session.start_at, end_at=session.end_at)
    return SessionRecord(
        session_id=session.session_id, span=span, is_cancelled=session.is_cancelled, rule=rule, outcome=Outcome()
    )
