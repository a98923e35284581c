"""Values of one's own data in words, for the page and the PDF; the file for machines has them as they are."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import LazyString, lazy_gettext

from lti_tool.pages.my_data_words import ROLES
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.own_data import Value

ACTIONS: Mapping[str, LazyString] = {
    "see_person": lazy_gettext("looked at what is recorded for you"),
    "see_course": lazy_gettext("looked at the list of your course"),
    "see_inbox": lazy_gettext("looked at the messages of your course"),
    "see_reflection": lazy_gettext("read a reflection of yours"),
    "see_held_completions": lazy_gettext("looked at what your Moodle takes back"),
    "confirm": lazy_gettext("confirmed that you took part"),
    "excuse": lazy_gettext("excused you"),
    "record_presence": lazy_gettext("entered that you were present"),
    "withdraw": lazy_gettext("withdrew something that was recorded"),
    "answer_objection": lazy_gettext("answered a message of yours"),
    "send_lower_grade": lazy_gettext("sent a lower grade"),
    "renew_feed_address": lazy_gettext("made a new calendar address"),
    "export_own_data": lazy_gettext("exported these data"),
    "export_person": lazy_gettext("exported these data for you"),
    "list_affected": lazy_gettext("listed whom a breach of security touches"),
    "object": lazy_gettext("objected"),
    "take_objection_back": lazy_gettext("took the objection back"),
    "make_transfer_code": lazy_gettext("made a code to move the progress"),
    "take_progress": lazy_gettext("moved progress to this account"),
    "give_progress": lazy_gettext("moved progress to another account"),
}
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
_OF_COLUMN = {"by": ROLES, "action": ACTIONS, "kind": _KINDS, "state": _STATES}


def value_words(name: str, value: Value, zone: str) -> str:
    """`name`: of the column. Instants on the reader's clock; what has no words of its own as it is."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return WORDS.gettext("yes") if value else WORDS.gettext("no")
    if isinstance(value, datetime):
        return moment(value, zone)
    known = _OF_COLUMN.get(name, {}).get(str(value))
    return str(known) if known is not None else _as_it_is(name, str(value))


def _as_it_is(name: str, value: str) -> str:
    return value.replace("_", " ") if name in {"action", "source", "used_as", "role"} else value
