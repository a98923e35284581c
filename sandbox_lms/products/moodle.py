"""Moodle 4.5, as it was measured: its refusals are those of sandbox_lms.services and sandbox_lms.grade_service.

The Link header of its line items cannot be read by anybody: typographic quotes, and `&amp;` in the address
(mod/lti/service/gradebookservices/classes/local/resources/lineitems.php); its results fail on every `limit`.
"""

import html

from sandbox_lms.products.habits import Addresses, Habits


def _unreadable(this_url: str, next_url: str) -> str:
    return f"<{html.escape(next_url)}>; rel=\u201cnext\u201d".encode().decode("latin-1")  # as bytes go into a header


HABITS = Habits(
    family="moodle",
    version="2024100706",
    addresses=Addresses(
        authorization="/mod/lti/auth.php",
        token="/mod/lti/token.php",  # an address
        keys="/mod/lti/certs.php",
        line_items="/mod/lti/services.php/{course_id}/lineitems",
        line_item="/mod/lti/services.php/{course_id}/lineitems/{line_item_id}/lineitem",
        memberships="/mod/lti/services.php/CourseSection/{course_id}/bindings/{deployment_id}/memberships",
        query="type_id={deployment_id}",
    ),
    short_roles=True,
    link=_unreadable,
    results_take_limit=False,
    wants_exact_types=True,
)
