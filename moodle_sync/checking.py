"""What a check notes down while it goes on."""

import time
from dataclasses import dataclass, field

from lms.errors import LmsError, NotAllowed
from moodle_sync.moodle_access import MoodleAccess
from series.checks import Check, Code, Outcome
from series.store.check_facts import KnownCourse


@dataclass(kw_only=True)
class Findings:
    """Of one run, in order. A call's time counts for the finding that comes after it."""

    access: MoodleAccess
    functions: frozenset[str] = frozenset()  # that the token may call
    checks: list[Check] = field(default_factory=list)
    _since_s: float = field(default_factory=time.monotonic, init=False)

    def ok(self, code: Code, course: KnownCourse | None = None, **facts: str | int) -> None:
        self._note(code, Outcome.OK, course, facts)

    def gap(self, code: Code, course: KnownCourse | None = None, **facts: str | int) -> None:
        """`facts`: `case`, where series.check_words tells several apart."""
        self._note(code, Outcome.GAP, course, facts)

    def unknown(self, code: Code, course: KnownCourse | None = None, **facts: str | int) -> None:
        self._note(code, Outcome.UNKNOWN, course, facts)

    def refused(self, error: LmsError, code: Code, course: KnownCourse, **facts: str | int) -> None:
        """A gap, unless the function is missing from the service, which is said once. Raises an LmsError of the whole
        site."""
        if error.of_platform:
            raise error
        if isinstance(error, NotAllowed) and error.reason == "accessexception":
            self.skipped(code, course)
        else:
            self.gap(code, course, reason=str(error), **facts)

    def skipped(self, code: Code, course: KnownCourse, **facts: str | int) -> None:
        """And what would have come after it."""
        self._note(code, Outcome.SKIPPED, course, facts)

    def _note(self, code: Code, outcome: Outcome, course: KnownCourse | None, facts: dict[str, str | int]) -> None:
        about: dict[str, str | int] = {}
        if course is not None:
            about = {"course": course.title, "course_id": course.moodle_course_id}
        now_s = time.monotonic()
        ms, self._since_s = round((now_s - self._since_s) * 1000), now_s
        self.checks.append(Check(code=code, outcome=outcome, facts={**about, **facts}, ms=ms))
