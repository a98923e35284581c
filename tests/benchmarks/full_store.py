"""A store with many series, made by a few statements: 80 of them, 13 universities, 1.5 million completions."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from series.rule import Rule
from series.sessions import Series, Session
from series.step_times import step_due_at
from series.store.database import Database
from series.store.pooled import take_step
from series.store.sessions import add_series, add_session
from series.store.tables import course, course_series, deployment, placement, platform
from series.store.universities import NewPlatform, add_platform, add_university
from tests.examples import SERIES, SESSION, moved

ZONE = "Europe/Berlin"
BEGAN_AT = datetime(2026, 9, 1, 15, tzinfo=UTC)  # a Tuesday
SESSIONS, UNIVERSITIES = 12, 13
COURSES = 3  # of each university in each series
NOW = BEGAN_AT + timedelta(weeks=SESSIONS)
STEPS = SESSIONS

# The people of one placement follow one another, and so do the placements of one series: what belongs together was
# written together, as in life.
PARTICIPANTS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :people)
INSERT INTO participant (id, university_id, issuer, sub, created_at, feed_generation)
SELECT i, course.university_id, 'https://lms.example', CAST(i AS varchar(9)), :at, 0
FROM n JOIN placement ON placement.id = (i - 1) / :each + 1 JOIN course ON course.id = placement.course_id
"""
MEMBERSHIPS = """
INSERT INTO membership (participant_id, placement_id, is_learner, launched_at)
SELECT id, (id - 1) / :each + 1, true, :at FROM participant
"""
COMPLETIONS = """
INSERT INTO completion (participant_id, session_id, university_id, completed_at, by_recording)
SELECT participant.id, session.id, participant.university_id, session.end_at, false
FROM participant CROSS JOIN session
WHERE participant.id > :after AND participant.id <= :last AND session.series_id = :series_id
AND (participant.id + session.sequence) % 5 <> 0 AND (participant.id % :part = 0) = :is_part
ORDER BY participant.id, session.id
"""
KNOWN_EARLY = 40  # of each placement, about so many are there from the first step on; the others come with the last one


@dataclass(frozen=True, kw_only=True)
class Full:
    """What is in it."""

    series: tuple[Series, ...]
    completions: int


def fill(database: Database, *, series: int, completions: int) -> Full:
    """About so many completions, four of five sessions for everybody; a step was taken every week."""
    known = tuple(
        replace(SERIES, series_id=UUID(int=number), slug=f"series-{number}") for number in range(1, series + 1)
    )
    with database.write() as connection:
        platforms = [_add_university(connection, number) for number in range(1, UNIVERSITIES + 1)]
        for one in known:
            add_series(connection, one, rule=Rule(required=2), now=BEGAN_AT)
            for number in range(SESSIONS):
                add_session(connection, _session(one, number), now=BEGAN_AT)
        placements = _add_courses(connection, known, platforms)
        each = max(1, completions * 5 // (4 * SESSIONS * placements))
        _add_people(connection, placements, each)
    for number, one in enumerate(known):
        people = each * placements // series
        values = {"series_id": one.series_id, "after": number * people, "last": (number + 1) * people}
        _hold(database, one, values | {"part": max(1, each // KNOWN_EARLY)})
    with database.write() as connection:
        connection.execute(sa.text("ANALYZE"))
        made = int(connection.execute(sa.text("SELECT count(*) FROM completion")).scalar_one())
    return Full(series=known, completions=made)


def _add_people(connection: sa.Connection, placements: int, each: int) -> None:
    _trust_keys(connection)
    values = {"people": placements * each, "each": each, "at": BEGAN_AT}
    connection.execute(sa.text(PARTICIPANTS), values)
    connection.execute(sa.text(MEMBERSHIPS), values)
    connection.execute(sa.text("ANALYZE"))
    if connection.dialect.name == "postgresql":
        for table in ("participant", "course", "placement"):  # the ids above did not come from their sequences
            connection.execute(
                sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            )


def _hold(database: Database, one: Series, values: dict[str, object]) -> None:
    """All sessions of a series, and the step on the Monday after each. But for the last they count a few of the people:
    it would take an hour to count fifteen million a dozen times."""
    held = sa.text(COMPLETIONS).bindparams(sa.bindparam("series_id", type_=sa.Uuid()))
    for number in range(SESSIONS):
        now = BEGAN_AT + timedelta(weeks=number, days=6)
        with database.write(wait_for_disk=False) as connection:
            if number in {0, SESSIONS - 1}:
                _trust_keys(connection)
                connection.execute(held, values | {"is_part": number == 0})
            take_step(connection, one.series_id, due_at=step_due_at(now, ZONE), now=now)


def _trust_keys(connection: sa.Connection) -> None:
    """Each names a row that is there."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))


def _session_id(of: Series, number: int) -> UUID:
    return UUID(int=of.series_id.int * 1000 + number)


def _session(of: Series, number: int) -> Session:
    """Its number is in `sequence`, for the statements above."""
    began = moved(SESSION, BEGAN_AT - SESSION.start_at + timedelta(weeks=number))
    return replace(
        began,
        session_id=_session_id(of, number),
        series_id=of.series_id,
        sequence=number,
        hosting_university_id=None,
    )


def _add_university(connection: sa.Connection, number: int) -> int:
    """The key of its one deployment."""
    slug = f"u{number}"
    university_id = add_university(
        connection, slug=slug, name=f"University {number}", country="MT", time_zone=ZONE, language="en"
    )
    new = NewPlatform(
        slug=slug,
        university_id=university_id,
        issuer="https://lms.example",
        client_id=slug,
        authorization_endpoint="https://lms.example/auth",
        token_endpoint="https://lms.example/token",
        jwks_uri="https://lms.example/certs",
        token_audience=None,
        deployment_ids=("1",),
    )
    add_platform(connection, new, now=BEGAN_AT)
    query = sa.select(deployment.c.id).join(platform, deployment.c.platform_id == platform.c.id)
    return int(connection.execute(query.where(platform.c.slug == slug)).scalar_one())


def _add_courses(connection: sa.Connection, known: tuple[Series, ...], deployments: list[int]) -> int:
    """A few in each university for each series, with one placement each; how many."""
    rows = [
        {"id": number, "university_id": home + 1, "deployment_id": deployments[home], "series_id": one.series_id}
        for number, (one, home, _) in enumerate(
            ((one, home, turn) for one in known for home in range(UNIVERSITIES) for turn in range(COURSES)), start=1
        )
    ]
    courses = [
        {
            "id": row["id"],
            "university_id": row["university_id"],
            "deployment_id": row["deployment_id"],
            "context_id": str(row["id"]),
            "title": "Course",
        }
        for row in rows
    ]
    connection.execute(sa.insert(course), courses)
    ties = [{"course_id": row["id"], "series_id": row["series_id"]} for row in rows]
    connection.execute(sa.insert(course_series), ties)
    placements = [
        {
            "id": row["id"],
            "deployment_id": row["deployment_id"],
            "resource_link_id": str(row["id"]),
            "course_id": row["id"],
            "series_id": row["series_id"],
            "ags_scopes": "",
        }
        for row in rows
    ]
    connection.execute(sa.insert(placement), placements)
    return len(rows)
