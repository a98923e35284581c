"""Values of one's own data in words, for the page and the PDF; the file for machines has them as they are."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import LazyString, lazy_gettext

from lti_tool.pages.my_data_actions import BY_ONESELF, BY_OTHERS
from lti_tool.pages.my_data_words import ROLES
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.own_data import Value

_KINDS: Mapping[str, LazyString] = {
    "code": lazy_gettext("Checked in with the code"),
    "live": lazy_gettext("Present in the meeting"),
    "recording": lazy_gettext("Recording watched"),
    "reflection": lazy_gettext("Reflection handed in"),
    "approval": lazy_gettext("Confirmed by a person"),
    "lms": lazy_gettext("Done in your course"),
    "excused": lazy_gettext("Excused"),
}
_STATES: Mapping[str, LazyString] = {
    "draft": lazy_gettext("draft"),
    "handed_in": lazy_gettext("handed in"),
    "returned": lazy_gettext("returned to you"),
    "due": lazy_gettext("on its way"),
    "delivered": lazy_gettext("sent"),
    "failed": lazy_gettext("could not be sent"),
    "superseded": lazy_gettext("not sent, or replaced by a newer one"),
    "unaddressed": lazy_gettext("waits"),
    "waiting": lazy_gettext("waits"),
    "confirmed": lazy_gettext("confirmed"),
    "refused": lazy_gettext("refused"),
}
_TAKEN_BACK: Mapping[str, LazyString] = {
    "waits": lazy_gettext("yes; a teacher of your course decides"),
    "stays": lazy_gettext("yes; a teacher of your course has said that it stays"),
}
_OF_COLUMN = {
    "by": ROLES,
    "action": BY_OTHERS,
    "own action": BY_ONESELF,
    "kind": _KINDS,
    "state": _STATES,
    "taken_back": _TAKEN_BACK,
}


def value_words(name: str, value: Value, zone: str) -> str:
    """`name`: of the column; “own action” for what the reader has done. Instants on the reader's clock; what has no
    words of its own as it is."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return WORDS.gettext("yes") if value else WORDS.gettext("no")
    if isinstance(value, datetime):
        return moment(value, zone)
    known = _OF_COLUMN.get(name, {}).get(str(value))
    return str(known) if known is not None else _as_it_is(name, str(value))


def _as_it_is(name: str, value: str) -> str:
    return value.replace("_", " ") if name in {"action", "own action", "source", "used_as", "role"} else value
