"""Names from the specifications, each under its section.

LTI 1.3 Core: https://www.imsglobal.org/spec/lti/v1p3
1EdTech Security Framework 1.0: https://www.imsglobal.org/spec/security/v1p0
"""

from datetime import timedelta

VERSION = "1.3.0"
RESOURCE_LINK_REQUEST = "LtiResourceLinkRequest"  # Core 5.3.1, message type claim
DEEP_LINKING_REQUEST = "LtiDeepLinkingRequest"  # Deep Linking 2.0, 4.4: https://www.imsglobal.org/spec/lti-dl/v2p0
DEEP_LINKING_RESPONSE = "LtiDeepLinkingResponse"  # 4.5

# Core 5.3 and 5.4: claims
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"  # AGS 2.0, 3.1
DEEP_LINKING_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"  # NRPS 2.0, 3.6.1.1

# Security Framework 5.1.3: token times. 60 s bridge real LMSs' clocks; a token older than 10 min is refused however
# late it expires, so a spent nonce need not be kept for longer.
LEEWAY = timedelta(seconds=60)
MAX_TOKEN_AGE = timedelta(minutes=10)
STATE_LIFE = timedelta(minutes=10)
NONCE_LIFE = STATE_LIFE + MAX_TOKEN_AGE + LEEWAY  # after that every token that carries it is refused for its age
TICKET_LIFE = timedelta(minutes=10)

MAX_ID_TOKEN_CHARS = 65_536
MAX_STATE_CHARS = 8_192
MAX_LOGIN_VALUE_CHARS = 8_192  # all of them together stay below what servers take as an address
MAX_SUB_CHARS = 255  # Core 5.3.6: not more than 255 ASCII characters
MAX_ID_CHARS = 255  # Core 5.3.5, 5.4.1: resource link and context ids
MAX_ADDRESS_BYTES = 2_000  # of a service; PostgreSQL indexes no longer ones
MAX_HISTORY = 100  # of the copies that a course or an activity comes from, how many are looked at
MAX_LOCALE_CHARS = 35  # RFC 5646, section 4.4.1
