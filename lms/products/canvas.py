"""Canvas: from its source (instructure/canvas-lms, app/controllers/lti/ims/scores_controller.rb) and its documentation
(doc/api/assignment_tools.md, "Common Error Codes"); not tried at a Canvas.

- Each score makes a new attempt of the student's unless the extension says `new_submission: false`; attempts may be
  limited. https://canvas.instructure.com/doc/api/score.html So the first version of a score is the one submission, from
  which modules see that the activity was done, and the later ones are none.
- A score that is older than the kept one is refused with 400 and a sentence, not with 409; the same timestamp is taken.
- A used-up quota is 403 with a header, or 429: https://canvas.instructure.com/doc/api/file.throttling.html
- 422 "cannot be changed at this time: This assignment is still unpublished" passes when somebody has published it.
- A roster has at most 50 people on a page, and no limit widens that (lib/lti/ims/providers/memberships_provider.rb);
  other lists have 10: https://developerdocs.instructure.com/services/canvas/basics/file.pagination
- The audience of an assertion is the token endpoint to the letter: with a slash at its end it is refused
  (canvas-lms#1925).
- A score that is NotReady or without a number empties the grade: `submission.update(score: nil)`. A 0 would be a grade,
  which SpeedGrader shows as one to be graded (canvas-lms#1977).
- That a timestamp "in the future" is refused with 400, and passes by itself, is not confirmed: in the source those
  words are about `submitted_at`, which we do not send.

Registration: https://developerdocs.instructure.com/services/canvas/external-tools/lti/file.registration and the source
(app/models/lti/ims/registration.rb):
- The token is demanded for the configuration, too.
- The cloud's issuer is https://canvas.instructure.com for every customer (or beta, test), while the configuration and
  the endpoints may be at the customer's own host or at sso.canvaslms.com:
  https://developerdocs.instructure.com/services/canvas/external-tools/lti/file.lti_dev_key_config
- One scope that it does not know, or a missing `claims`, `messages` or `domain`, is 422.
- A message without a placement takes `link_selection`, and the first one there wins: a plain launch, which every tool
  has anyway, would push out the picker. So only deep linking is declared.
- `authorization_server` is a bare host name, and the audience of tokens is the token endpoint:
  https://developerdocs.instructure.com/services/canvas/oauth2/file.oauth
- No deployment in the answer: the first launch names it.
"""

from typing import Any

import msgspec

from lms.guarded import Answer
from lms.products.deep_linking import DeepLinking
from lms.products.quirks import SAYS, Known, Quirks, conflict, later, mended_first, never
from lms.products.registration import KnownAddresses, Registration
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
            words=b"unpublished",
            means=mended_first(
                "Canvas takes no scores for an activity that is not published: publish it, and the scores follow by"
                " themselves."
            ),
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


def _members(asks_names: bool) -> dict[str, str]:  # noqa: FBT001 - the type of Registration.members
    return {"https://canvas.instructure.com/lti/privacy_level": privacy_level(asks_names=asks_names)}


def privacy_level(*, asks_names: bool) -> str:
    return "name_only" if asks_names else "anonymous"


REGISTRATION = Registration(
    family_codes=("canvas",),
    sites=("instructure.com", "canvaslms.com"),
    placements=("assignment_selection", "link_selection"),
    declares_links=False,
    names_audience=False,
    members=_members,
    known=KnownAddresses(
        issuer="https://canvas.instructure.com",
        authorization_endpoint="https://sso.canvaslms.com/api/lti/authorize_redirect",
        token_endpoint="https://sso.canvaslms.com/login/oauth2/token",  # noqa: S106 - an address, no password
        jwks_uri="https://sso.canvaslms.com/api/lti/security/jwks",
    ),
)

# Its documentation: https://canvas.instructure.com/doc/api/file.content_item.html; a line item makes an assignment only
# where that is switched on (canvas-lms#1749).
DEEP_LINKING = DeepLinking(
    takes_windows=True,
    afterwards=(
        "Canvas leaves new items unpublished: publish them, so that students see them.",
        "If your Canvas makes no assignment of them, the grade column appears with the first grade.",
        "If a session is moved later, please change its due date in Canvas, too.",
    ),
)
