"""Who has completed what: Moodle's rules of how a state changes."""

import sqlite3
from dataclasses import asdict, dataclass, replace

from sandbox_lms.campus import Person
from sandbox_lms.course_modules import AUTOMATIC, CourseModule, lti_cmid
from sandbox_lms.site import Site

INCOMPLETE, COMPLETE, PASSED, FAILED = 0, 1, 2, 3
PASS_SHARE = 0.5  # of the maximum: the grade to pass of every graded activity here


@dataclass(frozen=True, kw_only=True)
class Completion:
    """`timecompleted` is when the state changed last, whatever it became; `overrideby` the teacher who set it.

    `grade_state`: what the activity itself says, whatever a teacher has set.
    """

    cmid: int
    user_id: str
    state: int = INCOMPLETE
    timecompleted: int = 0
    overrideby: int | None = None
    grade_state: int = INCOMPLETE

    @property
    def is_done(self) -> bool:
        return self.state in {COMPLETE, PASSED}


def all_completions(site: Site, user_id: str | None = None) -> dict[tuple[int, str], Completion]:
    """By course module and person; those who have never done anything are absent."""
    with site.database.read() as connection:
        rows = connection.execute(
            "SELECT cmid, user_id, state, timecompleted, overrideby, grade_state FROM completion"
            " WHERE campus = ? AND (? IS NULL OR user_id = ?)",
            (site.slug, user_id, user_id),
        ).fetchall()
    return {(row["cmid"], row["user_id"]): Completion(**dict(row)) for row in rows}


def complete(site: Site, module: CourseModule, user_id: str, state: int) -> None:
    """What a person or an activity does. A teacher's "done" holds against what an activity says."""
    with site.database.write() as connection:
        _change(connection, site, Completion(cmid=module.cmid, user_id=user_id, state=state), module.tracking)


def override(site: Site, module: CourseModule, user_id: str, *, is_done: bool, teacher: Person) -> None:
    """A teacher's word: done or not done, and no grade. What has been passed or failed must first be not done."""
    state = COMPLETE if is_done else INCOMPLETE
    wanted = Completion(cmid=module.cmid, user_id=user_id, state=state, overrideby=int(teacher.user_id))
    with site.database.write() as connection:
        _change(connection, site, wanted, module.tracking)


def complete_by_grade(
    connection: sqlite3.Connection, site: Site, activity_id: int, user_id: str, share: float | None
) -> None:
    """An activity of the tool after a score: passed, failed, or open again when the grade was emptied."""
    state = INCOMPLETE if share is None else PASSED if share >= PASS_SHARE else FAILED
    _change(connection, site, Completion(cmid=lti_cmid(activity_id), user_id=user_id, state=state), AUTOMATIC)


def _change(connection: sqlite3.Connection, site: Site, wanted: Completion, tracking: int) -> None:
    row = connection.execute(
        "SELECT cmid, user_id, state, timecompleted, overrideby, grade_state FROM completion"
        " WHERE campus = ? AND cmid = ? AND user_id = ?",
        (site.slug, wanted.cmid, wanted.user_id),
    ).fetchone()
    stored = Completion(**dict(row)) if row else Completion(cmid=wanted.cmid, user_id=wanted.user_id)
    is_override = wanted.overrideby is not None
    is_held = tracking == AUTOMATIC and stored.state == COMPLETE and stored.overrideby is not None and not is_override
    is_graded = wanted.state == COMPLETE and stored.state in {PASSED, FAILED}  # which "done" does not change
    changed = stored if is_override else replace(stored, grade_state=wanted.state)
    if is_held:
        changed = replace(changed, timecompleted=site.now_s())
    elif wanted.state != stored.state and not is_graded:
        changed = replace(changed, state=wanted.state, overrideby=wanted.overrideby, timecompleted=site.now_s())
    connection.execute(
        "INSERT OR REPLACE INTO completion (campus, cmid, user_id, state, timecompleted, overrideby, grade_state)"
        " VALUES (:campus, :cmid, :user_id, :state, :timecompleted, :overrideby, :grade_state)",
        {"campus": site.slug, **asdict(changed)},
    )
