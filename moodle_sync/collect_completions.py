"""What students complete in their Moodle, and what teachers say there of our own activities, becomes evidence here."""

from collections.abc import Collection, Iterator, Mapping

from lms.errors import LmsError
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.read_completions import Asking, CourseReading
from moodle_sync.services import Services
from series.collecting import Changes, Said, held_in_words
from series.store.activity_states import (
    Outcome,
    Place,
    add_completed,
    forget,
    give_waiting,
    no_longer_waiting,
)
from series.store.course_collects import CollectedCourse, connected_course_ids, course_to_collect, note_reading
from series.store.database import Connection
from series.store.held_completions import held_completions, weigh
from series.store.mapped_activities import note_problem
from series.store.taking_back import take_back
from series.store.tombstones import erased_subs, hold_off_erasures

SILENT = {
    "unseen": "an activity that counts for a session can no longer be seen in Moodle",
    "own": "an external tool cannot count for a session: our own activities are among them",
    "untracked": "completion is switched off in Moodle for an activity that counts for a session",
}


def collect(services: Services, access: MoodleAccess) -> None:
    """What has changed since the last time, as far as that is cheap to see: of who has visited the course, and who has
    a new grade. May be killed at any point: until a course has been read, the next run reads it from where the last
    one began, and nothing is recorded twice. Raises an LmsError of the whole site."""
    _collect(services, access, of_all=False)


def recollect(services: Services, access: MoodleAccess) -> None:
    """The same of everybody: what teachers set and most of what activities do by themselves moves nothing else."""
    _collect(services, access, of_all=True)


def _collect(services: Services, access: MoodleAccess, *, of_all: bool) -> None:
    for reading in readings(services, access, of_all=of_all):
        try:
            _Collecting(services, access, reading).collect()
        except LmsError as error:
            if error.of_platform:
                raise
            access.problems.append(f"{reading.course.title}: {error}")


def readings(services: Services, access: MoodleAccess, *, of_all: bool) -> Iterator[CourseReading]:
    """One of each course in which anything may complete a session, as it is when its turn comes: reading those before
    it takes a while. Nothing is asked yet."""
    university_id = access.connection.university_id
    with services.database.read() as connection:
        course_ids = connected_course_ids(connection, university_id)
    asking = Asking(access=access)
    for course_id in course_ids:
        with services.database.read() as connection:
            course = course_to_collect(connection, university_id, course_id)
        if course is not None:
            yield CourseReading(
                services=services,
                access=access,
                asking=asking,
                course=course,
                of_all=of_all or course.read_at is None,
                began_at=services.clock.now(),
            )


class _Collecting:
    """One course on its way into our tables: each person in a transaction of their own, what is taken back at the end,
    when it is known how much that is."""

    def __init__(self, services: Services, access: MoodleAccess, reading: CourseReading) -> None:
        self.services = services
        self.access = access
        self.reading = reading
        self.course = reading.course
        self.place = _place(access, reading.course)
        self.taken: dict[str, tuple[Said, ...]] = {}
        self.standing: dict[str, tuple[Said, ...]] = {}

    def collect(self) -> None:
        self._give_waiting()
        self._read()
        if self.reading.is_to_be_widened(self.taken):
            self.reading = self.reading.of_everybody()
            self._read()
        self._take_back()
        self._look_at_activities()
        not_told = [one.user_id for one in self.reading.not_told]
        with self.access.write() as connection:
            erased = self._erased_of(connection, not_told)
            note_reading(
                connection,
                self.course,
                results=self.reading.grades.newest,
                began_at=self.reading.began_at,
                of_all=self.reading.of_all,
                refused=[sub for sub in not_told if sub not in erased],
            )
        self.access.counts["courses"] += 1
        self.access.problems.extend(f"{self.course.title}: {words}" for words in problems_of(self.reading))

    def _read(self) -> None:
        self.taken, self.standing = {}, {}
        try:
            for sub, changes in self.reading.changes():
                self._apply(sub, changes)
        finally:
            if self.reading.read:
                self.access.counts["read"] += self.reading.read

    def _erased_of(self, connection: Connection, subs: Collection[str]) -> set[str]:
        """Nothing is stored of who has had their data erased: asked first in the transaction that would store it, so
        that an erasure comes before or after."""
        hold_off_erasures(connection, self.course.course_id)
        return erased_subs(
            connection,
            university_id=self.place.university_id,
            issuer=self.place.base_url,
            subs=subs,
            secret_key=self.services.settings.secret_key,
        )

    def _give_waiting(self) -> None:
        with self.services.database.read() as connection:
            waiting = no_longer_waiting(connection, self.place)
        for sub in waiting:
            with self.access.write() as connection:
                if self._erased_of(connection, [sub]):
                    continue
                outcome = give_waiting(connection, self.place, sub, now=self.services.clock.now())
            self._count(outcome)

    def _apply(self, sub: str, changes: Changes) -> None:
        if changes.taken_back:
            self.taken[sub] = changes.taken_back
        if changes.standing:
            self.standing[sub] = changes.standing
        if not changes.completed and not changes.forgotten:
            return
        with self.access.write() as connection:
            if self._erased_of(connection, [sub]):
                return
            forget(connection, self.course.course_id, sub, changes.forgotten)
            outcome = add_completed(connection, self.place, sub, changes.completed, now=self.services.clock.now())
        self._count(outcome)

    def _take_back(self) -> None:
        """Of a reading that broke off, nothing is: it does not say how many it would be."""
        if not self.taken and not self.standing:
            return
        course_id = self.course.course_id
        with self.access.write() as connection:
            erased = self._erased_of(connection, self.taken.keys() | self.standing.keys())
            taken, standing = (_without(erased, one) for one in (self.taken, self.standing))
            free = weigh(connection, course_id, taken, standing, now=self.services.clock.now())
            held = held_completions(connection, course_id)
        for sub, said in free.items():
            with self.access.write() as connection:
                if self._erased_of(connection, [sub]):
                    continue
                outcome = take_back(connection, self.place, sub, said, now=self.services.clock.now())
            self._count(outcome)
        if held is not None:
            self.access.counts["held"] += len(held.subs)
            self.access.problems.append(f"{self.course.title}: {held_in_words(len(held.subs))}")

    def _look_at_activities(self) -> None:
        """An activity that no answer speaks of gives nothing, and takes nothing back; people are told."""
        if not self.reading.has_answers:
            return
        silent = self.course.mapped.keys() - self.reading.seen
        if silent and (self.reading.of_all or silent - self.course.problems.keys()):
            untracked = self._untracked()
            for cmid in silent:
                self._note(cmid, "untracked" if cmid in untracked else "unseen")
        for cmid in self.reading.own_mapped:
            self._note(cmid, "own")
        for cmid in self.course.problems.keys() & self.reading.seen - self.reading.own_mapped:
            self._note(cmid, None)

    def _untracked(self) -> set[int]:
        """As far as Moodle tells: the reading itself has succeeded without it."""
        try:
            contents = self.access.moodle.contents(self.course.moodle_course_id)
        except LmsError as error:
            if error.of_platform:
                raise
            return set()
        return {one.cmid for one in contents if not one.tracks_completion}

    def _note(self, cmid: int, problem: str | None) -> None:
        if problem == self.course.problems.get(cmid):
            return
        with self.access.write() as connection:
            note_problem(connection, self.course.course_id, cmid, problem)
        if problem is not None:
            self.access.problems.append(f"{self.course.title}: {SILENT[problem]} (activity {cmid})")

    def _count(self, outcome: Outcome) -> None:
        for what, number in _counts(outcome).items():
            self.access.counts[what] += number
        self.services.queue.enqueue_all("deliver", outcome.queued)


def _without(erased: Collection[str], said: Mapping[str, tuple[Said, ...]]) -> dict[str, tuple[Said, ...]]:
    return {sub: some for sub, some in said.items() if sub not in erased}


def _counts(outcome: Outcome) -> dict[str, int]:
    counts = {"completed": outcome.completed, "waiting": outcome.waiting, "taken back": outcome.taken_back}
    return {what: number for what, number in counts.items() if number}


def _place(access: MoodleAccess, course: CollectedCourse) -> Place:
    return Place(
        course_id=course.course_id,
        university_id=access.connection.university_id,
        base_url=access.connection.base_url,
        knows_people=course.knows_people,
    )


def problems_of(reading: CourseReading) -> list[str]:
    """What somebody should look at. A grade column that cannot be read is said once a day: it may have been deleted."""
    problems = list(reading.grades.problems) if reading.of_all else []
    if reading.not_told:
        number, first = len(reading.not_told), reading.not_told[0].error
        problems.append(f"what {number} people have completed could not be read: {first}")
    if reading.of_whole_series:
        problems.append(
            f"please look at this: in Moodle, a teacher has set the completion of the activity for the whole series by"
            f" hand, for {reading.of_whole_series} people. For which session that is cannot be said: an instructor can"
            " confirm single sessions on the course's page."
        )
    return problems
