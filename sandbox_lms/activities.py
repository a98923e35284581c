"""The activities of a course: each is a resource link of the same tool, with a line item of its own."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from sandbox_lms.site import Site


@dataclass(frozen=True, kw_only=True)
class Activity:
    activity_id: int
    title: str
    document_target: Literal["iframe", "window"]
    resource_link_id: str
    line_item_id: int
    score_maximum: float


# Line item ids differ from activity ids, as in Moodle: whoever takes one for the other is found out.
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


def all_activities(site: Site) -> list[Activity]:
    with site.database.read() as connection:
        rows = connection.execute("SELECT * FROM activity WHERE campus = ? ORDER BY activity_id", (site.slug,))
        return [_activity(row) for row in rows]


def find_activity(site: Site, activity_id: int) -> Activity | None:
    return next((found for found in all_activities(site) if found.activity_id == activity_id), None)


def line_items_url(site: Site) -> str:
    return _with_query(site, site.campus.address(site.campus.habits.addresses.line_items))


def line_item_url(site: Site, line_item_id: int, service: str = "") -> str:
    """`service` ("/scores", "/results") stands before the query, as in Moodle."""
    path = site.campus.habits.addresses.line_item + service
    return _with_query(site, site.campus.address(path, line_item_id=line_item_id))


def memberships_url(site: Site) -> str:
    return site.campus.address(site.campus.habits.addresses.memberships)


def _with_query(site: Site, url: str) -> str:
    query = site.campus.habits.addresses.query.format(deployment_id=site.campus.deployment_id)
    return f"{url}?{query}" if query else url


def _activity(row: sqlite3.Row) -> Activity:
    return Activity(
        activity_id=row["activity_id"],
        title=row["title"],
        document_target=row["document_target"],
        resource_link_id=row["resource_link_id"],
        line_item_id=row["line_item_id"],
        score_maximum=row["score_maximum"],
    )
