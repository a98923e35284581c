"""Our keys, which all LMSs read, and the keys of one LMS."""

from dataclasses import dataclass
from functools import partial

import msgspec
from flask import Blueprint, Response, abort

from lms.tool_keys import NoToolKey, rotate_tool_key
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import platform_or_404
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.database import Connection
from series.store.keys import WrongEncryptionKey, cached_key_set, tool_keys
from series.tool_keys import KeyState, NextKeyWaits, ToolKey, key_state, plan_quiet_rotation

gettext = WORDS.gettext
blueprint = Blueprint("lms_keys", __name__, url_prefix="/admin/lms/<slug>/<platform>/keys")


class _KeySet(msgspec.Struct):
    keys: list[msgspec.Raw]


_KEY_SET = msgspec.json.Decoder(_KeySet)


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    kid: str
    state: str


@dataclass(frozen=True, kw_only=True)
class OurKeys:
    """`can_rotate`: no next key waits, and none of an earlier rotation is still published."""

    lines: list[KeyLine]
    can_rotate: bool


@dataclass(frozen=True, kw_only=True)
class TheirKeys:
    """`fetched`: when the keys at hand were read; None: never."""

    fetched: str | None
    number: int


@blueprint.post("/rotate")
@with_staff
def rotate(staff: Staff, slug: str, platform: str) -> Response:
    """In time: the next key signs a day from now, and the present one is published for a week more."""
    check_form("rotate-keys")
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.read() as connection:
        platform_or_404(connection, staff, slug, platform, Action.EDIT_LMS)
    if not may(staff, Action.ROTATE_KEYS):
        abort(403)
    plan = partial(plan_quiet_rotation, now=now)
    try:
        kid, _ = rotate_tool_key(tool.database, plan, encryption_key=tool.settings.encryption_key, now=now)
    except NextKeyWaits:  # somebody else was faster
        return go_to(f"/admin/lms/{slug}/{platform}/?saved=waits#keys")
    except NoToolKey:
        abort(409)
    with tool.database.write() as connection:
        append_audit(connection, actor=who(staff), action="rotate_keys", thing=f"key {kid}", now=now)
    return go_to(f"/admin/lms/{slug}/{platform}/?saved=rotated#keys")


def key_lines(connection: Connection, zone: str) -> OurKeys | None:
    """None: they cannot be read with our encryption key."""
    now = the_tool().clock.now()
    try:
        keys = tool_keys(connection, encryption_key=the_tool().settings.encryption_key)
    except WrongEncryptionKey:
        return None
    states = [key_state(key, keys, now) for key in keys]
    lines = [KeyLine(kid=key.kid, state=_in_words(key, state, zone)) for key, state in zip(keys, states, strict=True)]
    return OurKeys(lines=lines, can_rotate=set(states) - {KeyState.RETIRED} == {KeyState.SIGNING})


def platform_keys(connection: Connection, platform_id: int, zone: str) -> TheirKeys:
    cached = cached_key_set(connection, platform_id)
    if cached is None or cached.key_set is None:
        return TheirKeys(fetched=None, number=0)
    return TheirKeys(
        fetched=moment(cached.fetched_at, zone) if cached.fetched_at else None,
        number=len(_KEY_SET.decode(cached.key_set).keys),
    )


def _in_words(key: ToolKey, state: KeyState, zone: str) -> str:
    retires = moment(key.retires_at, zone) if key.retires_at else "–"
    return {
        KeyState.NEXT: gettext("published; signs from %(when)s on", when=moment(key.signs_from, zone)),
        KeyState.SIGNING: gettext("signs now"),
        KeyState.RETIRING: gettext("replaced; published until %(when)s", when=retires),
        KeyState.RETIRED: gettext("not published since %(when)s", when=retires),
    }[state]
