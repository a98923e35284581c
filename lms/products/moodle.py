"""Moodle: measured with Moodle 4.5.6, recordings in tests/data/moodle.

- 400 "Incorrect score received" for every fault; with scores of ours, which are well formed, the person is no student
  of the course (any more).
- A user id that is no number is not refused: it breaks the answer ("502 Bad Gateway"), which would look like "later"
  for a week.
- Addresses of line items end in `?type_id=…`: paths go before it, further parameters behind.
- Results fail on every `limit`, with 404 and a page; the Link header of line items cannot be read (typographic quotes,
  `&amp;` in the address), and comes only after a `limit`. So no service is sent one, and all others page by themselves.
- The token endpoint allows no leeway: assertions are dated back (lms.service_tokens.BACKDATED).
- Completion by "any grade" counts a 0, so what was sent is taken back by a score without a number: the grade becomes
  empty and the activity incomplete. Moodle does the same for every progress but FullyGraded.

Registration (measured, tests/data/moodle): a token that is good for one use comes with the link, and is demanded; the
answer is 200 and names the deployment. The tool is pending until somebody activates it.
"""

from lms.products.deep_linking import DeepLinking
from lms.products.quirks import Quirks
from lms.products.registration import Registration


def _is_a_number(user_id: str) -> bool:
    return user_id.isascii() and user_id.isdigit()


QUIRKS = Quirks(
    takes_user_id=_is_a_number,
    nobody="2147483647",  # the highest that its database has room for
    misses_person=lambda answer: answer.status == 400,  # token, address and media type are looked at before
)

REGISTRATION = Registration(family_codes=("moodle",))

# Measured: title, text, address, icon, custom parameters and the line item's maximum, resource id and tag are taken;
# dates, label, frame and window are ignored; nothing but the site's or the course's default switches completion on.
DEEP_LINKING = DeepLinking(
    afterwards=(
        "Moodle makes nothing before you press “Save and return to course” there.",
        "Completion is off for new activities in Moodle: switch it on in the settings of each (“Receive a grade”).",
        "Moodle takes no dates from us: the calendar and this tool always show the right ones.",
    )
)
