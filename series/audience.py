"""Whom a course teaches: said by its instructor, for the report to the funder. No data of persons."""

from dataclasses import dataclass
from enum import StrEnum

MAX_SCHOOLS = 1_000  # of one course; more is a slip of the finger


class Audience(StrEnum):
    """Teachers before or in service."""

    PRE_SERVICE = "pre_service"
    IN_SERVICE = "in_service"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class CourseAudience:
    """`schools`: in which those in service work; None: not said."""

    audience: Audience
    schools: int | None = None

    def __post_init__(self) -> None:
        if self.schools is not None and not 0 <= self.schools <= MAX_SCHOOLS:
            raise ValueError(f"schools are from 0 to {MAX_SCHOOLS}")


@dataclass(frozen=True, kw_only=True)
class TaughtCourse:
    """A course of a series; `said` None: nobody has said whom it teaches."""

    course_id: int
    university_id: int
    said: CourseAudience | None
