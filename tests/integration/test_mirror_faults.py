"""Any two versions of a series and any faults at any calls: the course equals the plan after the next sweep, with no
double, and what others have in its calendar is as it was.

`make attack` tries twenty times as many.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodle_sync.plan_mirrors import is_due, is_to_go
from sandbox_lms.calendar import Event
from series.moodle_jobs import LATE_EFFECT, MoodleJob
from series.sessions import Session, Status
from tests.databases import Databases
from tests.examples import SERIES, SESSION, moved
from tests.integration.faulty_course import OTHER_SERIES, FaultyCourse, open_course
from tests.integration.in_process_moodle import Fault

EXAMPLES = 1_600 if os.environ.get("ALL_ATTACKS") else 60
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WRITES = ("core_calendar_create_calendar_events", "core_calendar_submit_create_update_form", "core_calendar_delete")

# Sessions: one that is over, one that runs now, and two to come, the last of them of another series.
STARTS = {1: -3 * DAY, 2: timedelta(), 3: DAY, 4: 7 * DAY}
VERSIONS = ["absent", "planned", "cancelled"]
CHANGES = ["same", "same", "moved", "years away", "cancelled", "taken up", "retitled", "added"]
STEPS = [
    "mirror",
    "mirror",
    "mirror",
    "sweep",
    "change",
    "minutes",
    "quarter",
    "retime",
    "rename",
    "hide",
    "drop",
    "copy",
    "clock back",
]
BY_HAND = {"retime", "rename", "hide", "drop", "copy"}


@dataclass(frozen=True, kw_only=True)
class Story:
    versions: list[str]
    changes: list[str]
    shows_other: tuple[bool, bool]
    steps: list[str]
    faults: list[Fault | None]
    late_before: frozenset[int]


FAULTS = st.sampled_from([None, None, None, *Fault])
STORIES = st.builds(
    Story,
    versions=st.lists(st.sampled_from(VERSIONS), min_size=4, max_size=4),
    changes=st.lists(st.sampled_from(CHANGES), min_size=4, max_size=4),
    shows_other=st.tuples(st.booleans(), st.booleans()),
    steps=st.lists(st.sampled_from(STEPS), max_size=7),
    faults=st.lists(FAULTS, max_size=14),
    late_before=st.frozensets(st.integers(1, 20), max_size=4),
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[FaultyCourse]:
    structlog.configure(processors=[structlog.dev.ConsoleRenderer()], wrapper_class=structlog.BoundLogger)
    with databases.fresh("sqlite") as url, open_course(tmp_path_factory.mktemp("faulty"), url) as opened:
        yield opened


class Telling:
    """A story as it happens to the course."""

    def __init__(self, course: FaultyCourse, story: Story) -> None:
        self.course = course
        self.story = story
        self.is_changed = False
        self.sessions = {
            number: session
            for number, version in enumerate(story.versions, start=1)
            if (session := first_version(number, version)) is not None
        }

    def begin(self) -> None:
        course, story = self.course, self.story
        course.start_again()
        course.add_foreign(first_version(3, "planned") or SESSION)
        for session in self.sessions.values():
            course.add(session)
        course.show(SERIES)
        if story.shows_other[0]:
            course.show(OTHER_SERIES)
        course.moodle.faults, course.moodle.late_before = story.faults, story.late_before

    def go_on(self, step: str) -> None:
        if step in {"mirror", "sweep"}:
            self.course.run(MoodleJob(step))
        elif step == "change":
            self.change()
        elif step in {"minutes", "quarter"}:
            self.course.advance(timedelta(minutes=3 if step == "minutes" else 16))
        elif step == "clock back":
            self.course.put_clock_back(10 * HOUR)
        else:
            self.edit(step)

    def change(self) -> None:
        """The second version of the series, and of what the course shows."""
        if self.is_changed:
            return
        self.is_changed = True
        for number, change in enumerate(self.story.changes, start=1):
            before = self.sessions.get(number)
            after = second_version(number, before, change)
            if after is None or after == before:
                continue
            (self.course.change if before else self.course.add)(after)
            self.sessions[number] = after
        if self.story.shows_other[1]:
            self.course.show(OTHER_SERIES)
        else:
            self.course.hide(OTHER_SERIES)

    def edit(self, step: str) -> None:
        """Somebody at the university, the last of our events."""
        events = self.course.events()
        if events:
            last = events[-1]
            edits = {
                "retime": replace(last, timestart=last.timestart + 3600),
                "rename": replace(last, name="Room 7!"),
                "copy": replace(last, event_id=500),  # a course restored from a backup
                "hide": replace(last, visible=0, description="<p>Now in room 7.</p>" + last.description),
            }
            self.course.edit(edits[step]) if step in edits else self.course.remove(last)

    def end(self) -> None:
        """No more faults."""
        self.change()
        self.course.moodle.faults = ()

    def has_doubles(self) -> bool:
        return any(len(self.course.events_of(session)) > 1 for session in self.sessions.values())

    def shown(self) -> list[Session]:
        with_other = self.story.shows_other[1]
        return [one for one in self.sessions.values() if with_other or one.series_id == SERIES.series_id]


def first_version(number: int, version: str) -> Session | None:
    if version == "absent":
        return None
    return replace(
        moved(SESSION, STARTS[number]),
        session_id=UUID(int=SESSION.session_id.int + number),
        series_id=(OTHER_SERIES if number == 4 else SERIES).series_id,
        title=f"Week {number} <b> & more",
        status=Status.CANCELLED if version == "cancelled" else Status.PLANNED,
    )


def second_version(number: int, before: Session | None, change: str) -> Session | None:
    if before is None:
        return first_version(number, "planned") if change == "added" else None
    changed = {
        "moved": replace(moved(before, HOUR), moved_from_at=before.start_at),
        "years away": moved(before, 1000 * DAY),
        "cancelled": replace(before, status=Status.CANCELLED),
        "taken up": replace(before, status=Status.PLANNED),
        "retitled": replace(before, title=f"{before.title}, retitled"),
    }
    return changed.get(change, before)


def assert_equal_to_the_plan(telling: Telling) -> None:
    course, now = telling.course, telling.course.clock.now()
    rest = course.events()
    for session in telling.shown():
        events = course.events_of(session)
        rest = [event for event in rest if event not in events]
        assert_right(course, session, events, may_be_absent=not is_due(session, now))
        assert not (events and is_to_go(session, now))
    assert rest == []  # of sessions that the course does not show
    assert course.foreign_now() == course.foreign


def assert_right(course: FaultyCourse, session: Session, events: list[Event], *, may_be_absent: bool) -> None:
    assert may_be_absent or events, f"{session.title} is missing"
    assert len(events) <= 1, f"{session.title} is double"
    is_over = session.end_at <= course.clock.now() and not session.is_cancelled
    for event in events:
        assert is_over or course.is_right(session, event), f"{session.title} is not as planned"
        mirror = course.mirror_of(session)
        assert mirror is not None
        assert mirror.event_id == event.event_id


def assert_nothing_is_left_to_do(course: FaultyCourse) -> None:
    course.moodle.calls.clear()
    for job in (MoodleJob.SWEEP, MoodleJob.MIRROR):
        came = course.run(job)
        assert came is not None
        assert came.problems == []
    assert len(course.moodle.calls) <= 1  # the listing
    assert not any(call.startswith(WRITES) for call in course.moodle.calls)


@settings(
    max_examples=EXAMPLES,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(story=STORIES)
def test_whatever_happens_the_course_equals_the_plan_after_the_next_sweep(course: FaultyCourse, story: Story) -> None:
    telling = Telling(course, story)
    telling.begin()
    for step in ("mirror", *story.steps):
        telling.go_on(step)
        assert "copy" in story.steps or not telling.has_doubles()
    telling.end()
    if not BY_HAND & set(story.steps):  # what people do, only the next sweep of all finds
        course.run_what_is_due(course.clock.now() + 4 * HOUR)
        course.moodle.let_late_ones_through()
        assert_equal_to_the_plan(telling)
    course.moodle.let_late_ones_through()
    course.advance(LATE_EFFECT)
    course.run(MoodleJob.SWEEP)
    assert_equal_to_the_plan(telling)
    assert_nothing_is_left_to_do(course)
