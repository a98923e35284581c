"""Sakai: from its source (sakaiproject/sakai, LTI13Servlet.java); nothing here was tried at a Sakai.

- Nearly every fault is 400 with a sentence; a token of another key is 403.
- Nobody's media type is looked at; `rlid` and `user_id` of a query are not, either.
- A score takes the place of the kept one whatever its timestamp is (none is read in handleLineItemScore).
"""

import json

from sandbox_lms.products.habits import Addresses, Fault, Habits, Said


def _bad_request(sentence: str, status: int = 400) -> Said:
    return Said(status=status, body=json.dumps({"error": sentence}))


_NOT_IN_SITE = _bad_request("User does not belong to site")
HABITS = Habits(
    family="sakai",
    version="25.1",
    addresses=Addresses(
        authorization="/imsoidc/lti13/oidc_auth",
        token="/imsblis/lti13/token/{deployment_id}",  # an address
        keys="/imsblis/lti13/keyset",
        line_items="/imsblis/lti13/lineitems/context:{course_id}",
        line_item="/imsblis/lti13/lineitems/context:{course_id}/{line_item_id}",
        memberships="/imsblis/lti13/namesandroles/context:{course_id}",
    ),
    user_id=lambda number: f"0b0bbd1b-a1ba-42c2-bdb0-{int(number):012x}",
    filters_results=False,
    reads_rlid=False,
    looks_at_times=False,
    says={
        Fault.BAD_TOKEN: _bad_request("signature_error", 403),
        Fault.LACKS_SCOPE: _bad_request("Scope not in access token"),
        Fault.INCORRECT_SCORE: _bad_request("Missing userId"),
        Fault.UNKNOWN_PERSON: _NOT_IN_SITE,
        Fault.NOT_ENROLLED: _NOT_IN_SITE,
        Fault.COLUMN_GONE: _bad_request("Could not load column"),
    },
)
