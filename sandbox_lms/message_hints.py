"""The lti_message_hint of a launch: made when an activity is opened, spent at the first visit of the auth endpoint."""

import json
import secrets
from dataclasses import dataclass

from sandbox_lms.activities import Activity
from sandbox_lms.campus import Person
from sandbox_lms.course_modules import lti_cmid
from sandbox_lms.site import Site


@dataclass(frozen=True, kw_only=True)
class BegunLaunch:
    """Who opened which activity."""

    activity_id: int
    user_id: str


def make_hint(site: Site, person: Person, activity: Activity) -> str:
    launch_id = secrets.token_urlsafe(16)
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO message_hint (campus, launch_id, activity_id, user_id) VALUES (?, ?, ?, ?)",
            (site.slug, launch_id, activity.activity_id, person.user_id),
        )
    if site.campus.tool_login == "moodle-post":
        # As Moodle writes it: quotes and braces that a tool has to hand back unchanged.
        return json.dumps({"cmid": lti_cmid(activity.activity_id), "launchid": launch_id}, separators=(",", ":"))
    return launch_id


def spend_hint(site: Site, hint: str) -> BegunLaunch | None:
    """The launch that the hint stands for, the first time; None ever after."""
    with site.database.write() as connection:
        row = connection.execute(
            "DELETE FROM message_hint WHERE campus = ? AND launch_id = ? RETURNING activity_id, user_id",
            (site.slug, _launch_id(site, hint)),
        ).fetchone()
    return BegunLaunch(activity_id=row["activity_id"], user_id=row["user_id"]) if row else None


def _launch_id(site: Site, hint: str) -> str:
    if site.campus.tool_login != "moodle-post":
        return hint
    try:
        return str(json.loads(hint)["launchid"])
    except (ValueError, KeyError, TypeError):
        return ""
