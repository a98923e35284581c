"""The part of a check that makes an event in a course's calendar, changes it, finds it and deletes it.

Students do not see it, and nothing is left behind: what a check that was stopped has left, the next one deletes.
"""

import html
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lms.errors import LmsError, NotAllowed
from lms.moodle_events import CalendarEvent, EventDraft, EventProblem
from moodle_sync.checking import Findings
from moodle_sync.services import Services
from series.checks import Code
from series.store.check_facts import KnownCourse
from series.store.schema import installation_id

A_WHILE = timedelta(days=400)


def check_calendar(services: Services, found: Findings, course: KnownCourse, starts_at: datetime | None) -> bool:
    """Whether the account may open the course at all."""
    now = services.clock.now()
    with services.database.read() as connection:
        marker = marker_of(services.settings.public_url, installation_id(connection))
    base_at = max(now, starts_at or now)
    try:
        there = found.access.moodle.calendar_events(
            course.moodle_course_id, from_at=now - A_WHILE, to_at=base_at + A_WHILE
        )
    except NotAllowed as error:
        found.refused(error, Code.COURSE_OPEN, course)
        return False
    found.ok(Code.COURSE_OPEN, course)
    left = left_over(there, marker=marker, user_ids=found.access.connection.own_user_ids)
    draft = EventDraft(
        course_id=course.moodle_course_id,
        name="Shared Sessions: a trial that deletes itself",
        description=f'<p><a href="{html.escape(marker)}">Students do not see this event.</a></p>',
        start_at=_in_month(base_at, 1),
        duration_minutes=30,
        is_hidden=True,
    )
    _try_out(found, course, draft, left)
    return True


def marker_of(public_url: str, installation: str) -> str:
    """A link, because Moodle keeps those; another one than that of a session's event."""
    return f"{public_url}/?check={installation}"


def left_over(events: Iterable[CalendarEvent], *, marker: str, user_ids: Collection[int]) -> list[int]:
    """Ids of our events from earlier checks. The host of the link does not matter: the tool may have moved."""
    query = marker.rpartition("/")[2]
    return [
        event.event_id
        for event in events
        if event.user_id in user_ids and f'/{query}"' in html.unescape(event.description)
    ]


def _try_out(found: Findings, course: KnownCourse, draft: EventDraft, left: list[int]) -> None:
    try:
        (made,) = found.access.moodle.create_calendar_events([draft])
    except NotAllowed as error:
        found.refused(error, Code.CALENDAR_WRITE, course)
        return
    if isinstance(made, EventProblem):
        case = "right" if made.code == "nopermissions" else ""
        found.gap(Code.CALENDAR_WRITE, course, reason=made.sentence, case=case)
        found.skipped(Code.CALENDAR_CHANGE, course)
        return
    found.ok(Code.CALENDAR_WRITE, course)
    try:
        _change(found, course, made, draft)
        _find(found, course, made, draft)
    finally:
        _delete(found, course, [made, *left])


def _change(found: Findings, course: KnownCourse, event_id: int, draft: EventDraft) -> None:
    """In winter and in summer: London's time is UTC in one of them."""
    moodle = found.access.moodle
    summer = replace(draft, start_at=_in_month(draft.start_at, 7))
    try:
        offsets = [moodle.time_zone_offset(event_id, one) for one in (summer, draft)]
    except LmsError as error:
        found.refused(error, Code.CALENDAR_CHANGE, course)
        found.skipped(Code.CALENDAR_ZONE, course)
        return
    found.ok(Code.CALENDAR_CHANGE, course)
    (found.gap if any(offsets) else found.ok)(Code.CALENDAR_ZONE, course)


def _find(found: Findings, course: KnownCourse, event_id: int, draft: EventDraft) -> None:
    day = timedelta(days=2)  # it is where the account's time zone has put it
    there = found.access.moodle.calendar_events(
        course.moodle_course_id, from_at=draft.start_at - day, to_at=draft.start_at + day
    )
    is_there = any(event.event_id == event_id for event in there)
    (found.ok if is_there else found.gap)(Code.CALENDAR_LIST, course)


def _delete(found: Findings, course: KnownCourse, event_ids: list[int]) -> None:
    moodle = found.access.moodle
    try:
        moodle.delete_calendar_events(event_ids)
        are_gone = not moodle.calendar_events_by_ids(event_ids)
    except LmsError as error:
        if error.of_platform:
            raise
        are_gone = False
    (found.ok if are_gone else found.gap)(Code.CALENDAR_DELETE, course)


def _in_month(after: datetime, month: int) -> datetime:
    """Noon of the next 15th of this month."""
    day = after.astimezone(UTC).replace(month=month, day=15, hour=12, minute=0, second=0, microsecond=0)
    return day if day > after else day.replace(year=day.year + 1)
