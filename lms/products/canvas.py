"""Canvas: from its source (instructure/canvas-lms, app/controllers/lti/ims/scores_controller.rb) and its documentation
(doc/api/assignment_tools.md, "Common Error Codes"); not tried at a Canvas.

- Each score makes a new attempt of the student's unless the extension says `new_submission: false`; attempts may be
  limited. https://canvas.instructure.com/doc/api/score.html So the first version of a score is the one submission, from
  which modules see that the activity was done, and the later ones are none.
- A score that is older than the kept one is refused with 400 and a sentence, not with 409; the same timestamp is taken.
- A used-up quota is 403 with a header, or 429: https://canvas.instructure.com/doc/api/file.throttling.html
- A score that is NotReady or without a number empties the grade: `submission.update(score: nil)`. A 0 would be a grade,
  which SpeedGrader shows as one to be graded (canvas-lms#1977).
- That a timestamp "in the future" is refused with 400, and passes by itself, is not confirmed: in the source those
  words are about `submitted_at`, which we do not send.
"""

from typing import Any

import msgspec

from lms.guarded import Answer
from lms.products.quirks import SAYS, Known, Quirks, conflict, later, never
from lms.scores import Score


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    new_submission: bool


class CanvasScore(Score, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    submission: Submission = msgspec.field(name="https://canvas.instructure.com/lti/submission")


def _dressed(score: Score, version: int) -> Score:
    if version == 1:
        return score
    members: dict[str, Any] = msgspec.structs.asdict(score)
    return CanvasScore(**members, submission=Submission(new_submission=False))


def _is_throttled(answer: Answer) -> bool:
    try:
        return answer.status == 403 and float(answer.headers.get("X-Rate-Limit-Remaining", "1")) <= 0
    except ValueError:
        return False


QUIRKS = Quirks(
    says={
        **SAYS,
        400: "Canvas did not accept this score; please tell whoever runs the tool.",
        412: "The grade column belongs to another tool: somebody should add the activity to the course once more.",
    },
    answers=(
        Known(status=400, words=b"before last updated timestamp", means=conflict),
        Known(status=400, words=b"in the future", means=later),
        Known(
            status=422,
            words=b"concluded",
            means=never("The course is over, and Canvas takes no more scores for it."),
        ),
        Known(
            status=422,
            words=b"not a student",
            means=never(
                "Canvas does not take this score: the person is no longer a student of the course, or is the test"
                " student of the Student View."
            ),
        ),
        Known(
            status=422,
            words=b"maximum number of allowed attempts",
            means=never("Canvas takes no more scores for this person: the activity limits the number of attempts."),
        ),
    ),
    is_busy=_is_throttled,
    dressed=_dressed,
    # "User not found in course or is not a student", before anything else of the score.
    misses_person=lambda answer: answer.status == 422 and b"not a student" in answer.body.lower(),
)
