"""Completions from a Moodle course, over real HTTP: what is recorded, taken back, held, waits, and what it costs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from msgspec import structs

from moodle_sync.cli import main
from moodle_sync.collect_completions import collect
from moodle_sync.deliver_scores import deliver
from moodle_sync.moodle_runs import Came, access_to
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.campus import Campus
from sandbox_lms.completion import COMPLETE, INCOMPLETE, complete, override
from sandbox_lms.course_access import note_access
from sandbox_lms.course_modules import READING, add_module, find_module, remove_module
from sandbox_lms.made_up import made_up_campus
from sandbox_lms.site import Site
from series.moodle_jobs import Level, MoodleJob
from series.people import Visit
from series.rosters import RosterMember
from series.rule import Demand, Kind, Rule
from series.store.course_collects import courses_to_collect, note_reading
from series.store.deliveries import due_ids
from series.store.held_completions import accept_held, held_completions
from series.store.mapped_activities import NewMapping, map_activity, mapped_activities
from series.store.records import completions_of
from series.store.rosters import save_roster
from series.store.rules import set_rule
from series.store.tables import evidence, participant
from tests.examples import SERIES
from tests.integration.partner import Partner, launch_at, open_partner
from tests.seeds import ENCRYPTION_KEY, code_of, launch, record

ENROLLED, MANY, ONE = (
    "core_enrol_get_enrolled_users",
    "tool_mobile_call_external_functions",
    "core_completion_get_activities_completion_status",
)
CONTENTS = "core_course_get_contents"
MARIA, ZAREN, LUKE, TEACHER = "3", "6", "7", "8"
RESULTS_OF_SESSION = "/mod/lti/services.php/2/lineitems/5/lineitem/results"


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
        self.partner.world.advance(300)
        return self.partner.run(MoodleJob.COLLECT)

    def recollect(self) -> Came:
        self.partner.world.advance(300)
        return self.partner.run(MoodleJob.RECOLLECT)

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

    def type_grade(self, sub: str, given: int) -> None:
        """A teacher writes into the gradebook."""
        self.partner.world.advance(5)
        score = self.partner.world.score(userId=sub, scoreGiven=given, scoreMaximum=1)
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


@pytest.fixture
def collected(tmp_path: Path, sqlite_url: str) -> Iterator[Collected]:
    with open_collected(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def mapped(collected: Collected) -> Collected:
    """And it was read once."""
    collected.map()
    collected.collect()
    collected.partner.calls()
    return collected


def test_who_completes_a_mapped_activity_gets_evidence_and_a_grade(mapped: Collected) -> None:
    mapped.complete(MARIA)

    came = mapped.collect()

    assert came.counts == {"read": 1, "completed": 1}
    assert mapped.partner.calls() == [ENROLLED, ONE]
    assert mapped.facts() == [(MARIA, "lms", "activity", None, "Reading")]
    assert mapped.has_completed()
    mapped.deliver_all()
    assert mapped.partner.world.grades()[MARIA] == 50

    assert mapped.recollect().counts == {"read": 5}  # nothing is recorded twice
    mapped.complete(MARIA, state=INCOMPLETE)
    assert mapped.collect().counts == {"read": 1, "taken back": 1}
    assert mapped.facts()[1:] == [
        (MARIA, "lms", "retraction", "moodle of university 1", "Moodle no longer says that the activity is complete.")
    ]
    assert not mapped.has_completed()
    mapped.complete(MARIA)  # and once more
    assert mapped.collect().counts == {"read": 1, "completed": 1}
    assert mapped.has_completed()


def test_nothing_is_taken_back_by_silence(mapped: Collected) -> None:
    second = add_module(mapped.site, "page", "More to read", 1)
    mapped.map(second.cmid, session=1)
    mapped.complete(MARIA, cmid=second.cmid)
    mapped.complete(MARIA)
    mapped.collect()
    assert mapped.sources() == ["activity", "activity"]

    remove_module(mapped.site, second.cmid)
    mapped.visit(MARIA)
    came = mapped.collect()
    assert "can no longer be seen" in came.problems[0]
    assert mapped.partner.calls()[-1] == CONTENTS
    mapped.partner.world.sandbox.sites["malta"].switches.set(suspended=[MARIA])
    assert mapped.recollect().counts == {"read": 5}
    mapped.site.switches.set(suspended=[], left=[MARIA])
    assert mapped.recollect().counts == {"read": 4}
    mapped.site.switches.set(left=[], lacks=["report/progress:view"])
    assert "report/progress:view" in mapped.recollect().problems[0]

    assert mapped.sources() == ["activity", "activity"]
    with mapped.partner.services.database.read() as connection:
        problems = {one.cmid: one.problem for one in mapped_activities(connection, mapped.course_id)}
    assert problems == {READING.cmid: None, second.cmid: "unseen"}


def test_who_is_unknown_waits_for_a_launch_or_the_roster(mapped: Collected) -> None:
    mapped.complete(ZAREN, LUKE)
    assert mapped.collect().counts == {"read": 2, "waiting": 2}
    assert mapped.facts() == []

    zaren = mapped.partner.launch(ZAREN)
    with mapped.partner.services.database.write() as connection:
        listed = [RosterMember(sub=LUKE, is_learner=True), RosterMember(sub="99", is_learner=True)]
        save_roster(connection, mapped.course_id, listed, now=mapped.partner.now)
    assert mapped.collect().counts == {"completed": 2}
    assert sorted(fact[0] for fact in mapped.facts()) == [ZAREN, LUKE]
    assert mapped.has_completed(zaren)


def test_what_waits_and_is_taken_back_is_never_given(mapped: Collected) -> None:
    mapped.complete(ZAREN)
    mapped.collect()
    mapped.complete(ZAREN, state=INCOMPLETE)
    assert mapped.collect().counts == {"read": 1}
    mapped.partner.launch(ZAREN)
    mapped.recollect()
    assert mapped.facts() == []


def test_a_teachers_override_counts_and_our_echo_does_not(collected: Collected) -> None:
    activity = collected.session_activity()
    collected.check_in()
    collected.deliver_all()
    assert activity.placement_id != collected.partner.student.placement_id
    collected.recollect()
    assert collected.sources() == ["check-in"]  # our score has completed both activities in Moodle

    zaren = collected.session_activity(ZAREN)
    collected.override(ZAREN, is_done=True, cmid=12)
    assert collected.recollect().counts["completed"] == 1
    assert collected.facts()[1:] == [(ZAREN, "lms", "override", "moodle user 8", None)]
    assert collected.has_completed(zaren)
    collected.deliver_all()  # which sends the activity what the teacher has said
    assert collected.recollect().counts == {"read": 5}

    collected.override(ZAREN, is_done=False, cmid=12)
    collected.override(MARIA, is_done=False, cmid=12)
    assert collected.recollect().counts == {"read": 5, "taken back": 1}
    assert not collected.has_completed(zaren)
    assert collected.has_completed()  # the check-in is none of the teacher's

    collected.override(LUKE, is_done=True, cmid=11)
    (problem,) = collected.recollect().problems
    assert "whole series by hand, for 1 people" in problem
    assert collected.recollect().problems == []  # said once


def test_a_grade_that_a_teacher_types_counts_and_our_echo_does_not(collected: Collected) -> None:
    collected.session_activity()
    zaren = collected.session_activity(ZAREN)
    collected.check_in()
    collected.deliver_all()
    collected.collect()
    collected.partner.calls()
    assert collected.sources() == ["check-in"]

    collected.type_grade(ZAREN, 1)
    assert collected.collect().counts == {"read": 1, "completed": 1}
    assert collected.partner.calls()[-2:] == [RESULTS_OF_SESSION, ONE]
    assert collected.facts()[1:] == [(ZAREN, "lms", "grade", "moodle of university 1", None)]
    assert collected.has_completed(zaren)
    collected.partner.world.advance(5)
    collected.deliver_all()
    assert collected.collect().counts == {}

    collected.type_grade(ZAREN, 0)
    assert collected.collect().counts == {"read": 1, "taken back": 1}
    assert not collected.has_completed(zaren)
    collected.type_grade(MARIA, 0)  # she has the code
    assert collected.collect().counts == {"read": 1}
    assert collected.has_completed()


def test_too_much_at_once_waits_for_a_person(tmp_path: Path, sqlite_url: str) -> None:
    campus = replace(made_up_campus(1, students=7), slug="malta")
    everybody = [person.user_id for person in campus.students]
    with open_collected(tmp_path, sqlite_url, campus) as course:
        with course.partner.services.database.write() as connection:
            members = [RosterMember(sub=sub, is_learner=True) for sub in everybody]
            save_roster(connection, course.course_id, members, now=course.partner.now)
        course.map()
        course.complete(*everybody)
        assert course.collect().counts == {"read": 7, "completed": 7}

        course.complete(*everybody[:6], state=INCOMPLETE)  # somebody resets it
        came = course.collect()
        assert came.counts == {"read": 6, "held": 6}
        assert "6 people" in came.problems[0]
        course.complete(everybody[0])  # one is given back, and the rest is no way around the brake
        assert course.collect().counts == {"read": 1, "held": 5}
        assert course.sources() == ["activity"] * 7

        course.decide(accept_held)
        assert course.recollect().counts == {"read": 7}
        assert course.sources()[7:] == ["retraction"] * 5


def test_a_course_where_nothing_can_complete_a_session_is_not_asked(collected: Collected) -> None:
    assert collected.collect().calls == 0
    collected.map()
    collected.collect()
    collected.partner.calls()
    assert collected.collect().counts == {}
    assert collected.partner.calls() == [ENROLLED]


def test_without_batches_people_are_asked_one_by_one(mapped: Collected) -> None:
    mapped.complete(MARIA, ZAREN)
    mapped.site.switches.set(lacks_functions=[MANY])
    assert mapped.collect().counts == {"read": 2, "completed": 1, "waiting": 1}
    assert mapped.partner.calls() == [ENROLLED, MANY, ONE, ONE]


def test_who_is_killed_in_the_middle_goes_on_and_doubles_nothing(mapped: Collected) -> None:
    zaren = mapped.partner.launch(ZAREN)
    mapped.complete(MARIA, ZAREN)
    mapped.site.switches.set(lacks_functions=[MANY])
    access = access_to(mapped.partner.services, mapped.partner.connection())
    left = iter(range(3))  # calls: who there is, all at once, one; then it is over

    def before_call() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    access.moodle = replace(access.moodle, before_call=before_call)
    with pytest.raises(KeyboardInterrupt):
        collect(mapped.partner.services, access)
    assert mapped.sources() == ["activity"]

    assert mapped.collect().counts == {"read": 2, "completed": 1}
    assert mapped.sources() == ["activity", "activity"]
    assert mapped.has_completed(zaren)


def test_ten_changes_among_three_hundred_cost_a_call_for_each_of_them_at_most(tmp_path: Path, sqlite_url: str) -> None:
    campus = replace(made_up_campus(1, students=300), slug="malta")
    with open_collected(tmp_path, sqlite_url, campus) as course:
        course.map()
        course.session_activity()
        course.has_been_read()
        course.complete(*(person.user_id for person in campus.students[:10]))

        came = course.collect()

        assert came.counts == {"read": 10, "completed": 1, "waiting": 9}
        assert came.calls <= 1 + 10
        assert course.partner.calls()[1:] == [RESULTS_OF_SESSION, ENROLLED, ENROLLED, MANY]


def test_a_dry_run_says_what_it_would_record_and_writes_nothing(
    mapped: Collected, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mapped.complete(MARIA)
    settings = mapped.partner.services.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": ENCRYPTION_KEY.decode(),
        "PUBLIC_URL": settings.public_url,
        "CLOCK_FILE": str(settings.clock_file),
    }.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)
    monkeypatch.setattr(sys, "argv", ["moodle-sync", "run", "collect", "--dry-run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert f"record     activity {READING.cmid} for No. {MARIA}" in capsys.readouterr().out
    assert mapped.facts() == []
