"""What may be odd about the services of a product; by default they keep to the letter of the specifications."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from lms.errors import LmsError, NotAllowed, NotFound, Refused, ScoreConflict, TryLater
from lms.guarded import Answer
from lms.scores import ActivityProgress, GradingProgress, Score

NO_LONGER_A_STUDENT = "The gradebook did not take this score: the person is no longer a student of the course."
SAYS: Mapping[int, str] = {
    400: "The gradebook did not take this score: most often the person is no longer a student of the course.",
    401: "The LMS does not let us write grades: its administrator should check that the tool may use the grade"
    " service.",
    403: "The LMS does not let us write this grade: the person is no longer a student of the course, or the tool may"
    " not use the grade service there.",
    404: "The activity, its grade column or the person is no longer in the course.",
    410: "The activity or its grade column is no longer in the course.",
    422: "The gradebook takes no score for this person now: the course is over or not published, or this is a test"
    " student.",
}


def emptied(score: Score) -> Score:
    """No number: "there is presently no score for that user, and the platform should clear any previous score value".

    https://www.imsglobal.org/spec/lti-ags/v2p0/#scoregiven-and-scoremaximum
    """
    return msgspec.structs.replace(
        score,
        activity_progress=ActivityProgress.STARTED,
        grading_progress=GradingProgress.NOT_READY,
        score_given=None,
        score_maximum=None,
    )


Means = Callable[[Answer], LmsError]


@dataclass(frozen=True, kw_only=True)
class Known:
    """An answer to a score that says more than its status does: it has this status and contains these words."""

    status: int
    words: bytes  # in lower case
    means: Means


@dataclass(frozen=True, kw_only=True)
class Quirks:
    """`says`: sentences for an instructor, by the status of an answer to a score. `answers` are looked at before.

    `is_busy`: whether a refusal, of any service, only means "later". `refuses_token`: whether it is the access token
    that is refused; `lacks_right`: whether it is a right that we lack. `takes_user_id`: whether scores for this user
    id may be sent at all. `dressed`: the score of that version with what only this product reads. `taken_back`: of a
    score of 0, what takes back the one that was sent before. `nobody`: a user id that nobody has there;
    `misses_person`: whether the refusal of a score says that there is no such person, and so that all the rest is
    right.

    `token_audience`: what our assertions must name as their audience, if it is not the token endpoint. `reads_rlid`:
    whether its roster can be asked for one activity; else that would give everybody, as if they all could open it.
    """

    says: Mapping[int, str] = field(default_factory=lambda: SAYS)
    answers: tuple[Known, ...] = ()
    is_busy: Callable[[Answer], bool] = lambda _: False
    refuses_token: Callable[[Answer], bool] = lambda answer: answer.status == 401
    lacks_right: Callable[[Answer], bool] = lambda _: False
    takes_user_id: Callable[[str], bool] = lambda user_id: True
    dressed: Callable[[Score, int], Score] = lambda score, version: score
    taken_back: Callable[[Score], Score] = emptied
    token_audience: str | None = None
    reads_rlid: bool = True
    nobody: str = "shared-sessions-nobody"
    misses_person: Callable[[Answer], bool] = lambda _: False

    def meaning(self, answer: Answer) -> LmsError | None:
        """Of a known answer to a score; None where the status says it."""
        body = answer.body.lower()
        return next(
            (known.means(answer) for known in self.answers if known.status == answer.status and known.words in body),
            None,
        )


def never(sentence: str) -> Means:
    return lambda answer: Refused(sentence, status=answer.status)


def gone(sentence: str) -> Means:
    return lambda answer: NotFound(sentence, status=answer.status)


def mended_first(sentence: str) -> Means:
    """Later, by itself, when somebody has done what the sentence says; after a week no more."""
    return lambda answer: NotAllowed(sentence, status=answer.status)


def later(answer: Answer) -> LmsError:
    """For this person's score; the others do not wait for it."""
    error = TryLater(answer.host, status=answer.status, retry_after_s=answer.retry_after_s)
    error.of_platform = False
    return error


def conflict(_: Answer) -> LmsError:
    return ScoreConflict()
