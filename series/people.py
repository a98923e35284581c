"""Who is looking: one validated launch in one browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

VISIT_LIFE = timedelta(hours=12)
MAX_VISITS = 20  # of one participant at a time


@dataclass(frozen=True, kw_only=True)
class University:
    university_id: int
    slug: str
    name: str
    country: str
    time_zone: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What one launch opened. Roles belong to it, not to the participant."""

    visit_id: str
    proof_hash: str
    participant_id: int
    sub: str
    university: University
    platform_id: int
    deployment_is_approved: bool
    course_id: int | None
    course_title: str
    placement_id: int
    series_id: UUID
    session_id: UUID | None  # none: the whole series
    is_teacher: bool
    is_learner: bool
    is_test_user: bool  # an LMS's own "student view": may look, and nothing counts
    is_administrator: bool  # of the LMS, as it says: opens nothing by itself
    hosted_session_ids: frozenset[UUID]
    return_url: str | None
    locale: str | None
    expires_at: datetime

    def is_younger_than(self, age: timedelta, now: datetime) -> bool:
        return now < self.expires_at - VISIT_LIFE + age


@dataclass(frozen=True, kw_only=True)
class Picker:
    """Who asks, from an approved deployment, to put activities of ours into a course. There is no visit of it."""

    builds_course: bool
    is_test_user: bool


@dataclass(frozen=True, kw_only=True)
class CoursePerson:
    """Somebody who learns in a course. `has_started`: they have opened one of its activities themselves."""

    participant_id: int
    sub: str
    course_id: int
    has_started: bool
