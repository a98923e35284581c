"""The lti_message_hint of a launch: made when an activity is opened, spent at the first visit of the auth endpoint."""

import json
import secrets
from dataclasses import dataclass

from sandbox_lms.activities import Activity
from sandbox_lms.campus import Person
from sandbox_lms.course_modules import lti_cmid
from sandbox_lms.site import Site

NO_ACTIVITY = 0
_SELECTS = "select-"  # a hint of this beginning is of a selection, which is its rest up to the next point


@dataclass(frozen=True, kw_only=True)
class BegunLaunch:
    """Who opened which activity, or (`selection_id` not empty) which selection of content."""

    activity_id: int
    user_id: str
    selection_id: str = ""


def make_hint(site: Site, person: Person, activity: Activity) -> str:
    launch_id = secrets.token_urlsafe(16)
    _keep(site, launch_id, activity.activity_id, person)
    return _written(site, launch_id, lti_cmid(activity.activity_id))


def make_selection_hint(site: Site, person: Person, selection_id: str) -> str:
    launch_id = f"{_SELECTS}{selection_id}.{secrets.token_urlsafe(16)}"
    _keep(site, launch_id, NO_ACTIVITY, person)
    return _written(site, launch_id, NO_ACTIVITY)


def spend_hint(site: Site, hint: str) -> BegunLaunch | None:
    """The launch that the hint stands for, the first time; None ever after."""
    launch_id = _launch_id(site, hint)
    with site.database.write() as connection:
        row = connection.execute(
            "DELETE FROM message_hint WHERE campus = ? AND launch_id = ? RETURNING activity_id, user_id",
            (site.slug, launch_id),
        ).fetchone()
    if row is None:
        return None
    is_selection = row["activity_id"] == NO_ACTIVITY
    selection_id = launch_id.removeprefix(_SELECTS).partition(".")[0] if is_selection else ""
    return BegunLaunch(activity_id=row["activity_id"], user_id=row["user_id"], selection_id=selection_id)


def _keep(site: Site, launch_id: str, activity_id: int, person: Person) -> None:
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO message_hint (campus, launch_id, activity_id, user_id) VALUES (?, ?, ?, ?)",
            (site.slug, launch_id, activity_id, person.user_id),
        )


def _written(site: Site, launch_id: str, cmid: int) -> str:
    if site.campus.tool_login == "moodle-post":
        # As Moodle writes it: quotes and braces that a tool has to hand back unchanged.
        return json.dumps({"cmid": cmid, "launchid": launch_id}, separators=(",", ":"))
    return launch_id


def _launch_id(site: Site, hint: str) -> str:
    if site.campus.tool_login != "moodle-post":
        return hint
    try:
        return str(json.loads(hint)["launchid"])
    except (ValueError, KeyError, TypeError):
        return ""
