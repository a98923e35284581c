"""Brightspace (D2L): from its LTI Advantage developer FAQ and its page on the grade service, and from what another tool
has seen (hypothesis/lms, lms/services/lti_grading/_v13.py); not tried at a Brightspace.

- 422: the person's role "cannot be graded", a setting: https://community.d2l.com/brightspace/kb/articles/23661-lti-advantage-developer-faq
- 403 "User in requested score is not enrolled in the org unit", 404 "User in requested score does not exist".
- "Rate limiting is based on a per integration basis": 429, as everywhere.
- The audience of an assertion is one for all of Brightspace, and no address that is ever called.
- Unless the deployment says "Classlist including users not known to this deployment", a roster has only those who have
  launched the tool: https://community.d2l.com/brightspace/kb/articles/23756-names-and-roles-extension-with-lti-1-3
- Nothing was found on what clears a score; that it follows the specification is an assumption.

Registration (https://community.d2l.com/brightspace/kb/articles/23662-tool-registration-deployment-and-links): sends no
registration token (openwebwork/webwork2#2993); the issuer is the address of the Brightspace, but tokens are asked of
one service for all, with an audience of its own; the registration is disabled at first, and its deployment is often
made by hand, so that the answer may name none. A second tool of the same name is refused, perhaps with 500: "Name must
be unique across the org" (Unicon/tool13demo, RegistrationController.java).
"""

from lms.products.deep_linking import DeepLinking
from lms.products.quirks import NO_LONGER_A_STUDENT, SAYS, Known, Quirks, gone, never
from lms.products.registration import KnownAddresses, Registration

# "Only use this value in the aud claim", of the FAQ above; a list of it and the endpoint is refused, too
# (oat-sa/lib-lti1p3-core#187).
_AUDIENCE = "https://api.brightspace.com/auth/token"

QUIRKS = Quirks(
    token_audience=_AUDIENCE,
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

REGISTRATION = Registration(
    family_codes=("desire2learn", "d2l", "brightspace"),
    name_taken=b"name must be unique",
    known=KnownAddresses(
        token_endpoint="https://auth.brightspace.com/core/connect/token",  # noqa: S106 - an address, no password
    ),
)

# https://community.d2l.com/brightspace/kb/articles/23755-deep-linking-extension-with-lti-1-3
DEEP_LINKING = DeepLinking(
    afterwards=(
        "Brightspace puts the links where you have begun; move them to the module where students look.",
        "Brightspace takes no dates from us: the calendar and this tool always show the right ones.",
    )
)
