"""The gradebook: one grade per line item and student, and the time of the score that it came from."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from sandbox_lms.activities import NO_TRACKING, find_activity
from sandbox_lms.campus import Person
from sandbox_lms.completion import complete_by_grade
from sandbox_lms.line_items import LineItem
from sandbox_lms.products.habits import Fault
from sandbox_lms.site import Site

ActivityProgress = Literal["Initialized", "Started", "InProgress", "Submitted", "Completed"]
GradingProgress = Literal["FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"]


class Score(msgspec.Struct, frozen=True, rename="camel"):
    """https://www.imsglobal.org/spec/lti-ags/v2p0/#score-service-media-type-and-schema

    A member that we do not know is ignored, as the specification demands of a platform.
    """

    user_id: str
    activity_progress: ActivityProgress
    grading_progress: GradingProgress
    timestamp: str
    score_given: float | None = None
    score_maximum: float | None = None
    comment: str | None = None


_PREPARED = msgspec.json.Decoder(Score)  # see TID251 in pyproject.toml


@dataclass(frozen=True, kw_only=True)
class Grade:
    """`score` is on the scale of the line item; None after a score that was not fully graded, or had no number."""

    line_item_id: int
    user_id: str
    score: float | None
    comment: str | None
    scored_at_s: int


class IncorrectScore(Exception):
    """A score that Moodle refuses with 400, whatever is wrong with it."""

    def __init__(self, fault: Fault = Fault.INCORRECT_SCORE) -> None:
        super().__init__(fault)
        self.fault = fault


class OldScore(Exception):
    """The gradebook holds a later score; mostly one of the same second counts as later."""


def read_score(document: object) -> Score:
    """The score in parsed JSON. Raises IncorrectScore."""
    try:
        score = msgspec.convert(document, Score)  # noqa: TID251  # prepared above
    except msgspec.ValidationError as error:
        raise IncorrectScore from error
    given, maximum = score.score_given, score.score_maximum
    if given is not None and not (math.isfinite(given) and given >= 0 and maximum is not None and maximum > 0):
        raise IncorrectScore
    return score


def record_score(site: Site, line_item: LineItem, score: Score) -> None:
    """Keep the score as the student's grade, which completes the activity or does not.

    Raises IncorrectScore, OldScore; then nothing has changed.
    """
    person = _gradable(site, score.user_id)
    scored_at_s = _whole_second(score.timestamp)
    activity = None if line_item.activity_id is None else find_activity(site, line_item.activity_id)
    with site.database.write() as connection:
        stored = connection.execute(
            "SELECT scored_at_s FROM grade WHERE campus = ? AND line_item_id = ? AND user_id = ?",
            (site.slug, line_item.line_item_id, person.user_id),
        ).fetchone()
        if stored is not None and _is_old(site, scored_at_s, stored["scored_at_s"]):
            raise OldScore
        grade = _on_scale(score, line_item.score_maximum)
        connection.execute(
            "INSERT OR REPLACE INTO grade (campus, line_item_id, user_id, score, comment, scored_at_s)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (site.slug, line_item.line_item_id, person.user_id, grade, score.comment, scored_at_s),
        )
        if activity is not None and activity.tracking != NO_TRACKING:
            share = None if grade is None else grade / line_item.score_maximum
            complete_by_grade(connection, site, activity.activity_id, person.user_id, share)


def all_grades(site: Site, line_item_id: int | None = None) -> list[Grade]:
    """The grades of the course, or of one line item; people with no score are absent."""
    with site.database.read() as connection:
        rows = connection.execute(
            "SELECT line_item_id, user_id, score, comment, scored_at_s FROM grade"
            " WHERE campus = ? AND (? IS NULL OR line_item_id = ?) ORDER BY line_item_id, CAST(user_id AS INTEGER)",
            (site.slug, line_item_id, line_item_id),
        ).fetchall()
    return [Grade(**dict(row)) for row in rows]


def _gradable(site: Site, sub: str) -> Person:
    person = site.campus.person_of(sub)
    if person is None:
        raise IncorrectScore(Fault.UNKNOWN_PERSON)
    if person.role == "administrator" or person.user_id in site.switches.settings.left:
        raise IncorrectScore(Fault.NOT_ENROLLED)
    if person.role != "student":
        raise IncorrectScore(Fault.NOT_GRADABLE)
    return person


def _is_old(site: Site, scored_at_s: int, kept_s: int) -> bool:
    habits = site.campus.habits
    if not habits.looks_at_times:
        return False
    return scored_at_s < kept_s if habits.takes_equal_times else scored_at_s <= kept_s


def _whole_second(timestamp: str) -> int:
    try:
        scored_at = datetime.fromisoformat(timestamp)
    except ValueError as error:
        raise IncorrectScore from error
    if "T" not in timestamp or scored_at.tzinfo is None:
        raise IncorrectScore  # Moodle would read it as its own local time; the specification demands a zone
    return math.floor(scored_at.timestamp())


def _on_scale(score: Score, line_item_maximum: float) -> float | None:
    """Only a fully graded score is a grade; every other one empties it. What is over the maximum is cut off."""
    if score.grading_progress != "FullyGraded" or score.score_given is None or score.score_maximum is None:
        return None
    return min(score.score_given / score.score_maximum, 1.0) * line_item_maximum
