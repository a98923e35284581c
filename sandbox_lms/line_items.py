"""The columns of the gradebook: one of each activity, and those that the tool has made."""

from dataclasses import dataclass
from typing import Any

from sandbox_lms.activities import all_activities, course_of, every_activity
from sandbox_lms.site import Site

FIRST_MADE = 100  # activities have smaller ids


@dataclass(frozen=True, kw_only=True)
class LineItem:
    line_item_id: int
    label: str
    score_maximum: float
    resource_id: str = ""
    tag: str = ""
    resource_link_id: str | None = None
    activity_id: int | None = None  # whose own column this is: the one that completes it


class IncorrectLineItem(Exception):
    """What cannot be a line item."""


def all_line_items(site: Site, course_id: int | None = None) -> list[LineItem]:
    """Of one course; without its id, of the campus's own."""
    wanted = site.campus.course_id if course_id is None else course_id
    graded = [activity for activity in all_activities(site, wanted) if activity.is_graded]
    own = graded if site.campus.grades_activities else []
    course_of_link = {activity.resource_link_id: course_of(site, activity) for activity in every_activity(site)}
    with site.database.read() as connection:
        made = connection.execute("SELECT * FROM line_item WHERE campus = ? ORDER BY line_item_id", (site.slug,))
        return [
            *(
                LineItem(
                    line_item_id=activity.line_item_id,
                    label=activity.title,
                    score_maximum=activity.score_maximum,
                    resource_id=activity.resource_id,
                    tag=activity.tag,
                    resource_link_id=activity.resource_link_id,
                    activity_id=activity.activity_id,
                )
                for activity in own
            ),
            *(
                _made(dict(row))
                for row in made
                if course_of_link.get(row["resource_link_id"], site.campus.course_id) == wanted
            ),
        ]


def find_line_item(site: Site, line_item_id: int, course_id: int | None = None) -> LineItem | None:
    return next((found for found in all_line_items(site, course_id) if found.line_item_id == line_item_id), None)


def make_line_item(site: Site, document: Any, course_id: int | None = None) -> LineItem:
    """Like Moodle, also a second one with the same resource id. Raises IncorrectLineItem."""
    if not isinstance(document, dict):
        raise IncorrectLineItem
    label, maximum = document.get("label"), document.get("scoreMaximum")
    texts = [document.get(name) or "" for name in ("resourceId", "tag")]
    link = document.get("resourceLinkId")
    if not isinstance(label, str) or not label or not isinstance(maximum, int | float) or maximum <= 0:
        raise IncorrectLineItem
    if not all(isinstance(text, str) for text in texts):
        raise IncorrectLineItem
    if link is not None and link not in {activity.resource_link_id for activity in all_activities(site, course_id)}:
        raise IncorrectLineItem
    with site.database.write() as connection:
        row = connection.execute(
            "INSERT INTO line_item (campus, line_item_id, label, score_maximum, resource_id, tag, resource_link_id)"
            " SELECT ?, COALESCE(MAX(line_item_id) + 1, ?), ?, ?, ?, ?, ? FROM line_item WHERE campus = ?"
            " RETURNING line_item_id",
            (site.slug, FIRST_MADE, label, maximum, *texts, link, site.slug),
        ).fetchone()
    made = find_line_item(site, row["line_item_id"], course_id if link else None)
    assert made is not None
    return made


def delete_line_item(site: Site, line_item_id: int) -> None:
    """With its grades. The column of an activity stays, without them."""
    with site.database.write() as connection:
        connection.execute("DELETE FROM grade WHERE campus = ? AND line_item_id = ?", (site.slug, line_item_id))
        connection.execute("DELETE FROM line_item WHERE campus = ? AND line_item_id = ?", (site.slug, line_item_id))


def _made(row: dict[str, Any]) -> LineItem:
    del row["campus"]
    return LineItem(**row)
