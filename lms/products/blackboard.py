"""Blackboard Learn: from what another tool has seen (hypothesis/lms, lms/services/lti_grading/_v13.py) and from
https://docs.anthology.com/docs/blackboard/lti/1.3/lti-subsystems/ags/ags-grades; not tried at a Blackboard.

- 400 "User could not be found:" for a person who is not in the course.
- A POST may "either create a new grade or update/delete an existing grade (this will depend on the properties and
  values included on the request body)"; that a score without a number is what deletes one is an assumption.
"""

from lms.products.quirks import NO_LONGER_A_STUDENT, SAYS, Known, Quirks, never

QUIRKS = Quirks(
    says={**SAYS, 400: "Blackboard did not accept this score; please tell whoever runs the tool."},
    answers=(Known(status=400, words=b"user could not be found", means=never(NO_LONGER_A_STUDENT)),),
    misses_person=lambda answer: answer.status == 400 and b"user could not be found" in answer.body.lower(),
)
