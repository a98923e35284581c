"""A partner whose Moodle course is collected from: what students and teachers do there, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from moodle_sync.deliver_scores import deliver
from moodle_sync.moodle_runs import Came
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.campus import Campus
from sandbox_lms.completion import COMPLETE, complete, override
from sandbox_lms.course_access import note_access
from sandbox_lms.course_modules import READING, find_module
from sandbox_lms.site import Site
from series.moodle_jobs import Level, MoodleJob
from series.people import Visit
from series.rule import Demand, Kind, Rule
from series.store.course_collects import note_reading
from series.store.deliveries import due_ids
from series.store.held_completions import held_completions
from series.store.mapped_activities import NewMapping, map_activity
from series.store.records import completions_of
from series.store.rules import set_rule
from series.store.tables import evidence, participant
from tests.examples import SERIES
from tests.integration.collect_store import courses_to_collect
from tests.integration.partner import Partner, launch_at, open_partner
from tests.seeds import code_of, launch, record

MARIA, ZAREN, LUKE, TEACHER = "3", "6", "7", "8"


@dataclass(frozen=True, kw_only=True)
class Collected:
    """Malta's course, collected from by a rule that counts its activities; the reading stands for the first session."""

    partner: Partner
    course_id: int

    @property
    def site(self) -> Site:
        return self.partner.world.sandbox.sites["malta"]

    @property
    def session_id(self) -> UUID:
        return self.partner.seeded.session_ids[0]

    def map(self, cmid: int = READING.cmid, session: int = 0) -> None:
        new = NewMapping(
            cmid=cmid,
            session_id=self.partner.seeded.session_ids[session],
            module="page",
            name="Reading",
            by="participant 1",
        )
        with self.partner.services.database.write() as connection:
            map_activity(connection, self.course_id, new, now=self.partner.now)

    def visit(self, *subs: str) -> None:
        """They go into the course, some minutes after the last reading."""
        self.partner.world.advance(600)
        for sub in subs:
            person = self.site.campus.person(sub)
            assert person is not None
            note_access(self.site, person)

    def complete(self, *subs: str, cmid: int = READING.cmid, state: int = COMPLETE) -> None:
        self.visit(*subs)
        module = find_module(self.site, cmid)
        assert module is not None
        for sub in subs:
            complete(self.site, module, sub, state)

    def override(self, sub: str, *, is_done: bool, cmid: int) -> None:
        module, teacher = find_module(self.site, cmid), self.site.campus.person(TEACHER)
        assert module is not None
        assert teacher is not None
        self.partner.world.advance(60)
        override(self.site, module, sub, is_done=is_done, teacher=teacher)

    def collect(self) -> Came:
        """Some minutes later, so that the next reading does not look at the same visits once more."""
        return self._run(MoodleJob.COLLECT)

    def recollect(self) -> Came:
        return self._run(MoodleJob.RECOLLECT)

    def _run(self, job: MoodleJob) -> Came:
        """Without the number of courses: it is one."""
        self.partner.world.advance(300)
        came = self.partner.run(job)
        counts = {what: number for what, number in came.counts.items() if what != "courses"}
        return replace(came, counts=counts)

    def has_been_read(self) -> None:
        """All there is, a moment ago."""
        with self.partner.services.database.write() as connection:
            (course,) = courses_to_collect(connection, 1)
            note_reading(connection, course, results={}, began_at=self.partner.now + timedelta(seconds=1), of_all=True)

    def facts(self) -> list[tuple[Any, ...]]:
        """(sub, kind, source, who, reason), withdrawals too."""
        with self.partner.services.database.read() as connection:
            rows = connection.execute(
                sa.select(
                    participant.c.sub,
                    evidence.c.kind,
                    evidence.c.source,
                    evidence.c.recorded_by,
                    evidence.c.reason,
                )
                .join(participant, evidence.c.participant_id == participant.c.id)
                .order_by(evidence.c.id)
            )
            return [tuple(row) for row in rows]

    def sources(self) -> list[str]:
        return [fact[2] for fact in self.facts()]

    def has_completed(self, visit: Visit | None = None) -> bool:
        who = (visit or self.partner.student).participant_id
        with self.partner.services.database.read() as connection:
            return self.session_id in completions_of(connection, participant_id=who, series_id=SERIES.series_id)

    def session_activity(self, sub: str = MARIA) -> Visit:
        """The second activity of the course shows the first session alone; somebody opens it."""
        new = structs.replace(
            launch_at(self.partner.world, self.partner.seeded, sub),
            resource_link_id="2",
            line_item_url=self.partner.world.line_item_url(line_item_id=5),
            custom_session_id=str(self.session_id),
        )
        return launch(self.partner.services.database, new, now=self.partner.now)

    def type_grade(self, sub: str, given: int, of: int = 1) -> None:
        """A teacher writes into the gradebook."""
        self.partner.world.advance(5)
        score = self.partner.world.score(userId=sub, scoreGiven=given, scoreMaximum=of)
        url = self.partner.world.line_item_url("/scores", line_item_id=5)
        assert self.partner.world.post_score(score, url=url).status_code == 200

    def decide(self, decide: Callable[..., list[int] | None]) -> None:
        with self.partner.services.database.write() as connection:
            held = held_completions(connection, self.course_id)
            assert held is not None
            who = {"held_at": held.held_at, "by": "participant 1", "now": self.partner.now}
            assert decide(connection, self.course_id, **who) is not None
            assert held_completions(connection, self.course_id) is None

    def check_in(self) -> None:
        new = code_of(self.partner.student, self.session_id, at=self.partner.now)
        record(self.partner.services.database, new, now=self.partner.now)

    def deliver_all(self) -> None:
        with self.partner.services.database.read() as connection:
            due = due_ids(connection, now=self.partner.now, limit=100)
        for delivery_id in due:
            deliver(self.partner.services, delivery_id)


@contextmanager
def open_collected(folder: Path, database_url: str, campus: Campus = CAMPUS) -> Iterator[Collected]:
    with open_partner(folder, database_url, campus) as partner:
        partner.connect(Level.COMPLETIONS)
        with partner.services.database.write() as connection:
            rule = Rule(ways=((Demand(kind=Kind.LMS),), (Demand(kind=Kind.CODE),)), required=2)
            set_rule(connection, SERIES.series_id, rule, by="operator", now=partner.now - timedelta(days=1))
        assert partner.student.course_id is not None
        partner.calls()
        yield Collected(partner=partner, course_id=partner.student.course_id)
