"""Brightspace (D2L): from its LTI Advantage developer FAQ and its page on the grade service, and from what another tool
has seen (hypothesis/lms, lms/services/lti_grading/_v13.py); not tried at a Brightspace.

- 422: the person's role "cannot be graded", a setting: https://community.d2l.com/brightspace/kb/articles/23661-lti-advantage-developer-faq
- 403 "User in requested score is not enrolled in the org unit", 404 "User in requested score does not exist".
- "Rate limiting is based on a per integration basis": 429, as everywhere.
- Nothing was found on what clears a score; that it follows the specification is an assumption.
"""

from lms.products.quirks import NO_LONGER_A_STUDENT, SAYS, Known, Quirks, gone, never

QUIRKS = Quirks(
    says={
        **SAYS,
        422: "In Brightspace this person's role cannot be graded: its administrator can switch on “Can be graded in"
        " Grades” for the role, and then the score can be sent again.",
    },
    answers=(
        Known(status=403, words=b"not enrolled", means=never(NO_LONGER_A_STUDENT)),
        Known(status=404, words=b"user in requested score", means=gone("The LMS no longer knows this person.")),
    ),
    misses_person=lambda answer: b"user in requested score" in answer.body.lower(),
)
