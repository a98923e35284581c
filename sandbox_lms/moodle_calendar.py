"""Moodle's calendar functions: create, list, find and delete events, with Moodle's oddities."""

from typing import Any

import msgspec

from sandbox_lms.calendar import Event, all_events, delete_event, delete_repeats, find_event, next_event_id, put_event
from sandbox_lms.cleaning import clean_html, escaped_name, strip_tags
from sandbox_lms.moodle_access import check_capability, lacks
from sandbox_lms.moodle_errors import MoodleError, invalid_parameter, missing_record
from sandbox_lms.moodle_event_export import exported_event
from sandbox_lms.site import Site

WEEK_S = 7 * 24 * 3600
SITE_COURSE_ID = 1
HTML_FORMAT = 1


class NewEvent(msgspec.Struct, forbid_unknown_fields=True):
    """Every other key, `location` and `uuid` too, makes Moodle refuse the whole call."""

    name: str
    description: str = ""
    format: int = HTML_FORMAT
    courseid: int = 0
    groupid: int = 0
    repeats: int = 0
    eventtype: str = "user"
    timestart: int | None = None
    timeduration: int = 0
    visible: int = 1
    sequence: int = 1


class NewEvents(msgspec.Struct, forbid_unknown_fields=True):
    events: list[NewEvent]


class Selection(msgspec.Struct, forbid_unknown_fields=True):
    eventids: list[int] = []
    courseids: list[int] = []
    groupids: list[int] = []
    categoryids: list[int] = []


class Options(msgspec.Struct, forbid_unknown_fields=True):
    userevents: bool = True
    siteevents: bool = True
    timestart: int = 0
    timeend: int = 0
    ignorehidden: bool = True


class WantedEvents(msgspec.Struct, forbid_unknown_fields=True):
    events: Selection = msgspec.field(default_factory=Selection)
    options: Options = msgspec.field(default_factory=Options)


class DoomedEvent(msgspec.Struct, forbid_unknown_fields=True):
    eventid: int
    repeat: bool  # required, though it means nothing for an event that is not repeated
    description: str = ""


class DoomedEvents(msgspec.Struct, forbid_unknown_fields=True):
    events: list[DoomedEvent]


class EventById(msgspec.Struct, forbid_unknown_fields=True):
    eventid: int


def create_events(site: Site, new: NewEvents) -> dict[str, Any]:
    """All that are allowed; the others as warnings. A name with tags or a course that is not there undoes the call."""
    if any(strip_tags(event.name) != event.name for event in new.events):
        raise invalid_parameter()
    created: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    with site.database.write() as connection:
        for event in new.events:
            if event.eventtype == "course" and event.courseid not in {SITE_COURSE_ID, site.campus.course_id}:
                raise missing_record("course")
            if not _may_create(site, event):
                message = "you do not have permissions to create this event"
                warnings.append({"item": event.name, "warningcode": "nopermissions", "message": message})
                continue
            for made in _rows(site, event, lambda: next_event_id(connection, site)):
                put_event(connection, site, made)
                created.append(_created(made))
    return {"events": created, "warnings": warnings}


def get_events(site: Site, wanted: WantedEvents) -> dict[str, Any]:
    """Those with the ids, and those of the courses that overlap the window."""
    no_entry = lacks(site, "moodle/course:view")
    own_course = None if no_entry else site.campus.course_id
    with site.database.read() as connection:
        events = all_events(connection, site)
    if lacks(site, "moodle/calendar:manageentries"):  # then only what the account has made itself
        events = [event for event in events if event.user_id == site.campus.moodle_user_id]
    listed = [event for event in events if not no_entry and _is_listed(event, wanted)]
    by_id = [event for event in events if event.event_id in wanted.events.eventids and event not in listed]
    warnings = [_no_course(course_id) for course_id in wanted.events.courseids if course_id != own_course]
    return {"events": [_listed(e) for e in listed] + [_found(e) for e in by_id], "warnings": warnings}


def delete_events(site: Site, doomed: DoomedEvents) -> None:
    """All of them; one that is not there undoes the call."""
    with site.database.write() as connection:
        for one in doomed.events:
            event = find_event(connection, site, one.eventid)
            if event is None:
                raise missing_record("event")
            if event.event_type == "course":
                check_capability(site, "moodle/calendar:manageentries", "Delete event")
            delete_event(connection, site, event.event_id)
            if one.repeat and event.repeat_id:
                delete_repeats(connection, site, event.repeat_id)


def get_event_by_id(site: Site, wanted: EventById) -> dict[str, Any]:
    with site.database.read() as connection:
        event = find_event(connection, site, wanted.eventid)
    if event is None:
        raise MoodleError(
            "required_capability_exception",
            "nopermissions",
            "Sorry, but you do not currently have permissions to do that (View courses without participation).",
        )
    return {"event": exported_event(site, event), "warnings": []}


def _may_create(site: Site, event: NewEvent) -> bool:
    """The service account may manage its course's calendar and its own, not the site's."""
    if event.eventtype == "user":
        return True
    is_in_course = (event.eventtype, event.courseid) == ("course", site.campus.course_id)
    return is_in_course and not lacks(site, "moodle/calendar:manageentries")


def _rows(site: Site, new: NewEvent, next_id: Any) -> list[Event]:
    now_s, count = site.now_s(), max(new.repeats, 1)
    ids = [next_id() for _ in range(count)]
    return [
        Event(
            event_id=event_id,
            name=new.name,
            description=new.description,
            format=new.format or HTML_FORMAT,
            course_id=new.courseid if new.eventtype == "course" else 0,
            user_id=site.campus.moodle_user_id,
            repeat_id=ids[0] if count > 1 else 0,
            event_type=new.eventtype,
            timestart=(now_s if new.timestart is None else new.timestart) + week * WEEK_S,
            timeduration=new.timeduration,
            visible=new.visible,
            sequence=new.sequence,
            location="",
            timemodified=now_s,
        )
        for week, event_id in enumerate(ids)
    ]


def _is_listed(event: Event, wanted: WantedEvents) -> bool:
    options = wanted.options
    in_course = event.event_type == "course" and event.course_id in set(wanted.events.courseids)
    own = options.userevents and event.event_type == "user"
    started = not options.timeend or event.timestart <= options.timeend
    ended = event.timestart + max(event.timeduration, 0) < options.timestart
    return (in_course or own) and started and not ended and bool(event.visible or not options.ignorehidden)


def _created(event: Event) -> dict[str, Any]:
    return {
        **_common(event),
        "name": event.name,  # raw here, escaped in every listing
        "groupid": 0,
        "modulename": "",
        "instance": 0,
        "uuid": "",
        "sequence": event.sequence,
        **({"repeatid": event.repeat_id} if event.repeat_id else {}),
    }


def _listed(event: Event) -> dict[str, Any]:
    nothing = dict.fromkeys(("categoryid", "groupid", "repeatid", "modulename", "instance"))
    return {**_common(event), **nothing, "sequence": 1}  # the real sequence is shown by id alone


def _found(event: Event) -> dict[str, Any]:
    return {**_created(event), "name": escaped_name(event.name), "categoryid": 0, "repeatid": event.repeat_id}


def _common(event: Event) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "name": escaped_name(event.name),
        "description": clean_html(event.description) if event.format == HTML_FORMAT else event.description,
        "format": event.format,
        "courseid": event.course_id,
        "userid": event.user_id,
        "eventtype": event.event_type,
        "timestart": event.timestart,
        "timeduration": event.timeduration,
        "visible": event.visible,
        "timemodified": event.timemodified,
        "subscriptionid": None,
    }


def _no_course(course_id: int) -> dict[str, Any]:
    return {
        "item": "course",
        "itemid": course_id,
        "warningcode": "nopermissions",
        "message": "No access rights in course context Can't find data record in database table course."
        "#0 lib/dml/moodle_database.php(1638): moodle_database->get_record_select()",
    }
