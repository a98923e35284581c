"""A partner's Moodle, through its web services."""

import html
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from lms.errors import NotAllowed, Refused
from lms.moodle_completions import CompletionCalls
from lms.moodle_course import CourseCalls
from lms.moodle_events import (
    CalendarEvent,
    EventDraft,
    EventProblem,
    EventsJson,
    create_fields,
    outcomes,
    update_form,
)
from lms.moodle_forum import ForumCalls
from lms.moodle_protocol import Function
from lms.moodle_service import Epoch, instant, reader
from series.moodle_typed import FRONT_PAGE

MAX_EVENTS_PER_CALL = 50  # 9 fields each: PHP's max_input_vars (1000 on Debian) cuts a longer form off without a word
MAX_COURSES = 500  # more than a person picks from
_NO_LISTING = 2_147_483_000  # a start this far ahead keeps the listing of other events out of a call by ids


@dataclass(frozen=True, kw_only=True)
class SiteInfo:
    """What Moodle says about itself and our token. `user_id` is our service account's; `release` is for people ("4.5.6
    (Build: …)"), `version` a date and a number (2024100706); `server_at` is Moodle's clock, if it shows one."""

    site_name: str
    site_url: str
    release: str
    user_id: int
    functions: frozenset[str]
    version: str = ""
    server_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """`starts_at`: no event can be changed to before it. `is_open`: the account may go in; of another course it is told
    the names alone."""

    course_id: int
    shortname: str
    fullname: str
    starts_at: datetime | None = None
    tracks_completion: bool = False
    is_open: bool = True


class _NameJson(msgspec.Struct):
    name: str


class _SiteInfoJson(msgspec.Struct):
    sitename: str
    siteurl: str
    userid: int
    functions: list[_NameJson]
    release: str = ""
    version: str = ""


class _CourseJson(msgspec.Struct):
    id: int
    shortname: str
    fullname: str
    startdate: Epoch | None = None  # absent from a course that the account may not open
    enablecompletion: int = 0

    def course(self) -> Course:
        return Course(
            course_id=self.id,
            shortname=html.unescape(self.shortname),
            fullname=html.unescape(self.fullname),
            starts_at=instant(self.startdate or 0),
            tracks_completion=self.enablecompletion != 0,
            is_open=self.startdate is not None,
        )


class _CoursesJson(msgspec.Struct):
    courses: list[_CourseJson]


class _StartJson(msgspec.Struct):
    timestart: Epoch


class _FormAnswerJson(msgspec.Struct):
    event: _StartJson | None = None
    validationerror: bool = False


_SITE_INFO, _COURSES, _EVENTS = reader(_SiteInfoJson), reader(_CoursesJson), reader(EventsJson)
_FORM_ANSWER, _NOTHING = reader(_FormAnswerJson), reader(type(None))


class Moodle(CourseCalls, CompletionCalls, ForumCalls):
    """One Moodle site (`base_url` is its wwwroot, with a path if it has one) as our service account sees it.

    Every method raises kinds of LmsError: Unreachable, TryLater and MalformedAnswer pass by themselves; NotAllowed,
    NotFound and Refused need a person.
    """

    def site_info(self) -> SiteInfo:
        answer = self.ask(Function.GET_SITE_INFO, {})
        info = self.read(answer.body, _SITE_INFO)
        return SiteInfo(
            site_name=html.unescape(info.sitename),
            site_url=info.siteurl,
            release=info.release,
            version=info.version,
            user_id=info.userid,
            functions=frozenset(function.name for function in info.functions),
            server_at=answer.sent_at,
        )

    def courses_by_field(self, name: str, value: str | int) -> tuple[Course, ...]:
        """Courses whose field (id, ids, shortname, idnumber, category) has this value; often one, or none. Some may be
        closed to the account."""
        found = self.call(Function.GET_COURSES_BY_FIELD, {"field": name, "value": value}, _COURSES)
        return tuple(course.course() for course in found.courses)

    def courses(self) -> tuple[Course, ...]:
        """Courses that the account may open, by name; of more than 500 the newest. Moodle goes through all courses of
        the site: at a very large one this may end as Unreachable or MalformedAnswer, and a person gives the number."""
        found = self.call(Function.GET_COURSES_BY_FIELD, {}, _COURSES)
        courses = (course.course() for course in found.courses if course.id != FRONT_PAGE)
        newest = sorted((course for course in courses if course.is_open), key=lambda course: -course.course_id)
        return tuple(sorted(newest[:MAX_COURSES], key=lambda course: (course.fullname.casefold(), course.course_id)))

    def create_calendar_events(self, drafts: Sequence[EventDraft]) -> Iterator[int | EventProblem]:
        """The id of each draft's event, in order, or why there is none. Lazy: sends 50 at a time while it is read, so
        that what one call has made is known when the next one fails. One bad course makes a whole call fail.

        Not to be repeated blindly: Moodle makes duplicates without complaint.
        """
        for start in range(0, len(drafts), MAX_EVENTS_PER_CALL):
            batch = list(drafts[start : start + MAX_EVENTS_PER_CALL])
            events = [create_fields(draft) for draft in batch]
            yield from outcomes(batch, self.call(Function.CREATE_CALENDAR_EVENTS, {"events": events}, _EVENTS))

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
        found = self.call(Function.GET_CALENDAR_EVENTS, arguments, _EVENTS)
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
            answer = self.call(Function.GET_CALENDAR_EVENTS, arguments, _EVENTS)
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

    def time_zone_offset(self, event_id: int, draft: EventDraft) -> timedelta:
        """Makes the event what the draft says, but for its time where the account's profile is not set to UTC: how far
        ahead of UTC the profile's time zone is then."""
        wanted_at = draft.start_at.astimezone(UTC)
        return wanted_at - self._submit_form(event_id, draft, wanted_at)

    def delete_calendar_events(self, event_ids: Collection[int]) -> None:
        """Deletes those of the events that are still there; may be repeated. The caller has made sure that each is
        ours: Moodle would let us delete a teacher's, too."""
        for batch in _batches(event_ids):
            # Asked before: one missing event would undo the whole call.
            there = [event.event_id for event in self.calendar_events_by_ids(batch)]
            if there:
                events = [{"eventid": event_id, "repeat": 0} for event_id in there]
                self.call(Function.DELETE_CALENDAR_EVENTS, {"events": events}, _NOTHING)

    def _submit_form(self, event_id: int, draft: EventDraft, wall_clock: datetime) -> datetime:
        arguments = {"formdata": update_form(event_id, draft, wall_clock)}
        answer = self.call(Function.SUBMIT_CREATE_UPDATE_FORM, arguments, _FORM_ANSWER)
        if answer.validationerror or answer.event is None:
            raise Refused(
                "Moodle refused the change of an event without a reason: most often the event is before the start date"
                " of the course, or the service account lacks moodle/calendar:manageentries there.",
                status=200,
                reason="validationerror",
            )
        return datetime.fromtimestamp(answer.event.timestart, UTC)


def _batches(event_ids: Collection[int]) -> Iterator[list[int]]:
    ids = sorted(set(event_ids))
    for start in range(0, len(ids), MAX_EVENTS_PER_CALL):
        yield ids[start : start + MAX_EVENTS_PER_CALL]
