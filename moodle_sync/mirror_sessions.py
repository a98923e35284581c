"""The sessions of the series into one university's course calendars."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lms.errors import LmsError, Refused
from lms.moodle_events import CalendarEvent, EventProblem
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.plan_mirrors import (
    Adoption,
    Plan,
    Target,
    Update,
    WantedEvent,
    find_marked,
    plan,
)
from moodle_sync.services import Services
from series.mirrors import Mirror
from series.store.mirrors import (
    MirroredCourse,
    drop_mirror,
    mirrored_courses,
    mirrors_of,
    save_mirror,
)
from series.store.moodle_connections import MoodleConnection
from series.store.schema import installation_id
from series.store.sessions import sessions_of

A_WHILE = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class CoursePlan:
    """What one course needs. Nothing is called while it is made."""

    course: MirroredCourse
    target: Target
    plan: Plan


def plan_university(services: Services, connection: MoodleConnection) -> list[CoursePlan]:
    """The plan of every course of the university, empty ones too."""
    now = services.clock.now()
    with services.database.read() as reading:
        installation = installation_id(reading)
        plans = []
        for course in mirrored_courses(reading, connection.university_id):
            sessions = [s for series_id in course.series_ids for s in sessions_of(reading, series_id)]
            mirrors = mirrors_of(reading, course.course_id)
            target = Target(
                course_id=course.moodle_course_id,
                public_url=services.settings.public_url,
                installation_id=installation,
            )
            planned = plan(sessions, mirrors, target=target, now=now)
            plans.append(CoursePlan(course=course, target=target, plan=planned))
    return plans


def mirror(services: Services, access: MoodleAccess) -> None:
    """Bring one university's course calendars up to date: no call where nothing has changed. One course's trouble
    leaves the others alone. Raises an LmsError of the whole site."""
    for course_plan in plan_university(services, access.connection):
        if course_plan.plan.is_empty:
            continue
        try:
            _Applying(services, access, course_plan).apply()
        except LmsError as error:
            if error.of_platform:
                raise
            access.problems.append(f"Course {course_plan.course.moodle_course_id}: {error}")


class _Applying:
    """One course's plan on its way into Moodle. What each call did is noted before the next one."""

    def __init__(self, services: Services, access: MoodleAccess, course_plan: CoursePlan) -> None:
        self.services = services
        self.moodle = access.moodle
        self.moodle_user_id = access.connection.moodle_user_id
        self.course_id = course_plan.course.course_id
        self.target = course_plan.target
        self.plan = course_plan.plan
        self.done = access

    def apply(self) -> None:
        to_create = list(self.plan.create)
        to_create += self._adopt(self.plan.adopt)
        to_create += self._update(self.plan.update)
        self._delete(self.plan.delete)
        self._create(to_create)

    def _adopt(self, adoptions: tuple[Adoption, ...]) -> list[WantedEvent]:
        """Events whose creation was begun: taken over where they are found by our marker; else to be created."""
        if not adoptions:
            return []
        marked = self._marked_events([adoption.wanted.draft.start_at for adoption in adoptions])
        missing = []
        for adoption in adoptions:
            found = marked.get(adoption.wanted.session_id)
            if found:
                self._make_right(found[0].event_id, adoption.wanted, "adopted")
                self.moodle.delete_calendar_events([double.event_id for double in found[1:]])
            elif adoption.create_if_missing:
                missing.append(adoption.wanted)
            else:
                self._forget(adoption.wanted)
        return missing

    def _update(self, updates: tuple[Update, ...]) -> list[WantedEvent]:
        """Only events that are still ours are changed; those that somebody deleted are to be created again."""
        if not updates:
            return []
        ours = self._ours([update.event_id for update in updates])
        gone = []
        for update in updates:
            if update.event_id in ours:
                self._make_right(update.event_id, update.wanted, "updated")
            elif update.create_if_missing:
                gone.append(update.wanted)
            else:
                self._forget(update.wanted)
        return gone

    def _delete(self, mirrors: tuple[Mirror, ...]) -> None:
        known = [mirror.event_id for mirror in mirrors if mirror.event_id is not None]
        if known:
            self.moodle.delete_calendar_events(self._ours(known))
        unknown = {mirror.session_id for mirror in mirrors if mirror.event_id is None}
        if unknown:
            marked = self._marked_events([self.services.clock.now()])
            events = [event for session_id in unknown for event in marked.get(session_id, [])]
            self.moodle.delete_calendar_events([event.event_id for event in events])
        for mirror in mirrors:
            with self.services.database.write() as connection:
                drop_mirror(connection, course_id=self.course_id, session_id=mirror.session_id)
            self.done.counts["deleted"] += 1

    def _create(self, wanted: list[WantedEvent]) -> None:
        """The intention is noted first: if we are stopped between the call and the note of its answer, the next run
        looks for our marker before it creates anything."""
        for event in wanted:
            self._note(event, None)
        drafts = [event.draft for event in wanted]
        for event, outcome in zip(wanted, self.moodle.create_calendar_events(drafts), strict=True):
            if isinstance(outcome, EventProblem):
                self._forget(event)
                self.done.problems.append(f"“{event.draft.name}”: {outcome.sentence}")
            else:
                self._note(event, outcome)
                self.done.counts["created"] += 1

    def _make_right(self, event_id: int, wanted: WantedEvent, what: str) -> None:
        try:
            self.moodle.update_calendar_event(event_id, wanted.draft)
        except Refused as refused:  # this event alone; the next run tries again
            self.done.problems.append(f"“{wanted.draft.name}”: {refused}")
            return
        self._note(wanted, event_id)
        self.done.counts[what] += 1

    def _note(self, wanted: WantedEvent, event_id: int | None) -> None:
        now = self.services.clock.now()
        with self.services.database.write() as connection:
            save_mirror(
                connection,
                course_id=self.course_id,
                session_id=wanted.session_id,
                event_id=event_id,
                fingerprint=wanted.fingerprint,
                now=now,
            )

    def _forget(self, wanted: WantedEvent) -> None:
        with self.services.database.write() as connection:
            drop_mirror(connection, course_id=self.course_id, session_id=wanted.session_id)

    def _ours(self, event_ids: list[int]) -> set[int]:
        """Those that are there, carry our marker and were made by our account; Moodle would let us touch others."""
        there = self.moodle.calendar_events_by_ids(event_ids)
        marked = find_marked(there, installation_id=self.target.installation_id, user_id=self.moodle_user_id)
        return {event.event_id for events in marked.values() for event in events}

    def _marked_events(self, starts: list[datetime]) -> dict[UUID, list[CalendarEvent]]:
        there = self.moodle.calendar_events(
            self.target.course_id, from_at=min(starts) - A_WHILE, to_at=max(starts) + A_WHILE
        )
        return find_marked(there, installation_id=self.target.installation_id, user_id=self.moodle_user_id)
