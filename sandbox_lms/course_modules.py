"""What is in the course, as Moodle counts it: the tool's activities, a forum, and activities without LTI."""

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sandbox_lms.activities import all_activities
from sandbox_lms.site import Site

ModName = Literal["page", "assign", "quiz", "lti", "forum"]
NONE, MANUAL, AUTOMATIC = 0, 1, 2  # how completion is tracked
_LTI_FIRST = 10  # the tool's activities have the ids after it, so that they differ from the resource links' ids


@dataclass(frozen=True, kw_only=True)
class CourseModule:
    """`instance` counts within its kind; of a tool's activity it is the resource link's id, as in Moodle."""

    cmid: int
    modname: ModName
    instance: int
    name: str
    tracking: int

    @property
    def is_graded(self) -> bool:
        return self.modname in {"assign", "quiz", "lti"}

    @property
    def needs_pass(self) -> bool:
        return self.modname in {"quiz", "lti"}


ANNOUNCEMENTS = CourseModule(cmid=1, modname="forum", instance=1, name="Announcements", tracking=NONE)
READING = CourseModule(
    cmid=2, modname="page", instance=1, name="Reading: how to prepare for a workshop", tracking=MANUAL
)
ASSIGNMENT = CourseModule(cmid=3, modname="assign", instance=1, name="Essay about one workshop", tracking=AUTOMATIC)
QUIZ = CourseModule(cmid=4, modname="quiz", instance=1, name="Quiz on the series", tracking=AUTOMATIC)
FIRST_MODULES = (ANNOUNCEMENTS, READING, ASSIGNMENT, QUIZ)


def lti_cmid(activity_id: int) -> int:
    return _LTI_FIRST + activity_id


def add_first_modules(site: Site) -> None:
    """What the teacher has put into the course beside the tool's activities; may be repeated."""
    with site.database.write() as connection:
        for module in FIRST_MODULES:
            _insert(connection, site, module)


def add_module(site: Site, modname: ModName, name: str, tracking: int) -> CourseModule:
    """One more. Not for the tool's activities, which are added as such."""
    with site.database.write() as connection:
        row = connection.execute(
            "SELECT COALESCE(MAX(cmid), 0) AS cmid, COALESCE(MAX(instance) FILTER (WHERE modname = ?), 0) AS instance"
            " FROM course_module WHERE campus = ?",
            (modname, site.slug),
        ).fetchone()
        cmid = max(row["cmid"], 100) + 1
        module = CourseModule(cmid=cmid, modname=modname, instance=row["instance"] + 1, name=name, tracking=tracking)
        _insert(connection, site, module)
    return module


def remove_module(site: Site, cmid: int) -> None:
    """With what people have done in it."""
    with site.database.write() as connection:
        connection.execute("DELETE FROM course_module WHERE campus = ? AND cmid = ?", (site.slug, cmid))
        connection.execute("DELETE FROM completion WHERE campus = ? AND cmid = ?", (site.slug, cmid))


def all_modules(site: Site) -> list[CourseModule]:
    """In the order of their ids."""
    with site.database.read() as connection:
        rows = connection.execute("SELECT * FROM course_module WHERE campus = ?", (site.slug,)).fetchall()
    modules = [_module(dict(row)) for row in rows]
    modules += [
        CourseModule(
            cmid=lti_cmid(activity.activity_id),
            modname="lti",
            instance=int(activity.resource_link_id),
            name=activity.title,
            # A column of the tool's own completes nothing.
            tracking=activity.tracking if site.campus.grades_activities else NONE,
        )
        for activity in all_activities(site)
    ]
    return sorted(modules, key=lambda module: module.cmid)


def find_module(site: Site, cmid: int) -> CourseModule | None:
    return next((module for module in all_modules(site) if module.cmid == cmid), None)


def _insert(connection: sqlite3.Connection, site: Site, module: CourseModule) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO course_module (campus, cmid, modname, instance, name, tracking)"
        " VALUES (:campus, :cmid, :modname, :instance, :name, :tracking)",
        {"campus": site.slug, **asdict(module)},
    )


def _module(row: dict[str, Any]) -> CourseModule:
    del row["campus"]
    return CourseModule(**row)
