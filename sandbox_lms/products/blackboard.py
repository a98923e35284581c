"""Blackboard Learn: addresses from https://docs.anthology.com/docs/blackboard/lti/1.3 (the claims of an id_token, and
"Working with the Grades service"); nothing here was tried at a Blackboard.

- One issuer for all universities; the token endpoint is Anthology's, here each campus plays it itself.
- 400 "User could not be found:" for whoever is not in the course: hypothesis/lms, lms/services/lti_grading/_v13.py.
- Page sizes and all other refusals are assumptions.
"""

from sandbox_lms.products.habits import Addresses, Fault, Habits, Said


def _not_found(number: str) -> Said:
    return Said(status=400, body=f'{{"status":400,"message":"User could not be found: {number}"}}')


HABITS = Habits(
    family="BlackboardLearn",
    version="4000.1.0",
    addresses=Addresses(
        authorization="/api/v1/gateway/oidcauth",
        token="/api/v1/gateway/oauth2/jwttoken",  # an address
        keys="/api/v1/management/applications/4ad5/jwks.json",
        line_items="/learn/api/v1/lti/courses/_{course_id}_1/lineItems",
        line_item="/learn/api/v1/lti/courses/_{course_id}_1/lineItems/_{line_item_id}_1",
        memberships="/learn/api/v1/lti/external/namesandroles/_{course_id}_1",
    ),
    issuer="https://blackboard.com",  # of every university
    user_id=lambda number: f"{int(number):032x}",
    says={
        Fault.BAD_TOKEN: Said(status=401, body='{"status":401,"message":"Bearer token is invalid"}'),
        Fault.LACKS_SCOPE: Said(status=403, body='{"status":403,"message":"Insufficient scope"}'),
        Fault.INCORRECT_SCORE: Said(status=400, body='{"status":400,"message":"Bad Request"}'),
        Fault.UNKNOWN_PERSON: _not_found("_4711_1"),
        Fault.NOT_ENROLLED: _not_found("_4712_1"),
        Fault.COLUMN_GONE: Said(status=404, body='{"status":404,"message":"Not found"}'),
    },
)
