"""What the people of one Moodle course have completed, against what is known: read, and nothing written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from lms.errors import NotAllowed, NotFound
from lms.moodle_completions import Outcome
from lms.moodle_course import ActivityStatus, EnrolledUser, UserCompletions, UserProblem
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.read_grades import Grades, read_grades
from moodle_sync.services import Services
from series.collecting import ACCESS_OVERLAP, Changes, Said, Source, changes_of, moved_since, said_by_grade
from series.store.activity_states import known_states
from series.store.course_collects import CollectedCourse, OwnActivity
from series.store.held_completions import Taken, undecided

NO_BATCHES = {"accessexception", "invalidrecord"}  # the service lacks the function, or Moodle does
IS_NEWS_FOR = timedelta(days=7)  # a teacher's word that a person must look at
NOT_IN_COURSE = {"notenroled", "invaliduser", "userdeleted"}


@dataclass(kw_only=True)
class Asking:
    """How a Moodle can be asked about many people; found out once a run."""

    access: MoodleAccess
    has_batches: bool = True

    def completions(self, moodle_course_id: int, user_ids: Sequence[str]) -> Iterator[Outcome]:
        """Raises as Moodle.completions."""
        asked, moodle = 0, self.access.moodle
        if self.has_batches and len(user_ids) > 1:
            try:
                for outcome in moodle.completions(moodle_course_id, user_ids, batched=True):
                    asked += 1
                    yield outcome
            except (NotAllowed, NotFound) as error:
                if error.reason not in NO_BATCHES:
                    raise
                self.has_batches = False
        yield from moodle.completions(moodle_course_id, user_ids[asked:], batched=False)


@dataclass(kw_only=True)
class CourseReading:
    """One course at one moment. `changes` reads; the rest is known once it has come to its end."""

    services: Services
    access: MoodleAccess
    asking: Asking
    course: CollectedCourse
    of_all: bool
    began_at: datetime
    read: int = 0
    grades: Grades = field(default_factory=Grades)
    has_answers: bool = False  # of anybody who is tracked
    seen: set[int] = field(default_factory=set)  # course modules that were spoken of
    own_mapped: set[int] = field(default_factory=set)  # of these, external tools that are to count for a session
    not_told: list[UserProblem] = field(default_factory=list)
    of_whole_series: int = 0  # people for whom a teacher has set the activity of the whole series

    def is_to_be_widened(self, taken: Taken) -> bool:
        """Several lose something of those who were asked about: it may be many more, and is decided as a whole."""
        if self.of_all:
            return False
        with self.services.database.read() as connection:
            return undecided(connection, self.course.course_id, taken) > 1

    def of_everybody(self) -> "CourseReading":
        """The same anew."""
        return CourseReading(
            services=self.services,
            access=self.access,
            asking=self.asking,
            course=self.course,
            of_all=True,
            began_at=self.began_at,
        )

    def changes(self) -> Iterator[tuple[str, Changes]]:
        """By person. What Moodle has told by then stays told when it fails in the middle. Raises LmsError."""
        self.grades = read_grades(self.services, self.access, self.course, of_all=self.of_all)
        left = dict(self.grades.graded)
        for outcome in self.asking.completions(self.course.moodle_course_id, self._whom()):
            if isinstance(outcome, UserProblem):
                if getattr(outcome.error, "reason", "") not in NOT_IN_COURSE:
                    self.not_told.append(outcome)
                continue
            left.pop(outcome.user_id, None)
            yield self._changes(outcome.user_id, self._said(outcome))
        for sub in left:
            yield self._changes(sub, [])

    def _whom(self) -> list[str]:
        """Who may have done something, or everybody who learns there."""
        moved = {sub for sub in {*self.grades.moved, *self.course.refused} if sub.isascii() and sub.isdigit()}
        if self.course.mapped or self.of_all:
            enrolled = self.access.moodle.enrolled_users(self.course.moodle_course_id)
            moved |= {person.user_id for person in enrolled if self._may_have_moved(person)}
        return sorted(moved, key=int)

    def _may_have_moved(self, person: EnrolledUser) -> bool:
        if not person.is_learner:
            return False
        previous_at = self.course.read_at
        return self.of_all or previous_at is None or moved_since(person.last_access_at, previous_at)

    def _said(self, outcome: UserCompletions) -> list[Said]:
        self.read += 1
        statuses = [status for status in outcome.statuses if status.is_tracked]
        self.has_answers |= bool(statuses) or not outcome.statuses
        self.seen |= {status.cmid for status in statuses}
        own = {one.resource_link_id: one for one in self.course.own}
        said = []
        for status in statuses:
            if status.module == "lti" and status.cmid in self.course.mapped:
                self.own_mapped.add(status.cmid)  # those of ours that nobody has opened yet look like any other
            ours = own.get(str(status.instance)) if status.module == "lti" else None
            if ours is not None:
                said += self._said_of_ours(status, ours)
            elif status.cmid in self.course.mapped and status.module != "lti":
                said.append(_said_of_mapped(status, self.course.mapped[status.cmid]))
        return said

    def _said_of_ours(self, status: ActivityStatus, ours: OwnActivity) -> list[Said]:
        """A teacher's word alone: all else is what we have made complete ourselves."""
        if ours.session_id is not None:
            is_overridden = status.is_complete and status.override_by is not None
            return [
                Said(
                    key=(status.cmid, Source.OVERRIDE),
                    session_id=ours.session_id,
                    is_complete=is_overridden,
                    changed_at=status.changed_at,
                    by=status.override_by,
                )
            ]
        if status.override_by is not None and self._is_news(status.changed_at):
            self.of_whole_series += 1
        return []

    def _is_news(self, changed_at: datetime | None) -> bool:
        """Since everybody was read: only then is it seen of who has not been there. And some days longer, so that
        somebody sees it."""
        previous_at = self.course.all_read_at
        if changed_at is None or previous_at is None:
            return True
        return changed_at >= min(previous_at - ACCESS_OVERLAP, self.began_at - IS_NEWS_FOR)

    def _changes(self, sub: str, said: list[Said]) -> tuple[str, Changes]:
        with self.services.database.read() as connection:
            known = known_states(connection, self.course.course_id, sub)
        for own in self.course.own_of_sessions:
            graded = self.grades.graded.get(sub, {}).get(own.placement_id)
            if graded is None or own.session_id is None:
                continue
            sent = self.grades.sent[own.placement_id].get(sub, [])
            before = known.get((own.placement_id, Source.GRADE))
            word = said_by_grade(graded, sent, before, placement_id=own.placement_id, session_id=own.session_id)
            said += [word] if word else []
        return sub, changes_of(said, known)


def _said_of_mapped(status: ActivityStatus, session_id: UUID) -> Said:
    return Said(
        key=(status.cmid, Source.ACTIVITY),
        session_id=session_id,
        is_complete=status.is_complete,
        changed_at=status.changed_at,
        by=status.override_by,
    )
