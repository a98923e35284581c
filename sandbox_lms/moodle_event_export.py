"""One event in the long shape that the form and the question for one event answer with."""

from datetime import datetime
from html import escape
from typing import Any

from sandbox_lms.calendar import Event
from sandbox_lms.cleaning import clean_html, escaped_name
from sandbox_lms.moodle_site import course_start_s
from sandbox_lms.site import Site


def exported_event(site: Site, event: Event) -> dict[str, Any]:
    """Everything that Moodle says about the event, most of which no client of ours reads."""
    return {
        "id": event.event_id,
        "name": escaped_name(event.name),
        "description": clean_html(event.description) if event.format == 1 else event.description,
        "descriptionformat": event.format,
        "location": event.location,
        **dict.fromkeys(("categoryid", "groupid", "eventcount", "component", "instance", "groupname")),
        "userid": event.user_id,
        "repeatid": event.repeat_id or None,
        "modulename": "",
        "activityname": "",
        "activitystr": "",
        "eventtype": event.event_type,
        "timestart": event.timestart,
        "timeduration": event.timeduration,
        "timesort": event.timestart,
        "timeusermidnight": 0,
        "visible": event.visible,
        "timemodified": event.timemodified,
        "overdue": False,
        "icon": {
            "key": "i/courseevent",
            "component": "core",
            "alttext": "Course event",
            "iconurl": "",
            "iconclass": "",
        },
        "course": _course(site),
        "subscription": {"displayeventsource": False},
        "canedit": True,
        "candelete": True,
        **_addresses(site, event),
        "formattedtime": _formatted_time(site, event),
        "formattedlocation": escape(event.location),
        "isactionevent": False,
        "iscourseevent": event.event_type == "course",
        "iscategoryevent": False,
        "normalisedeventtype": event.event_type,
        "normalisedeventtypetext": f"{event.event_type.capitalize()} event",
        "purpose": "none",
        "branded": False,
    }


def _addresses(site: Site, event: Event) -> dict[str, str]:
    base, number, course = site.campus.url, f"id={event.event_id}", f"course={event.course_id}"
    return {
        "deleteurl": f"{base}/calendar/delete.php?{number}&{course}",
        "editurl": f"{base}/calendar/event.php?action=edit&{number}&{course}",
        "viewurl": f"{base}/calendar/view.php?view=day&{course}&time={event.timestart}#event_{event.event_id}",
        "url": f"{base}/course/view.php?id={event.course_id}",
    }


def _formatted_time(site: Site, event: Event) -> str:
    start = datetime.fromtimestamp(event.timestart, site.zone)
    end = datetime.fromtimestamp(event.timestart + event.timeduration, site.zone)
    return f"{start:%A}, {start.day} {start:%B}, {start:%H:%M} <strong>&raquo;</strong> {end:%H:%M}"


def _course(site: Site) -> dict[str, Any]:
    campus = site.campus
    return {
        "id": campus.course_id,
        "fullname": campus.course_title,
        "shortname": campus.course_label,
        "idnumber": "SHARED-WS",
        "summary": "",
        "summaryformat": 1,
        "startdate": course_start_s(site),
        "enddate": 0,
        "visible": True,
        "viewurl": f"{campus.url}/course/view.php?id={campus.course_id}",
    }
