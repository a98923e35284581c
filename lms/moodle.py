"""A partner's Moodle, through its web services."""

import html
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from lms.errors import MalformedAnswer, NotAllowed, Refused
from lms.guarded import MEGABYTE, GuardedSession
from lms.moodle_events import (
    CalendarEvent,
    EventDraft,
    EventProblem,
    EventsJson,
    create_fields,
    outcomes,
    update_form,
)
from lms.moodle_protocol import Function, check_answer, form_fields

MAX_EVENTS_PER_CALL = 50  # 9 fields each: PHP's max_input_vars (1000 on Debian) cuts a longer form off without a word
MAX_BYTES = 5 * MEGABYTE
_NO_LISTING = 2_147_483_000  # a start this far ahead keeps the listing of other events out of a call by ids
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SiteInfo:
    """What Moodle says about itself and our token. `user_id` is our service account's."""

    site_name: str
    site_url: str
    release: str
    user_id: int
    functions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Course:
    course_id: int
    shortname: str
    fullname: str


class _NameJson(msgspec.Struct):
    name: str


class _SiteInfoJson(msgspec.Struct):
    sitename: str
    siteurl: str
    userid: int
    functions: list[_NameJson]
    release: str = ""


class _CourseJson(msgspec.Struct):
    id: int
    shortname: str
    fullname: str


class _CoursesJson(msgspec.Struct):
    courses: list[_CourseJson]


class _StartJson(msgspec.Struct):
    timestart: int


class _FormAnswerJson(msgspec.Struct):
    event: _StartJson | None = None
    validationerror: bool = False


def _reader(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind, strict=False)  # PHP writes some numbers as strings


_SITE_INFO, _COURSES, _EVENTS = _reader(_SiteInfoJson), _reader(_CoursesJson), _reader(EventsJson)
_FORM_ANSWER, _NOTHING = _reader(_FormAnswerJson), _reader(type(None))


@dataclass(frozen=True)
class Moodle:
    """One Moodle site (`base_url` is its wwwroot, with a path if it has one) as our service account sees it.

    Every method raises kinds of LmsError: Unreachable, TryLater and MalformedAnswer pass by themselves; NotAllowed,
    NotFound and Refused need a person.
    """

    http: GuardedSession = field(repr=False)
    base_url: str
    token: str = field(repr=False)
    before_call: Callable[[], None] = field(default=lambda: None, repr=False, kw_only=True)

    def site_info(self) -> SiteInfo:
        info = self._call(Function.GET_SITE_INFO, {}, _SITE_INFO)
        return SiteInfo(
            site_name=html.unescape(info.sitename),
            site_url=info.siteurl,
            release=info.release,
            user_id=info.userid,
            functions=frozenset(function.name for function in info.functions),
        )

    def courses_by_field(self, name: str, value: str | int) -> tuple[Course, ...]:
        """Courses whose field (id, ids, shortname, idnumber, category) has this value; often one, or none."""
        found = self._call(Function.GET_COURSES_BY_FIELD, {"field": name, "value": value}, _COURSES)
        return tuple(
            Course(course_id=c.id, shortname=html.unescape(c.shortname), fullname=html.unescape(c.fullname))
            for c in found.courses
        )

    def create_calendar_events(self, drafts: Sequence[EventDraft]) -> Iterator[int | EventProblem]:
        """The id of each draft's event, in order, or why there is none. Lazy: sends 50 at a time while it is read, so
        that what one call has made is known when the next one fails. One bad course makes a whole call fail.

        Not to be repeated blindly: Moodle makes duplicates without complaint.
        """
        for start in range(0, len(drafts), MAX_EVENTS_PER_CALL):
            batch = list(drafts[start : start + MAX_EVENTS_PER_CALL])
            events = [create_fields(draft) for draft in batch]
            yield from outcomes(batch, self._call(Function.CREATE_CALENDAR_EVENTS, {"events": events}, _EVENTS))

    def calendar_events(self, course_id: int, *, from_at: datetime, to_at: datetime) -> tuple[CalendarEvent, ...]:
        """Events of the course that overlap the window; an account that is not enrolled sees its own and those that it
        may edit."""
        arguments = {
            "events": {"courseids": [course_id]},
            "options": {
                "userevents": 0,
                "siteevents": 0,
                "ignorehidden": 0,
                "timestart": int(from_at.timestamp()),
                "timeend": int(to_at.timestamp()),
            },
        }
        found = self._call(Function.GET_CALENDAR_EVENTS, arguments, _EVENTS)
        if any(warning.item == "course" for warning in found.warnings):
            # Moodle goes on and lists the account's other events, as if the course were empty.
            raise NotAllowed(
                "The service account cannot see this course, or there is no such course (any more).",
                status=200,
                reason="nopermissions",
            )
        return tuple(event.event() for event in found.events if event.courseid == course_id)

    def calendar_events_by_ids(self, event_ids: Collection[int]) -> tuple[CalendarEvent, ...]:
        """Those of the events that are still there and that we may see."""
        found: list[CalendarEvent] = []
        for batch in _batches(event_ids):
            options = {"userevents": 0, "siteevents": 0, "timestart": _NO_LISTING}
            arguments = {"events": {"eventids": batch}, "options": options}
            answer = self._call(Function.GET_CALENDAR_EVENTS, arguments, _EVENTS)
            found += [event.event() for event in answer.events if event.id in batch]
        return tuple(found)

    def update_calendar_event(self, event_id: int, draft: EventDraft) -> None:
        """Makes the event what the draft says; may be repeated. NotFound: somebody deleted it."""
        wanted_at = draft.start_at.astimezone(UTC)
        start_at = self._submit_form(event_id, draft, wanted_at)
        if start_at != wanted_at:
            # The account's profile is not set to UTC, in which we wrote: write in its own time.
            start_at = self._submit_form(event_id, draft, wanted_at - (start_at - wanted_at))
        if start_at != wanted_at:
            raise Refused(
                "Moodle put the event at another time: set the service account's time zone to UTC.",
                status=200,
                reason="timezone",
            )

    def delete_calendar_events(self, event_ids: Collection[int]) -> None:
        """Deletes those of the events that are still there; may be repeated. The caller has made sure that each is
        ours: Moodle would let us delete a teacher's, too."""
        for batch in _batches(event_ids):
            # Asked before: one missing event would undo the whole call.
            there = [event.event_id for event in self.calendar_events_by_ids(batch)]
            if there:
                events = [{"eventid": event_id, "repeat": 0} for event_id in there]
                self._call(Function.DELETE_CALENDAR_EVENTS, {"events": events}, _NOTHING)

    def _submit_form(self, event_id: int, draft: EventDraft, wall_clock: datetime) -> datetime:
        arguments = {"formdata": update_form(event_id, draft, wall_clock)}
        answer = self._call(Function.SUBMIT_CREATE_UPDATE_FORM, arguments, _FORM_ANSWER)
        if answer.validationerror or answer.event is None:
            raise Refused(
                "Moodle refused the change of an event without a reason: most often the event is before the start date"
                " of the course.",
                status=200,
                reason="validationerror",
            )
        return datetime.fromtimestamp(answer.event.timestart, UTC)

    def _call(self, function: Function, arguments: Mapping[str, Any], reader: msgspec.json.Decoder[T]) -> T:
        self.before_call()
        answer = self.http.post(
            f"{self.base_url.rstrip('/')}/webservice/rest/server.php",
            # The token goes into the body: a URL is written into access logs.
            data={
                "wstoken": self.token,
                "wsfunction": function,
                "moodlewsrestformat": "json",
                **form_fields(arguments),
            },
            max_bytes=MAX_BYTES,
        )
        check_answer(answer, function)  # an error has another shape than any answer, so it is looked for first
        try:
            return reader.decode(answer.body)
        except msgspec.ValidationError:
            raise MalformedAnswer(answer.host, "answered with data of another shape than Moodle's") from None


def _batches(event_ids: Collection[int]) -> Iterator[list[int]]:
    ids = sorted(set(event_ids))
    for start in range(0, len(ids), MAX_EVENTS_PER_CALL):
        yield ids[start : start + MAX_EVENTS_PER_CALL]
