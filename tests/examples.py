"""Valid things; a test changes one of them in one point, with `dataclasses.replace`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from series.people import University, Visit
from series.sessions import Series, Session, Status
from series.staff import Role, Staff
from tests.conftest import NOW

MALTA = University(
    university_id=1, slug="malta", name="University of Malta", country="MT", time_zone="Europe/Malta", language="en"
)
VILNIUS = University(
    university_id=2, slug="vilnius", name="Vilnius University", country="LT", time_zone="Europe/Vilnius", language="lt"
)
SERIES = Series(
    series_id=UUID("5e51e500-0000-4000-8000-000000000001"),
    slug="autumn",
    title="European STEM Workshop Series",
    time_zone="Europe/Berlin",
    source=None,
)
SESSION = Session(  # it runs at NOW
    session_id=UUID("5e551000-0000-4000-8000-000000000007"),
    series_id=SERIES.series_id,
    title="Inquiry at the beach",
    description="Week 7.",
    hosting_university=MALTA.name,
    hosting_university_id=MALTA.university_id,
    join_url="https://meet.example/beach",
    start_at=datetime(2026, 11, 24, 15, tzinfo=UTC),
    end_at=datetime(2026, 11, 24, 17, tzinfo=UTC),
    wall_start=datetime(2026, 11, 24, 16),  # noqa: DTZ001 - a wall time
    zone="Europe/Berlin",
    status=Status.PLANNED,
    moved_from_at=None,
    sequence=0,
)
STUDENT = Visit(
    visit_id="visit",
    proof_hash="0" * 64,
    participant_id=1,
    sub="5",
    university=MALTA,
    platform_id=1,
    deployment_is_approved=True,
    course_id=1,
    course_title="Teaching STEM",
    placement_id=1,
    series_id=SERIES.series_id,
    session_id=None,
    is_teacher=False,
    is_learner=True,
    is_test_user=False,
    is_administrator=False,
    hosted_session_ids=frozenset(),
    return_url=None,
    locale=None,
    expires_at=NOW + timedelta(hours=12),
)
TEACHER = replace(STUDENT, sub="8", is_teacher=True, is_learner=False)
HOST = replace(TEACHER, hosted_session_ids=frozenset({SESSION.session_id}))
COORDINATOR = Staff(
    staff_id=1,
    email="maria@example.org",
    name="Maria Borg",
    role=Role.COORDINATOR,
    university=None,
    epoch=0,
    seen_before_at=None,
)
LMS_ADMIN = replace(COORDINATOR, staff_id=2, email="jonas@example.org", role=Role.LMS_ADMIN, university=VILNIUS)


def moved(session: Session, by: timedelta) -> Session:
    """At another time, and nothing else."""
    return replace(
        session, start_at=session.start_at + by, end_at=session.end_at + by, wall_start=session.wall_start + by
    )


def weekly(count: int) -> list[Session]:
    """Sessions of as many weeks, each with an id of its own; the first is SESSION."""
    return [
        replace(moved(SESSION, timedelta(weeks=week)), session_id=UUID(int=SESSION.session_id.int + week))
        for week in range(count)
    ]
