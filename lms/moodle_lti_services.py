"""Whether a Moodle's web server hands LTI's services the rest of their address, which their PHP reads as PATH_INFO.

A usual mistake of nginx cuts it off: then launches work, and rosters and grades do not.
"""

from enum import StrEnum

import msgspec

from lms.guarded import Answer, GuardedSession
from lms.line_items import MEDIA_TYPE_LINE_ITEMS

WITHIN_S = 15.0


class PathInfo(StrEnum):
    PASSED = "passed"
    DROPPED = "dropped"  # PHP runs, without it
    NOT_PASSED = "not_passed"  # something else answers than PHP's script
    UNKNOWN = "unknown"


class _ReasonJson(msgspec.Struct):
    status: int
    reason: str


_REASON = msgspec.json.Decoder(_ReasonJson)


def path_info_of(http: GuardedSession, base_url: str, course_id: int) -> PathInfo:
    """One GET without a token, which Moodle refuses in different words. Measured at Moodle 4.5.6 behind six
    configurations of nginx. Raises Unreachable, AddressRefused, MalformedAnswer."""
    address = f"{base_url.rstrip('/')}/mod/lti/services.php/{course_id}/lineitems?type_id=1"
    return _judge(http.get(address, headers={"Accept": MEDIA_TYPE_LINE_ITEMS}, within_s=WITHIN_S))


def _judge(answer: Answer) -> PathInfo:
    if answer.status == 429 or answer.status >= 500:
        return PathInfo.UNKNOWN
    try:
        refusal = _REASON.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return PathInfo.NOT_PASSED
    if refusal.status == 401:
        return PathInfo.PASSED
    # Two blanks: no path between the words and the media type.
    if refusal.status == 405 or refusal.reason.startswith("No handler found for  "):
        return PathInfo.DROPPED
    return PathInfo.UNKNOWN
