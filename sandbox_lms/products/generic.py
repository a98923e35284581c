"""An LMS by the letter of the specifications, with pages of five and, on the first, a link to later differences:
https://www.imsglobal.org/spec/lti-nrps/v2p0#membership-differences"""

from sandbox_lms.products.habits import Addresses, Fault, Habits, Said


def _next_and_differences(this_url: str, next_url: str) -> str:
    differences = this_url.partition("?")[0] + "?since=672638723"
    return f'<{differences}>; rel="differences", <{next_url}>; rel="next"'


HABITS = Habits(
    family="other",
    version="1",
    addresses=Addresses(
        authorization="/lti/authorize",
        token="/lti/token",  # an address
        keys="/lti/keys",
        line_items="/lti/contexts/{course_id}/line_items",
        line_item="/lti/contexts/{course_id}/line_items/{line_item_id}",
        memberships="/lti/contexts/{course_id}/memberships",
    ),
    user_id=lambda number: f"Person/{number}+a&b",
    line_items_page=5,
    results_page=5,
    roster_page=5,
    roster_link=_next_and_differences,
    wants_exact_types=True,
    says={
        Fault.LACKS_SCOPE: Said(status=403),
        Fault.NOT_ENROLLED: Said(status=422),
        Fault.NOT_GRADABLE: Said(status=422),
        Fault.COURSE_OVER: Said(status=422),
    },
)
