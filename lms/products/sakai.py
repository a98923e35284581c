"""Sakai: from its source (sakaiproject/sakai, LTI13Servlet.java; SakaiBLTIUtil.java for what clears a grade); not tried
at a Sakai.

- 400 with a sentence for nearly every fault; "User does not belong to site" is the one of people.
- A scope that the token lacks is 400 too, at every service: "Scope … not in access token".
- An access token that it does not accept (after a restart it has another key) is 403 in newer releases and 400 in
  older ones, with "signature_error" or "invalid_authorization", never 401.
- Its roster reads `start` and `limit` alone: asked for one activity it gives everybody. Its results read no `user_id`.
- Members that it does not know make a score unreadable for it: no extensions of others.
- Without a number the grade is deleted; progress is not looked at.

Registration (https://github.com/sakaiproject/sakai, plus/docs/INSTALL-SAKAI.md): the issuer is the base address
without a slash; the tool is saved by the administrator afterwards.
"""

from lms.guarded import Answer
from lms.products.deep_linking import DeepLinking
from lms.products.quirks import NO_LONGER_A_STUDENT, SAYS, Known, Quirks, gone, never
from lms.products.registration import Registration

_TOKEN_REFUSED = (b"signature_error", b"invalid_authorization", b"token_parse_failure", b"in access_token")


def _refuses_token(answer: Answer) -> bool:
    if answer.status == 400:
        return any(words in answer.body for words in _TOKEN_REFUSED)
    return answer.status in {401, 403}


def _lacks_right(answer: Answer) -> bool:
    return answer.status == 400 and b"not in access token" in answer.body.lower()


QUIRKS = Quirks(
    says={**SAYS, 400: "Sakai did not accept this score: the activity may no longer be in the site."},
    answers=(
        Known(status=400, words=b"user does not belong to site", means=never(NO_LONGER_A_STUDENT)),
        Known(status=400, words=b"could not load", means=gone(SAYS[404])),
    ),
    refuses_token=_refuses_token,
    lacks_right=_lacks_right,
    misses_person=lambda answer: answer.status == 400 and b"user does not belong to site" in answer.body.lower(),
    reads_rlid=False,
)

REGISTRATION = Registration(family_codes=("sakai",))

DEEP_LINKING = DeepLinking(
    afterwards=("Sakai takes no dates from us: the calendar and this tool always show the right ones.",)
)
