"""Of a pre-flight, what needs no token: the addresses of both sides, and the LMS's clock."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from lms.errors import AddressRefused, LmsError
from lms.guarded import Answer
from lms.platform_keys import KEY_SET_MAX_BYTES, published_keys
from lms.preflight_findings import CALL_S, Findings
from series.preflight import Code

WARN_OVER, LAUNCHES_FAIL_OVER = timedelta(seconds=30), timedelta(seconds=60)


class _OurKey(msgspec.Struct):
    kid: str


class _OurKeySet(msgspec.Struct):
    keys: list[_OurKey]


_OUR_KEY_SET = msgspec.json.Decoder(_OurKeySet)


def look_at_keys(found: Findings, save: Callable[[str], None]) -> None:
    """`save`: the keys for the launches to come, as after any other fetch."""
    try:
        keys = published_keys(found.http, found.row.jwks_uri)
    except LmsError as error:
        found.failed(Code.LMS_KEYS, error)
        return
    found.hear_time(keys.sent_at)
    save(keys.usable)
    if keys.doubles:
        found.gap(Code.LMS_KEYS, case="doubles")
    elif keys.good:
        found.ok(Code.LMS_KEYS, keys=keys.good)
    elif keys.short:
        found.gap(Code.LMS_KEYS, case="short")
    else:
        found.gap(Code.LMS_KEYS, case="none", published=keys.published)


def look_at_login(found: Findings) -> None:
    """A plain GET of where browsers are sent; without a login's parameters every LMS refuses it, each in another way.
    Moodle's page of errors has the status 404."""
    has_launched = found.facts.launched_at is not None
    try:
        answer = found.http.get(found.row.authorization_endpoint, within_s=CALL_S)
    except LmsError as error:
        if has_launched:  # browsers get there
            found.unknown(Code.LOGIN, case="unreachable", reason=str(error))
        else:
            found.failed(Code.LOGIN, error)
        return
    found.hear_time(answer.sent_at)
    is_odd = answer.status >= 500 or (answer.status in {404, 410} and found.row.product != "moodle")
    if is_odd and not has_launched:
        found.unknown(Code.LOGIN, status=answer.status)
    else:
        found.ok(Code.LOGIN)


def look_at_clock(found: Findings) -> None:
    ahead = found.clock_ahead
    if ahead is None:
        found.unknown(Code.CLOCK)
        return
    seconds = abs(round(ahead.total_seconds()))
    case = "ahead" if ahead > timedelta() else "behind"
    if abs(ahead) > LAUNCHES_FAIL_OVER:
        found.gap(Code.CLOCK, seconds=seconds, case=case)
    elif abs(ahead) > WARN_OVER:
        found.unknown(Code.CLOCK, seconds=seconds, case=case)
    else:
        found.ok(Code.CLOCK, seconds=seconds)


def look_at_our_keys(found: Findings) -> None:
    """Our own key set, as an LMS reads it. What cannot be called from here may be reached from there all the same."""
    url = f"{found.setting.public_url}/lti/jwks.json"
    try:
        answer = found.http.get(url, max_bytes=KEY_SET_MAX_BYTES, within_s=CALL_S)
    except AddressRefused:
        found.unknown(Code.OUR_KEYS, case="not_from_here", url=url)
        return
    except LmsError as error:
        found.unknown(Code.OUR_KEYS, reason=str(error), url=url)
        return
    if not found.setting.our_kids <= _kids(answer):
        found.gap(Code.OUR_KEYS, url=url)
    else:
        found.ok(Code.OUR_KEYS, url=url)


def _kids(answer: Answer) -> frozenset[str]:
    if not answer.ok:
        return frozenset()
    try:
        return frozenset(key.kid for key in _OUR_KEY_SET.decode(answer.body).keys)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return frozenset()
