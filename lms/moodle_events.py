"""Events of a Moodle course calendar as values: what we want there, and what we find."""

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from lms.moodle_service import Epoch

ANGLE = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"  # looks like <, and begins no tag
MAX_NAME_LENGTH = 255  # the column's; MariaDB takes more, PostgreSQL does not


@dataclass(frozen=True, kw_only=True)
class EventDraft:
    """An event as it should stand in a course. `description` is HTML, which Moodle cleans: links survive, comments,
    scripts and data attributes do not. Whole minutes only, because the form that changes events knows no others.
    `is_hidden`: students do not see it."""

    course_id: int
    name: str
    description: str
    start_at: datetime
    duration_minutes: int
    is_hidden: bool = False

    def __post_init__(self) -> None:
        if self.start_at.tzinfo is None or self.start_at.second or self.start_at.microsecond:
            raise ValueError("an event starts at a whole minute with a zone")
        if self.duration_minutes < 0:
            raise ValueError("an event does not end before it starts")


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """An event as Moodle has it. `name` without Moodle's HTML escapes; `description` is HTML as Moodle cleaned it;
    `user_id` is the account that made the event."""

    event_id: int
    course_id: int | None
    user_id: int
    name: str
    description: str
    start_at: datetime
    duration_s: int
    is_visible: bool = True


@dataclass(frozen=True, kw_only=True)
class EventProblem:
    """Why Moodle did not create one event of several. `code` is Moodle's, or `not_created` when it said nothing."""

    code: str
    sentence: str


class EventJson(msgspec.Struct):
    """The fields that we read of an event in Moodle's answers."""

    id: int
    name: str
    timestart: Epoch
    timeduration: int
    userid: int
    courseid: int | None = None
    description: str | None = None
    visible: int = 1

    def event(self) -> CalendarEvent:
        return CalendarEvent(
            event_id=self.id,
            course_id=self.courseid,
            user_id=self.userid,
            name=html.unescape(self.name),
            description=self.description or "",
            start_at=datetime.fromtimestamp(self.timestart, UTC),
            duration_s=self.timeduration,
            is_visible=self.visible != 0,
        )


class WarningJson(msgspec.Struct):
    """https://moodledev.io/docs/4.5/apis/subsystems/external/functions (external_warnings)"""

    warningcode: str
    item: str | None = None
    itemid: int | None = None


class EventsJson(msgspec.Struct):
    events: list[EventJson]
    warnings: list[WarningJson] = []


def safe_event_name(text: str) -> str:
    """`text` as Moodle takes it for a name: one line, at most 255 characters, nothing that PHP's strip_tags changes
    (it would refuse the whole call): "a < b" stays as it is, "<b>" does not."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    line = re.sub(r"<(?! )", ANGLE, line)
    return line if len(line) <= MAX_NAME_LENGTH else line[: MAX_NAME_LENGTH - 1].rstrip() + "…"


def create_fields(draft: EventDraft) -> dict[str, str | int]:
    """One event of core_calendar_create_calendar_events. Any other key, `location` and `uuid` too, is refused."""
    return {
        "name": safe_event_name(draft.name),
        "description": draft.description,
        "format": 1,
        "courseid": draft.course_id,
        "eventtype": "course",
        "timestart": int(draft.start_at.timestamp()),
        "timeduration": draft.duration_minutes * 60,
        "visible": 0 if draft.is_hidden else 1,
    }


def update_form(event_id: int, draft: EventDraft, wall_clock: datetime) -> str:
    """The `formdata` of core_calendar_submit_create_update_form. `wall_clock` is read in the account's own time zone.

    Every field is sent: a missing minute becomes the present minute, a missing duration 0, a missing `_qf__…` an error
    without a reason.
    """
    return urlencode(
        {
            "id": event_id,
            "eventtype": "course",
            "courseid": draft.course_id,
            "name": safe_event_name(draft.name),
            "timestart[year]": wall_clock.year,
            "timestart[month]": wall_clock.month,
            "timestart[day]": wall_clock.day,
            "timestart[hour]": wall_clock.hour,
            "timestart[minute]": wall_clock.minute,
            "description[text]": draft.description,
            "description[format]": 1,
            "description[itemid]": 0,
            "duration": 2,  # "in minutes", as against "until" and "without"
            "timedurationminutes": draft.duration_minutes,
            "visible": 0 if draft.is_hidden else 1,
            "instance": 0,
            "modulename": "",
            "repeatid": 0,
            "_qf__core_calendar_local_event_forms_update": 1,
        }
    )


def outcomes(drafts: list[EventDraft], answer: EventsJson) -> list[int | EventProblem]:
    """For each draft the id of its event, or why there is none: Moodle answers with the created ones alone, and counts
    no losses when PHP cuts a long form off."""
    created = list(answer.events)
    result: list[int | EventProblem] = []
    for draft in drafts:
        event = next((event for event in created if _is_of(event, draft)), None)
        if event is None:
            result.append(_problem(draft, answer.warnings))
        else:
            created.remove(event)
            result.append(event.id)
    return result


def _is_of(event: EventJson, draft: EventDraft) -> bool:
    starts_then = datetime.fromtimestamp(event.timestart, UTC) - draft.start_at == timedelta(0)
    return starts_then and html.unescape(event.name) == html.unescape(safe_event_name(draft.name))


def _problem(draft: EventDraft, warnings: list[WarningJson]) -> EventProblem:
    name = safe_event_name(draft.name)
    code = next((w.warningcode for w in warnings if html.unescape(w.item or "") == html.unescape(name)), "not_created")
    if code == "nopermissions":
        return EventProblem(
            code=code,
            sentence="The service account may not write into this course's calendar: it needs"
            " moodle/calendar:manageentries there.",
        )
    return EventProblem(code=code, sentence="Moodle did not create this event and does not say why.")
