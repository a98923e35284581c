"""The weeks of the series that are over, lived once in fast motion. The demo's clock jumps from week to week; teachers
and students do what they do at their university, and the product's own commands collect and count it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from config.clock import Clock
from sandbox_lms import coordinators_calendar as calendar
from sandbox_lms.campus import Person
from sandbox_lms.completion import COMPLETE, all_completions, complete
from sandbox_lms.course_modules import MANUAL, CourseModule, add_module, all_modules
from sandbox_lms.demo_page import SERIES_ZONE, DemoState
from sandbox_lms.demo_programs import DemoFailure, Programs
from sandbox_lms.pretend_browser import NotAsExpected
from sandbox_lms.pretend_teacher import Taught, prepare_course
from sandbox_lms.site import Site

WEEKS = calendar.THIS_WEEK - 1
BEGINS_BEFORE = timedelta(days=1)  # the first session
AFTER_SESSION = timedelta(hours=3)  # its start
COUNTED_AT_HOUR = 5  # on the Monday after, an hour after the tool's numbers are due
TEACHERS_AT_ONCE = 2
TAUGHT = (
    Taught(audience="pre_service"),
    Taught(audience="in_service", schools="14"),
    Taught(audience="both", schools="6"),
)
LATE = 0.1  # of those who complete a task at all, in the week after


@dataclass(frozen=True, kw_only=True)
class Term:
    """How far it has been lived stands in `progress`, so that a demo that was stopped goes on there."""

    programs: Programs
    state: DemoState
    sites: Mapping[str, Site]
    progress: Path

    def has_begun(self) -> bool:
        return self.progress.exists()

    def is_over(self) -> bool:
        return self.has_begun() and self._weeks_lived() >= WEEKS

    def go_to_its_beginning(self) -> None:
        """The day before the first session, when everything is set up."""
        self.state.jump_to(calendar.entry(self.state.calendar, 1).start - BEGINS_BEFORE)

    def live(self, say: Callable[[str], None]) -> None:
        """From where it has been lived to, up to this week; then it is now again. The tool must be running. Raises
        DemoFailure."""
        tasks = {site.slug: _tasks(site) for site in self._moodles()}
        if not self.has_begun():
            say("Thirteen teachers open the activity and choose what counts …")
            self._begin(tasks)
        for week in range(self._weeks_lived() + 1, WEEKS + 1):
            session = calendar.entry(self.state.calendar, week)
            self._live_week(week, session.start, tasks)
            say(f"Week {week} of {WEEKS}, “{session.title}”: {self._completed(week, tasks)} people completed it")
            self.progress.write_text(str(week))
        self.state.jump_to(None)

    def _begin(self, tasks: Mapping[str, Sequence[CourseModule]]) -> None:
        def prepare(number: int, site: Site) -> None:
            prepare_course(site.campus, [task.cmid for task in tasks[site.slug]], TAUGHT[number % len(TAUGHT)])

        try:
            with ThreadPoolExecutor(TEACHERS_AT_ONCE) as threads:
                list(threads.map(prepare, range(len(tasks)), self._moodles()))
        except NotAsExpected as error:
            raise DemoFailure(f"A pretend teacher cannot go on: {error}") from error
        self.programs.run("moodle-sync", "run", "rosters")
        self.progress.write_text("0")

    def _live_week(self, week: int, start: datetime, tasks: Mapping[str, Sequence[CourseModule]]) -> None:
        self.state.jump_to(start + AFTER_SESSION)
        for site in self._moodles():
            for person in site.campus.students:
                for number in _done_in(site, person, week):
                    complete(site, tasks[site.slug][number - 1], person.user_id, COMPLETE)
        self.programs.run("moodle-sync", "run", "collect", "--all")
        counted_at = _monday_after(start)
        if counted_at < Clock().now():  # else it is Monday night just now, and the worker will do it
            self.state.jump_to(counted_at)
            self.programs.run("moodle-sync", "run", "pooled")

    def _moodles(self) -> list[Site]:
        """Only their activities can be collected."""
        return [site for site in self.sites.values() if site.campus.product == "moodle"]

    def _weeks_lived(self) -> int:
        return int(self.progress.read_text())

    def _completed(self, week: int, tasks: Mapping[str, Sequence[CourseModule]]) -> int:
        cmids = {slug: of_course[week - 1].cmid for slug, of_course in tasks.items()}
        return sum(
            one.is_done and cmid == cmids[site.slug]
            for site in self._moodles()
            for (cmid, _), one in all_completions(site).items()
        )


def _tasks(site: Site) -> list[CourseModule]:
    """One for each week, put into the course where it is missing."""
    known = {module.name: module for module in all_modules(site)}
    names = [f"Task of week {week}: what I take with me" for week in range(1, WEEKS + 1)]
    return [known.get(name) or add_module(site, "page", name, MANUAL) for name in names]


def _done_in(site: Site, person: Person, week: int) -> list[int]:
    """Of which weeks somebody completes the task in this one: the same ones for the same people."""
    return [number for number in (week - 1, week) if number and _done_at(site, person, number) == week]


def _done_at(site: Site, person: Person, number: int) -> int | None:
    """In which week this person completes task `number`; None: never. Some people come nearly always; in the
    last weeks some have other things to do."""
    diligence = Random(f"{site.slug} {person.user_id}").uniform(0.45, 0.98)  # noqa: S311 - pretend people
    luck = Random(f"{site.slug} {person.user_id} {number}")  # noqa: S311 - as above
    if luck.random() > diligence - 0.07 * max(0, number - 3):
        return None
    return number + (luck.random() < LATE)


def _monday_after(start: datetime) -> datetime:
    local = start.astimezone(SERIES_ZONE)
    monday = local + timedelta(days=7 - local.weekday())
    return monday.replace(hour=COUNTED_AT_HOUR, minute=0)
