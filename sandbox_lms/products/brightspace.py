"""Brightspace (D2L): what its LTI Advantage developer FAQ says, and the addresses of launches that others have shown;
nothing here was tried at a Brightspace.

- The audience of an assertion is one for all universities, and no address to call; 422 for a role that cannot be
  graded: https://community.d2l.com/brightspace/kb/articles/23661-lti-advantage-developer-faq
- Its keys name no `alg`: 1EdTech/lti-1-3-php-library#34.
- A user id is that of the university and a number: an id_token in the forum of D2L,
  https://d2l.vanilladevelopment.com/english/discussion/6974
- 403 and 404 for people: hypothesis/lms, lms/services/lti_grading/_v13.py.
- Page sizes, what an old score gets, and the words of the token's refusals are assumptions.
"""

from sandbox_lms.products.habits import Addresses, Fault, Habits, Said

_SERVICES = "/d2l/api/lti/{service}/2.0/deployment/{{deployment_id}}/orgunit/{{course_id}}"
_AGS, _NRPS = (_SERVICES.format(service=service) for service in ("ags", "nrps"))
HABITS = Habits(
    family="desire2learn",
    version="20.26.11",
    addresses=Addresses(
        authorization="/d2l/lti/authenticate",
        token="/core/connect/token",  # an address
        keys="/d2l/.well-known/jwks",
        line_items=_AGS + "/lineitems",
        line_item=_AGS + "/lineitems/{line_item_id}",
        memberships=_NRPS + "/memberships",
    ),
    issuer="https://{slug}.brightspace.com",
    token_audience="https://api.brightspace.com/auth/token",  # an address
    user_id=lambda number: f"d3f1105f-7b67-4282-b71a-33f3fdadfa95_{number}",
    names_alg=False,
    roster_page=20,
    says={
        Fault.BAD_TOKEN: Said(status=401),
        Fault.LACKS_SCOPE: Said(status=403, body='{"Errors":[{"Message":"Not Authorized"}]}'),
        Fault.INCORRECT_SCORE: Said(status=400, body='{"Errors":[{"Message":"Invalid score"}]}'),
        Fault.UNKNOWN_PERSON: Said(status=404, body='{"detail":"User in requested score does not exist"}'),
        Fault.NOT_ENROLLED: Said(
            status=403, body='{"detail":"User in requested score is not enrolled in the org unit"}'
        ),
        Fault.NOT_GRADABLE: Said(status=422, body='{"detail":"User in requested score cannot be graded"}'),
        Fault.COLUMN_GONE: Said(status=404, body='{"detail":"Line item does not exist"}'),
    },
)
