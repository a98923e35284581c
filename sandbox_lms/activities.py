"""The activities of a course: each is a resource link of the same tool, most with a line item of their own."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sandbox_lms.courses import Course, add_copy
from sandbox_lms.site import Site

NO_TRACKING, AUTOMATIC_TRACKING = 0, 2


@dataclass(frozen=True, kw_only=True)
class Activity:
    """`course_id` None: of the campus's own course. `copied_from`: ids of the resource links that it is a copy of,
    newest first. `tracking` as that of a course module."""

    activity_id: int
    title: str
    document_target: Literal["iframe", "window"]
    resource_link_id: str
    line_item_id: int
    score_maximum: float
    course_id: int | None = None
    custom: dict[str, str] = field(default_factory=dict)
    text: str = ""
    is_graded: bool = True
    resource_id: str = ""
    tag: str = ""
    tracking: int = AUTOMATIC_TRACKING
    copied_from: tuple[str, ...] = ()


# Line item ids differ from activity ids, as in Moodle: whoever takes one for the other is found out.
_LINE_ITEM_AFTER = 3
FIRST_ACTIVITIES = (
    Activity(
        activity_id=1,
        title="Workshop series",
        document_target="iframe",
        resource_link_id="1",
        line_item_id=4,
        score_maximum=100,
    ),
    Activity(
        activity_id=2,
        title="Workshop series (new tab)",
        document_target="window",
        resource_link_id="2",
        line_item_id=5,
        score_maximum=100,
    ),
)


def add_first_activities(site: Site) -> None:
    """What the teacher has put into the course; may be repeated."""
    with site.database.write() as connection:
        for activity in FIRST_ACTIVITIES:
            _insert(connection, site, activity)


def add_activities(site: Site, course: Course, items: Sequence[dict[str, Any]]) -> list[Activity]:
    """What Deep Linking has brought, as Moodle makes it: completion is off, and dates and labels are not taken."""
    with site.database.write() as connection:
        first_id = _next_id(connection, site)
        made = [_of_item(number, course, item) for number, item in enumerate(items, start=first_id)]
        for activity in made:
            _insert_selected(connection, site, activity)
    return made


def copy_course(site: Site, original: Course) -> Course:
    """A second course with the same activities: other ids, the same custom parameters, columns of their own."""
    copied = all_activities(site, original.course_id)
    made = add_copy(site, original)
    with site.database.write() as connection:
        first_id = _next_id(connection, site)
        for number, activity in enumerate(copied, start=first_id):
            history = (activity.resource_link_id, *activity.copied_from)
            fresh = replace(activity, course_id=made.course_id, copied_from=history, **_ids(number))
            _insert_selected(connection, site, fresh)
    return made


def switch_tracking(site: Site, activity_id: int, tracking: int) -> None:
    """Of an activity that Deep Linking or a copy has made."""
    with site.database.write() as connection:
        connection.execute(
            "UPDATE selected_activity SET tracking = ? WHERE campus = ? AND activity_id = ?",
            (tracking, site.slug, activity_id),
        )


def all_activities(site: Site, course_id: int | None = None) -> list[Activity]:
    """Of one course; without its id, of the campus's own."""
    wanted = site.campus.course_id if course_id is None else course_id
    return [one for one in every_activity(site) if course_of(site, one) == wanted]


def find_activity(site: Site, activity_id: int) -> Activity | None:
    return next((found for found in every_activity(site) if found.activity_id == activity_id), None)


def course_of(site: Site, activity: Activity) -> int:
    return site.campus.course_id if activity.course_id is None else activity.course_id


def line_items_url(site: Site, course_id: int | None = None) -> str:
    path = site.campus.habits.addresses.line_items
    return _with_query(site, site.campus.address(path, course_id=course_id))


def line_item_url(site: Site, line_item_id: int, service: str = "", *, course_id: int | None = None) -> str:
    """`service` ("/scores", "/results") stands before the query, as in Moodle."""
    path = site.campus.habits.addresses.line_item + service
    return _with_query(site, site.campus.address(path, course_id=course_id, line_item_id=line_item_id))


def memberships_url(site: Site, course_id: int | None = None) -> str:
    return site.campus.address(site.campus.habits.addresses.memberships, course_id=course_id)


def _with_query(site: Site, url: str) -> str:
    query = site.campus.habits.addresses.query.format(deployment_id=site.campus.deployment_id)
    return f"{url}?{query}" if query else url


def every_activity(site: Site) -> list[Activity]:
    """Of all courses."""
    with site.database.read() as connection:
        rows = connection.execute(
            "SELECT activity.*, course_id, custom, text, is_graded, resource_id, tag, tracking, copied_from"
            " FROM activity LEFT JOIN selected_activity USING (campus, activity_id)"
            " WHERE campus = ? ORDER BY activity_id",
            (site.slug,),
        )
        return [_activity(row) for row in rows]


def _next_id(connection: sqlite3.Connection, site: Site) -> int:
    row = connection.execute("SELECT MAX(activity_id) AS last FROM activity WHERE campus = ?", (site.slug,)).fetchone()
    return int(row["last"]) + 1


def _ids(number: int) -> dict[str, Any]:
    return {"activity_id": number, "resource_link_id": str(number), "line_item_id": number + _LINE_ITEM_AFTER}


def _of_item(number: int, course: Course, item: dict[str, Any]) -> Activity:
    line_item = item.get("lineItem") or {}
    return Activity(
        **_ids(number),
        title=str(item.get("title") or "Shared Sessions"),
        document_target="iframe",
        score_maximum=float(line_item.get("scoreMaximum") or 100),
        course_id=course.course_id,
        custom={str(name): str(value) for name, value in (item.get("custom") or {}).items()},
        text=str(item.get("text") or ""),
        is_graded=bool(line_item),
        resource_id=str(line_item.get("resourceId") or ""),
        tag=str(line_item.get("tag") or ""),
        tracking=NO_TRACKING,
    )


def _insert(connection: sqlite3.Connection, site: Site, activity: Activity) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO activity (campus, activity_id, title, document_target, resource_link_id,"
        " line_item_id, score_maximum) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            site.slug,
            activity.activity_id,
            activity.title,
            activity.document_target,
            activity.resource_link_id,
            activity.line_item_id,
            activity.score_maximum,
        ),
    )


def _insert_selected(connection: sqlite3.Connection, site: Site, activity: Activity) -> None:
    _insert(connection, site, activity)
    connection.execute(
        "INSERT INTO selected_activity (campus, activity_id, course_id, custom, text, is_graded, resource_id, tag,"
        " tracking, copied_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            site.slug,
            activity.activity_id,
            course_of(site, activity),
            json.dumps(activity.custom),
            activity.text,
            activity.is_graded,
            activity.resource_id,
            activity.tag,
            activity.tracking,
            ",".join(activity.copied_from),
        ),
    )


def _activity(row: sqlite3.Row) -> Activity:
    first = Activity(
        activity_id=row["activity_id"],
        title=row["title"],
        document_target=row["document_target"],
        resource_link_id=row["resource_link_id"],
        line_item_id=row["line_item_id"],
        score_maximum=row["score_maximum"],
    )
    if row["course_id"] is None:
        return first
    return replace(
        first,
        course_id=row["course_id"],
        custom=json.loads(row["custom"]),
        text=row["text"],
        is_graded=bool(row["is_graded"]),
        resource_id=row["resource_id"],
        tag=row["tag"],
        tracking=row["tracking"],
        copied_from=tuple(filter(None, row["copied_from"].split(","))),
    )
