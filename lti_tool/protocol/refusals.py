"""Why a login or a launch is refused: one code for each reason.

Refused
    code     one of RefusalCode; the words for people are made from it by the pages
    values   facts for the log and the administrator; never a token or personal data
"""

from enum import StrEnum


class RefusalCode(StrEnum):
    """The reason, as the log and the administrator's page name it."""

    # the login
    LOGIN_INCOMPLETE = "login_incomplete"
    PLATFORM_UNKNOWN = "platform_unknown"
    PLATFORM_AMBIGUOUS = "platform_ambiguous"
    PLATFORM_DISABLED = "platform_disabled"
    PLATFORM_PENDING = "platform_pending"
    PLATFORM_MISMATCH = "platform_mismatch"
    TARGET_NOT_OURS = "target_not_ours"
    # the way back
    LMS_ERROR = "lms_error"
    METHOD_NOT_POST = "method_not_post"
    TOO_LARGE = "too_large"
    STATE_MISSING = "state_missing"
    STATE_INVALID = "state_invalid"
    STATE_EXPIRED = "state_expired"
    BROWSER_CHANGED = "browser_changed"
    # the token
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a code, no password
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105 - a code, no password
    ALGORITHM_REFUSED = "algorithm_refused"
    KEY_ID_MISSING = "key_id_missing"
    KEY_UNKNOWN = "key_unknown"
    KEYS_UNREACHABLE = "keys_unreachable"
    SIGNATURE_WRONG = "signature_wrong"
    CLAIM_MISSING = "claim_missing"
    CLAIM_MALFORMED = "claim_malformed"
    ISSUER_WRONG = "issuer_wrong"
    AUDIENCE_WRONG = "audience_wrong"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, no password
    TOKEN_FROM_FUTURE = "token_from_future"  # noqa: S105 - a code, no password
    TOKEN_TOO_OLD = "token_too_old"  # noqa: S105 - a code, no password
    NONCE_WRONG = "nonce_wrong"
    NONCE_SPENT = "nonce_spent"
    # the message
    VERSION_WRONG = "version_wrong"
    MESSAGE_TYPE_UNKNOWN = "message_type_unknown"
    DEPLOYMENT_MISMATCH = "deployment_mismatch"
    DEPLOYMENT_PENDING = "deployment_pending"
    DEPLOYMENT_DISABLED = "deployment_disabled"
    NO_SERIES = "no_series"
    # deep linking
    NOT_A_TEACHER = "not_a_teacher"
    NO_WAY_BACK = "no_way_back"
    PICKING_INVALID = "picking_invalid"
    PICKING_EXPIRED = "picking_expired"
    PERSON_ERASED = "person_erased"
    # too much at once
    LOGINS_TOO_FAST = "logins_too_fast"
    LAUNCHES_TOO_FAST = "launches_too_fast"
    # the way into a tab of its own
    TICKET_INVALID = "ticket_invalid"
    TICKET_EXPIRED = "ticket_expired"
    TICKET_SPENT = "ticket_spent"


class Refused(Exception):
    """A login or launch that goes no further."""

    def __init__(self, code: RefusalCode, **values: object) -> None:
        super().__init__(code.value)
        self.code = code
        self.values = values
