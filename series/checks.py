"""What the check of a connected Moodle found, one thing after the other; kept as JSON."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec


class Outcome(StrEnum):
    OK = "ok"
    GAP = "gap"  # something does not work, and somebody at the university has to change a setting
    UNKNOWN = "unknown"  # it could not be tried, or is worth a look
    SKIPPED = "skipped"  # it needs what is missing already, or what is not there


SIGNS = {Outcome.OK: "✓", Outcome.GAP: "✗", Outcome.UNKNOWN: "?", Outcome.SKIPPED: "-"}  # in a terminal


class Code(StrEnum):
    """What is checked. In the order in which it is."""

    SITE = "site"  # it answers
    TOKEN = "token"  # noqa: S105 - and knows our token
    ADDRESS = "address"  # its own name for itself
    FUNCTIONS = "functions"
    RELEASE = "release"
    CLOCK = "clock"
    LTI_SERVICES = "lti_services"
    NO_COURSE = "no_course"
    COURSE = "course"  # something else went wrong there
    COURSE_SEEN = "course_seen"
    COURSE_OPEN = "course_open"
    COURSE_START = "course_start"
    COURSE_COMPLETION = "course_completion"
    CALENDAR_WRITE = "calendar_write"
    CALENDAR_CHANGE = "calendar_change"
    CALENDAR_ZONE = "calendar_zone"
    CALENDAR_LIST = "calendar_list"
    CALENDAR_DELETE = "calendar_delete"
    PEOPLE = "people"
    ACTIVITIES = "activities"
    ACTIVITY_GONE = "activity_gone"
    ACTIVITY_UNTRACKED = "activity_untracked"
    COMPLETION = "completion"
    BATCHING = "batching"
    ACTIVITY_UNSEEN = "activity_unseen"
    FORUM = "forum"
    FORUM_SHOWN = "forum_shown"
    FORUM_POST = "forum_post"
    RIGHTS = "rights"  # which capabilities have shown in all this


CodeOf = TypeVar("CodeOf", bound=StrEnum)


class CheckOf(msgspec.Struct, Generic[CodeOf], frozen=True, kw_only=True, omit_defaults=True):
    """`facts`: what its sentences name, by the names that their words use; `course`, where it is about one.
    `ms`: how long it took, with our own waits. `at`: when, where a single check may be later than the others."""

    code: CodeOf
    outcome: Outcome
    facts: dict[str, str | int] = {}
    ms: int = 0
    at: datetime | None = None


Check = CheckOf[Code]


_CHECKS = msgspec.json.Decoder(list[Check])


def encode_checks(checks: Iterable[CheckOf[Any]]) -> str:
    return msgspec.json.encode(list(checks)).decode()


def decode_checks(text: str | None) -> list[Check]:
    """None, before the first check: an empty list. So is what another version has written and this one cannot read."""
    try:
        return _CHECKS.decode(text) if text else []
    except msgspec.MsgspecError:
        return []


def gap_key(gap: CheckOf[Any]) -> str:
    """The same as long as it is about the same thing, in whatever words."""
    return f"{gap.code} {gap.facts.get('course_id', '')}".strip()


def gaps_of(checks: Iterable[CheckOf[CodeOf]]) -> list[CheckOf[CodeOf]]:
    return [check for check in checks if check.outcome is Outcome.GAP]
