"""Fills a demo with what may be recorded for a student, in long words: every state of their pages can be seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from playwright.sync_api import Page

from config.clock import Clock
from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Rule
from series.sessions import this_weeks_session
from series.store import tables
from series.store.database import Database
from series.store.declarations import declare_recording
from series.store.evidence import NewEvidence, facts_of, record_evidence, retract_evidence
from series.store.objections import answer_objection, raise_objection
from series.store.reflections import hand_in, reflection_of, return_reflection, save_draft
from series.store.rules import set_rule
from series.store.sessions import find_series, sessions_of
from series.store.tables import course, membership, participant, placement, university
from tests.browser.conftest import Demo
from tests.browser.people import sign_in

GERMAN = (
    "Sie haben beim Verbindungsausfall nachweislich mitgearbeitet; die Donaudampfschifffahrts-Arbeitsgruppe hat mir"
    " Ihre Unterrichtsentwurfsbesprechungsniederschrift weitergeleitet."
)
GREEK = (
    "Σας ευχαριστούμε θερμά. Παρακαλώ προσθέστε πώς θα χρησιμοποιούσατε μια διαπολιτισμική προσέγγιση στο δικό σας"
    " μάθημα, και τί θα αλλάζατε την επόμενη φορά."
)
REFLECTION = "In dieser Sitzung habe ich gelernt, wie Mehrsprachigkeit den Unterricht bereichert. " * 10
RULE = Rule(
    ways=(
        CHECK_IN,
        (
            Demand(kind=Kind.RECORDING, at_least=80, within_days=14),
            Demand(kind=Kind.REFLECTION, at_least=100, within_days=14),
        ),
        CONFIRMED,
    ),
    required=5,
)


@dataclass(frozen=True, kw_only=True)
class Student:
    """One student of the demo, with the sessions of the series; `now` on the demo's clock."""

    connection: sa.Connection
    clock: Clock
    participant_id: int
    course_id: int
    session_ids: list[UUID]
    this_week: int  # index of this week's session
    series_id: UUID

    def record(
        self, session: int, kind: Kind, *, source: str, reason: str | None = None, amount: int | None = None
    ) -> int:
        """The new fact's id."""
        new = NewEvidence(
            participant_id=self.participant_id,
            session_id=self.session_ids[session],
            kind=kind,
            source=source,
            source_id="tour",
            observed_at=self.clock.now() - timedelta(weeks=self.this_week - session),
            amount=amount,
            reason=reason,
            recorded_by=None if reason is None else "participant 0",
        )
        record_evidence(self.connection, new, now=self.clock.now())
        facts = facts_of(self.connection, participant_id=self.participant_id, series_id=self.series_id)
        return next(
            fact.evidence.evidence_id
            for fact in facts
            if fact.session_id == new.session_id and fact.evidence.kind is kind
        )


def demand_more(demo: Demo) -> None:
    """As if three weeks ago: recordings and reflections count as well. By the real clock, all of those sessions may
    have begun already, and keep the rule before."""
    with _open(demo) as (connection, clock):
        series = find_series(connection, "sample")
        session = this_weeks_session(sessions_of(connection, series.series_id), now=clock.now(), zone=series.time_zone)
        assert session is not None
        changed_at = session.start_at - timedelta(weeks=3, hours=1)
        since = (tables.session.c.series_id == series.series_id) & (tables.session.c.start_at > changed_at)
        connection.execute(sa.update(tables.session).where(since).values(rule_version_id=None))
        set_rule(connection, series.series_id, RULE, by="staff 1", now=changed_at)


def fill(demo: Demo, sub: str) -> None:
    """While this week's session runs."""
    with _open(demo) as (connection, clock):
        student = _student(connection, clock, sub)
        by, now, this_week = "participant 0", clock.now(), student.this_week
        who = {"participant_id": student.participant_id}
        student.record(0, Kind.CODE, source="check-in")
        student.record(1, Kind.APPROVAL, source="confirmation", reason=GERMAN)
        wrong = student.record(2, Kind.CODE, source="check-in")
        retract_evidence(connection, wrong, by=by, reason=GREEK, now=now)
        student.record(3, Kind.EXCUSED, source="excuse", reason="Krankmeldung")
        student.record(4, Kind.LIVE, source="meeting report", amount=41)
        session_id = student.session_ids[this_week]
        hand_in(connection, **who, session_id=session_id, text=REFLECTION, at_least=1, now=now)
        written = reflection_of(connection, **who, session_id=session_id)
        assert written is not None
        assert written.evidence_id is not None
        read = {"session_id": session_id, "evidence_id": written.evidence_id}
        return_reflection(connection, **who, **read, comment=GREEK, by=by, now=now)
        asked = {**who, "course_id": student.course_id, "series_id": student.series_id, "now": now}
        first = raise_objection(connection, session_id=None, text=GERMAN, **asked)
        raise_objection(connection, session_id=session_id, text=GREEK, **asked)
        answer = {"objection_id": first, "course_id": student.course_id, "by": by, "now": now}
        answer_objection(connection, answer=GREEK, **answer)


def declare(demo: Demo, sub: str) -> None:
    """After the session."""
    with _open(demo) as (connection, clock):
        student = _student(connection, clock, sub)
        session_id, now = student.session_ids[student.this_week], clock.now()
        who = {"participant_id": student.participant_id, "session_id": session_id}
        declare_recording(connection, **who, percent=80, now=now)
        save_draft(connection, **who, text=REFLECTION, now=now)


def to_the_evening(demo: Demo) -> None:
    """This week's session is over, and its check-in may still be opened."""
    (clock,) = demo.folder.glob("*/clock")
    clock.write_text(f"{float(clock.read_text()) + timedelta(hours=2.5).total_seconds():.0f}\n")


def open_own_page(demo: Demo, session: str, page: Page) -> None:
    """In a tab of its own: of all sessions, or of this week's."""
    page.context.clear_cookies()
    sign_in(page, demo.vilnius, "Ąžuolas Šimkus")
    page.goto(f"{demo.vilnius}/launch/2")
    page.locator("#own-standing").wait_for()
    if session:
        title = page.locator("#now-title").inner_text()
        page.locator(".sessions").get_by_role("link", name=title).click()
        page.locator("#session-title").wait_for()


def hand_in_too_little(demo: Demo, page: Page) -> None:
    open_own_page(demo, "this week", page)
    page.get_by_label("What do you take with you").fill("Zu kurz: πολύ λίγα.")
    page.get_by_role("button", name="Hand in").click()
    page.get_by_role("alert").wait_for()


@contextmanager
def _open(demo: Demo) -> Iterator[tuple[sa.Connection, Clock]]:
    (path,) = demo.folder.glob("*/shared-sessions.db")
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        yield connection, Clock(offset_file=path.with_name("clock"))
    database.dispose()


def _student(connection: sa.Connection, clock: Clock, sub: str) -> Student:
    """Of Vilnius."""
    series = find_series(connection, "sample")
    sessions = [session for session in sessions_of(connection, series.series_id) if not session.is_cancelled]
    row = connection.execute(
        sa.select(participant.c.id, course.c.id.label("course_id"))
        .join(university, participant.c.university_id == university.c.id)
        .join(membership, membership.c.participant_id == participant.c.id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .join(course, placement.c.course_id == course.c.id)
        .where(university.c.slug == "vilnius", participant.c.sub == sub)
        .limit(1)
    ).one()
    this_week = max(number for number, session in enumerate(sessions) if session.start_at <= clock.now())
    return Student(
        connection=connection,
        clock=clock,
        participant_id=row.id,
        course_id=row.course_id,
        session_ids=[session.session_id for session in sessions],
        this_week=this_week,
        series_id=series.series_id,
    )
