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
"""

from lms.products.quirks import Quirks


def _is_a_number(user_id: str) -> bool:
    return user_id.isascii() and user_id.isdigit()


QUIRKS = Quirks(takes_user_id=_is_a_number)
