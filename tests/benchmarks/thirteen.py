"""Thirteen universities on sandbox LMSs, some of them in trouble, whose students have all checked in."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import uuid4

import sqlalchemy as sa
from msgspec import structs

from lms.ags import SCOPE_SCORE
from sandbox_lms.activities import FIRST_ACTIVITIES
from sandbox_lms.campus import MALTA, Campus, Person
from sandbox_lms.gradebook import Score, record_score
from sandbox_lms.site import Site
from series.rule import Kind, Rule
from series.store.database import Database
from series.store.evidence import NewEvidence, record_evidence
from series.store.keys import add_tool_key
from series.store.launches import open_visit
from series.store.sessions import add_series, save_import
from series.store.universities import add_platform, add_university
from tests.benchmarks.copying import copy_rows
from tests.conftest import make_environment
from tests.examples import SERIES, SESSION, moved, weekly
from tests.integration.sandbox_client import TOOL_KEY, World, campus_platform
from tests.seeds import ENCRYPTION_KEY, LAUNCH, SECRET_KEY

DOWN, SLOW, BUSY, NEWER, REFUSING, BLIND = "down", "slow", "busy", "newer", "refusing", "blind"
SLUGS = (DOWN, SLOW, BUSY, NEWER, REFUSING, BLIND, *(f"fine-{number}" for number in range(1, 8)))
HALF, ALL, THEIRS = 50.0, 100.0, 80.0  # points in the gradebook: one of two sessions, both, and somebody else's grade
SESSIONS = [replace(session, hosting_university=None, hosting_university_id=None) for session in weekly(2)]


@dataclass(frozen=True, kw_only=True)
class Student:
    slug: str
    user_id: str
    participant_id: int


@dataclass(frozen=True, kw_only=True)
class Thirteen:
    """`students` in an order by chance; those in `twice` have checked in to the second session too."""

    world: World
    database: Database
    environment: dict[str, str]
    students: list[Student]
    twice: set[Student] = field(default_factory=set)

    def be_in_trouble(self, *, slow_s: float, busy_times: int) -> None:
        switches = self.world.sandbox.switches
        switches[DOWN].set(down=True)
        switches[SLOW].set(slow_s=slow_s)
        switches[REFUSING].set(score_status=400)
        self.be_busy(busy_times)

    def be_busy(self, times: int) -> None:
        self.world.sandbox.switches[BUSY].set(score_status=429, score_status_times=times, retry_after_s=2)

    def check_in_again(self, student: Student) -> None:
        """A second score within the second: the newer one must be the one that stays."""
        self.twice.add(student)
        with self.database.write() as connection:
            _check_in(connection, student.participant_id, 1, self.world.clock.now())

    def afresh_in(self, database_url: str) -> Self:
        """The same once more in another, empty database: no score has been sent, no LMS is in trouble. To be made of
        one that has not been used."""
        copy_rows(self.database, database := Database(database_url))
        for site in self.world.sandbox.sites.values():
            site.switches.reset()
            site.journal.clear()
            if site.slug != NEWER:
                with site.database.write() as connection:
                    connection.execute("DELETE FROM grade WHERE campus = ?", (site.slug,))
        environment = {**self.environment, "SHARED_SESSIONS_DATABASE_URL": database_url}
        return replace(self, database=database, environment=environment, twice=set())

    def right_grade(self, student: Student) -> float | None:
        if student.slug == REFUSING:
            return None
        if student.slug == NEWER:
            return _grade_of_somebody(student.user_id)
        return ALL if student in self.twice else HALF

    def right_state(self, student: Student) -> str:
        """Of the newest version: a newer grade of somebody else is not overwritten, unless it is the same."""
        is_left = student.slug == NEWER and _grade_of_somebody(student.user_id) != HALF
        return "failed" if is_left or student.slug == REFUSING else "delivered"

    def grades(self) -> dict[tuple[str, str], float | None]:
        """What the gradebooks hold, by university and student."""
        with next(iter(self.world.sandbox.sites.values())).database.read() as connection:
            rows = connection.execute("SELECT campus, user_id, score FROM grade WHERE line_item_id = 4").fetchall()
        return {(row["campus"], row["user_id"]): row["score"] for row in rows}


@contextmanager
def open_thirteen(
    folder: Path, database_url: str, *, students: int, slugs: Sequence[str] = SLUGS
) -> Iterator[Thirteen]:
    """As many students altogether, shared out evenly; none of their scores has been sent. Some of the thirteen, where
    they suffice."""
    each = -(-students // len(slugs))
    database = Database(database_url)
    folder.mkdir(parents=True, exist_ok=True)
    with World(folder, [_campus(slug, each) for slug in slugs]) as world:
        assert world.clock.offset_file is not None
        environment = make_environment(world.tool_url, database_url)
        environment["SHARED_SESSIONS_CLOCK_FILE"] = str(world.clock.offset_file)
        try:
            people = _fill(database, world)
            random.Random(1).shuffle(people)
            yield Thirteen(world=world, database=database, environment=environment, students=people[:students])
        finally:
            database.dispose()


def _campus(slug: str, students: int) -> Campus:
    people = tuple(
        Person(user_id=str(number), username=f"s{number}", password="-", name=f"Student {number}", role="student")
        for number in range(3, 3 + students)
    )
    return replace(MALTA, slug=slug, name=slug, people=people, client_id=f"client-{slug}", moodle_token=f"token-{slug}")


def _fill(database: Database, world: World) -> list[Student]:
    now = world.clock.now()
    by = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - SESSION.start_at
    new = [(moved(session, by), (str(session.session_id), session.start_at)) for session in SESSIONS]
    pem = TOOL_KEY.as_pem(private=True)
    with database.write() as connection:
        add_series(connection, SERIES, rule=Rule(required=2), now=now)
        save_import(connection, SERIES.series_id, new=new, changed=(), rekeyed=(), now=now)
        add_tool_key(connection, kid="tool-key", private_key_pem=pem, encryption_key=ENCRYPTION_KEY, now=now)
    return [student for site in world.sandbox.sites.values() for student in _fill_campus(database, site, now)]


def _fill_campus(database: Database, site: Site, now: datetime) -> list[Student]:
    campus, registration = site.campus, site.campus.registration()
    if site.slug == NEWER:
        for person in campus.people:
            record_score(site, FIRST_ACTIVITIES[0], _score_of_somebody(person.user_id, now))
    with database.write() as connection:
        university_id = add_university(
            connection, slug=site.slug, name=site.slug, country="MT", time_zone=campus.time_zone, language="en"
        )
        new = campus_platform(campus, site.slug, university_id)
        template = structs.replace(
            LAUNCH,
            platform_id=add_platform(connection, new, now=now),
            university_id=university_id,
            issuer=registration.issuer,
            line_item_url=f"{campus.url}/mod/lti/services.php/2/lineitems/4/lineitem?type_id=1",
            ags_scopes=(SCOPE_SCORE,) if site.slug == BLIND else LAUNCH.ags_scopes,
        )
        students = []
        for person in campus.people:
            launch = structs.replace(template, visit_id=uuid4().hex, nonce=uuid4().hex, sub=person.user_id)
            participant_id = open_visit(connection, launch, now=now, secret_key=SECRET_KEY).participant_id
            _check_in(connection, participant_id, 0, now)
            students.append(Student(slug=site.slug, user_id=person.user_id, participant_id=participant_id))
    return students


def _check_in(connection: sa.Connection, participant_id: int, number: int, now: datetime) -> None:
    new = NewEvidence(
        participant_id=participant_id,
        session_id=SESSIONS[number].session_id,
        kind=Kind.CODE,
        source="check-in",
        source_id="1",
        observed_at=now,
    )
    assert record_evidence(connection, new, now=now)


def _grade_of_somebody(user_id: str) -> float:
    return HALF if int(user_id) % 2 else THEIRS


def _score_of_somebody(user_id: str, now: datetime) -> Score:
    """A grade that is newer than our score."""
    return Score(
        user_id=user_id,
        activity_progress="Completed",
        grading_progress="FullyGraded",
        timestamp=(now + timedelta(hours=1)).isoformat(),
        score_given=_grade_of_somebody(user_id),
        score_maximum=100,
    )
