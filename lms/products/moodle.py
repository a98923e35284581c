"""Moodle: measured with Moodle 4.5.6, recordings in tests/data/moodle.

- 400 "Incorrect score received" for every fault; with scores of ours, which are well formed, the person is no student
  of the course (any more).
- A user id that is no number is not refused: it breaks the answer ("502 Bad Gateway"), which would look like "later"
  for a week.
- Completion by "any grade" counts a 0, so what was sent is taken back by a score without a number: the grade becomes
  empty and the activity incomplete. Moodle does the same for every progress but FullyGraded.
"""

from lms.products.quirks import Quirks


def _is_a_number(user_id: str) -> bool:
    return user_id.isascii() and user_id.isdigit()


QUIRKS = Quirks(
    takes_user_id=_is_a_number,
    nobody="2147483647",  # the highest that its database has room for
    misses_person=lambda answer: answer.status == 400,  # token, address and media type are looked at before
)
