"""Blackboard Learn: from what another tool has seen (hypothesis/lms, lms/services/lti_grading/_v13.py) and from
https://docs.anthology.com/docs/blackboard/lti/1.3/lti-subsystems/ags/ags-grades; not tried at a Blackboard.

- 400 "User could not be found:" for a person who is not in the course.
- The issuer is one for every university, and the client id is that of an application in Anthology's developer portal:
  each university needs an application of its own there, because here one client id is one university (pitfall 10).
- A POST may "either create a new grade or update/delete an existing grade (this will depend on the properties and
  values included on the request body)"; that a score without a number is what deletes one is an assumption.

Registration (https://docs.anthology.com/docs/developer-portal/creating-new-rest-or-lti-application): at the developer
portal, which is one for all; its issuer is https://blackboard.com for every customer, while configuration and
endpoints are at developer.blackboard.com or developer.anthology.com. The deployment is made afterwards in each
Blackboard by the client id, so that no answer names one. A university that registers by itself is one of the exceptions
that Anthology sanctions, because each has a login address of its own:
https://docs.anthology.com/docs/blackboard/lti/lti-registration-deployment
Its maker lists open faults of its Dynamic Registration, such as a wrong issuer in the configuration. That names no
scope of rosters, either, and one key set for all, where the portal's page names one for each application. What comes of
them was not tried: https://blackboard.my.salesforce-sites.com/btbb/publickbarticleview?id=kAEPU00005dRIfK4AW
"""

from lms.products.deep_linking import DeepLinking
from lms.products.quirks import NO_LONGER_A_STUDENT, SAYS, Known, Quirks, never
from lms.products.registration import KnownAddresses, Registration

QUIRKS = Quirks(
    says={**SAYS, 400: "Blackboard did not accept this score; please tell whoever runs the tool."},
    answers=(Known(status=400, words=b"user could not be found", means=never(NO_LONGER_A_STUDENT)),),
    misses_person=lambda answer: answer.status == 400 and b"user could not be found" in answer.body.lower(),
)

REGISTRATION = Registration(
    family_codes=("blackboard", "anthology"),
    sites=("blackboard.com", "anthology.com"),
    known=KnownAddresses(
        issuer="https://blackboard.com",
        authorization_endpoint="https://developer.blackboard.com/api/v1/gateway/oidcauth",
        token_endpoint="https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",  # noqa: S106 - an address
    ),
)

# https://docs.anthology.com/docs/blackboard/lti/1.3/dl/dl-types
DEEP_LINKING = DeepLinking(
    afterwards=(
        "Blackboard hides new content from students: make each item visible.",
        "Blackboard takes no dates from us: the calendar and this tool always show the right ones.",
    )
)
