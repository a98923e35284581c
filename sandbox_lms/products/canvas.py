"""Canvas: addresses, pages and refusals from its documentation and source; nothing here was tried at a Canvas.

- https://developerdocs.instructure.com/services/canvas/resources/line_items, …/score, …/names_and_role
- 10 things a page, of which a tool may ask for more; of people 50, of which it may not: MAX_PAGE_SIZE in
  lib/lti/ims/providers/memberships_provider.rb of instructure/canvas-lms
- All pages have a Link header with `current`, `first` and `last`, too:
  https://developerdocs.instructure.com/services/canvas/basics/file.pagination
- 422 for whoever is no student, and for a course that is over: gradebook_services.rb there.
- 403 with a header for a used-up quota: https://developerdocs.instructure.com/services/canvas/basics/file.throttling
- A link that is no assignment gets no line item: 412, render_error's default in gradebook_services.rb. (That it is
  this status for this fault is an assumption.)
"""

import json
from uuid import NAMESPACE_URL, uuid5

from sandbox_lms.products.habits import Addresses, Fault, Habits, Said


def _all_links(this_url: str, next_url: str) -> str:
    first = this_url.partition("?")[0]
    return f'<{this_url}>; rel="current",<{next_url}>; rel="next",<{first}>; rel="first",<{first}>; rel="last"'


def _error(status: int, kind: str, message: str) -> Said:
    return Said(status=status, body=json.dumps({"errors": {"type": kind, "message": message}}))


def _unprocessable(message: str) -> Said:
    return _error(422, "unprocessable_entity", message)


_NO_STUDENT = _unprocessable("User not found in course or is not a student")
HABITS = Habits(
    family="canvas",
    version="cloud",
    addresses=Addresses(
        authorization="/api/lti/authorize_redirect",
        token="/login/oauth2/token",  # an address
        keys="/api/lti/security/jwks",
        line_items="/api/lti/courses/{course_id}/line_items",
        line_item="/api/lti/courses/{course_id}/line_items/{line_item_id}",
        memberships="/api/lti/courses/{course_id}/names_and_roles",
    ),
    issuer="https://canvas.instructure.com",  # of every university in the cloud
    user_id=lambda number: str(uuid5(NAMESPACE_URL, f"canvas user {number}")),
    line_items_page=10,
    results_page=10,
    roster_page=50,
    caps_roster=True,
    link=_all_links,
    roster_link=_all_links,
    takes_equal_times=True,
    says={
        Fault.BAD_TOKEN: _error(401, "unauthorized", "Access token expired"),
        Fault.LACKS_SCOPE: _error(401, "unauthorized", "Insufficient scopes"),
        Fault.BUSY: Said(
            status=403, body="403 Forbidden (Rate Limit Exceeded)", headers={"X-Rate-Limit-Remaining": "0.0"}
        ),
        Fault.INCORRECT_SCORE: _error(400, "bad_request", "Invalid score"),
        Fault.OLD_SCORE: _error(
            400, "bad_request", "Provided timestamp of 2026-11-25 before last updated timestamp of 2026-11-26"
        ),
        Fault.UNKNOWN_PERSON: _NO_STUDENT,
        Fault.NOT_ENROLLED: _NO_STUDENT,
        Fault.NOT_GRADABLE: _NO_STUDENT,
        Fault.COURSE_OVER: _unprocessable(
            "This course has concluded. AGS requests will no longer be accepted for this course."
        ),
        Fault.UNPUBLISHED: Said(
            status=422,
            body='{"errors":[{"field":"grade","message":"cannot be changed at this time: This assignment is still'
            ' unpublished","error_code":null}]}',
        ),
        Fault.ATTEMPTS_USED_UP: _unprocessable(
            "The maximum number of allowed attempts has been reached for this submission"
        ),
        Fault.COLUMN_GONE: Said(status=404),
        Fault.LINK_REFUSED: _error(
            412, "precondition_failed", "The specified LTI link ID is not associated with the line item."
        ),
    },
)
