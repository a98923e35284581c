"""Every launch of the reference that a resource link can send, by its number: what is sent, and the two verdicts.

Cases 34 to 64, 74 to 76, 93 and 110 are no single launches of a resource link; they have tests of their own.
"""

from tests.integration.lti.numbered_messages import MESSAGES
from tests.integration.lti.numbered_suite import SUITE
from tests.integration.lti.numbered_tokens import TOKENS

NUMBERED_LAUNCHES = [*SUITE, *TOKENS, *MESSAGES]
