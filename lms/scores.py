"""One score of Assignment and Grade Services 2.0, and its bytes.

https://www.imsglobal.org/spec/lti-ags/v2p0/#score-service-media-type-and-schema
"""

import math
from datetime import UTC, datetime
from enum import StrEnum

import msgspec


class ActivityProgress(StrEnum):
    """https://www.imsglobal.org/spec/lti-ags/v2p0/#activityprogress"""

    INITIALIZED = "Initialized"
    STARTED = "Started"
    IN_PROGRESS = "InProgress"
    SUBMITTED = "Submitted"
    COMPLETED = "Completed"


class GradingProgress(StrEnum):
    """https://www.imsglobal.org/spec/lti-ags/v2p0/#gradingprogress (Moodle empties the grade for all but the first)"""

    FULLY_GRADED = "FullyGraded"
    PENDING = "Pending"
    PENDING_MANUAL = "PendingManual"
    FAILED = "Failed"
    NOT_READY = "NotReady"


class Score(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Without `score_given` the gradebook empties the grade. `timestamp` as `score_timestamp` writes it."""

    user_id: str
    activity_progress: ActivityProgress
    grading_progress: GradingProgress
    timestamp: str
    score_given: float | None = None
    score_maximum: float | None = None


def score_timestamp(at: datetime) -> str:
    """ISO 8601 with milliseconds and zone, as the specification demands: Moodle reads one without zone as site time."""
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def score_body(score: Score) -> bytes:
    """The exact bytes of the POST: equal scores give equal bytes, because a delivery is repeated byte for byte."""
    if score.score_given is not None:
        maximum = score.score_maximum
        if maximum is None or not (math.isfinite(maximum) and maximum > 0):
            raise ValueError("a score needs a maximum above 0")
        if not (math.isfinite(score.score_given) and score.score_given >= 0):
            raise ValueError("a score is a number from 0 on")
    return msgspec.json.encode(score)
