"""Any other LMS: by the letter of Assignment and Grade Services 2.0.

An assumption is that it clears a grade for a score without a number whatever the progress is; one that ignores all but
fully graded scores keeps the old number.
"""

from lms.products.deep_linking import DeepLinking
from lms.products.quirks import Quirks
from lms.products.registration import Registration

QUIRKS = Quirks()

REGISTRATION = Registration()

DEEP_LINKING = DeepLinking(
    takes_windows=True,
    afterwards=(
        "Look at each new activity once: your LMS may hide it from students, or ask what completes it.",
        "If a session is moved later, please change its dates in your LMS, too.",
    ),
)
