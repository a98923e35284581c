"""Moodle's event form, sent by a web service: one event, wall clock in the account's zone, no reason for a refusal."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from sandbox_lms.calendar import Event, find_event, next_event_id, put_event
from sandbox_lms.cleaning import strip_tags
from sandbox_lms.moodle_access import lacks
from sandbox_lms.moodle_errors import missing_record, moodle_exception
from sandbox_lms.moodle_event_export import exported_event
from sandbox_lms.moodle_site import course_start_s
from sandbox_lms.site import Site

_SENT = "_qf__core_calendar_local_event_forms_"
VALIDATION_ERROR = {"validationerror": True}
UNTIL, MINUTES = "1", "2"  # the choices of `duration`; 0 is "without"


class FormData(msgspec.Struct, forbid_unknown_fields=True):
    formdata: str


class FormInvalid(Exception):
    """Moodle says no more than this."""


def submit_form(site: Site, sent: FormData) -> dict[str, Any]:
    form = dict(parse_qsl(sent.formdata, keep_blank_values=True))
    event_id = _number(form.get("id", "0"))
    if lacks(site, "moodle/calendar:manageentries"):
        raise moodle_exception(
            "nopermissiontoupdatecalendar", "Sorry, but you do not have permission to update the calendar event."
        )
    with site.database.write() as connection:
        stored = find_event(connection, site, event_id)
        if event_id and stored is None:
            raise missing_record("event")
        if form.get(_SENT + ("update" if stored else "create")) != "1":
            return VALIDATION_ERROR
        try:
            event = _filled(site, stored or _blank(site, next_event_id(connection, site)), form)
        except FormInvalid:
            return VALIDATION_ERROR
        put_event(connection, site, event)
    return {"event": exported_event(site, event), "validationerror": False}


def _filled(site: Site, event: Event, form: Mapping[str, str]) -> Event:
    """The event as the form wants it. Raises FormInvalid."""
    name = strip_tags(form.get("name", "")).strip()  # here tags are stripped; when an event is created, refused
    if not name or form.get("eventtype") != "course" or form.get("courseid") != str(site.campus.course_id):
        raise FormInvalid
    timestart = _wall_clock(site, form, "timestart")
    if timestart < course_start_s(site):
        raise FormInvalid
    return replace(
        event,
        name=name,
        user_id=_number(form.get("userid", str(event.user_id))),  # whoever sends one makes it the owner
        description=form.get("description[text]", ""),
        format=_number(form.get("description[format]", "1")),
        timestart=timestart,
        timeduration=_duration_s(site, form, timestart),
        visible=_number(form.get("visible", "1")),  # what was hidden is shown when nothing is said
        location=form.get("location", event.location),
        timemodified=site.now_s(),
    )


def _wall_clock(site: Site, form: Mapping[str, str], field: str) -> int:
    """Read in the zone of the account's profile. A minute that is not sent is the present one."""
    zone = ZoneInfo(site.switches.settings.moodle_time_zone or site.campus.moodle_time_zone)
    parts = {unit: form.get(f"{field}[{unit}]") for unit in ("year", "month", "day", "hour", "minute")}
    if parts["minute"] is None:
        parts["minute"] = str(site.now().astimezone(zone).minute)
    try:
        return int(datetime(**{unit: int(value or "") for unit, value in parts.items()}, tzinfo=zone).timestamp())
    except ValueError as error:
        raise FormInvalid from error


def _duration_s(site: Site, form: Mapping[str, str], timestart: int) -> int:
    """0 when it is not sent, whatever it was before."""
    if form.get("duration") == UNTIL:
        seconds = _wall_clock(site, form, "timedurationuntil") - timestart
    elif form.get("duration") == MINUTES:
        seconds = _number(form.get("timedurationminutes", "0")) * 60
    else:
        return 0
    if seconds <= 0:
        raise FormInvalid
    return seconds


def _blank(site: Site, event_id: int) -> Event:
    return Event(
        event_id=event_id,
        name="",
        description="",
        format=1,
        course_id=site.campus.course_id,
        user_id=site.campus.moodle_user_id,
        repeat_id=0,
        event_type="course",
        timestart=0,
        timeduration=0,
        visible=1,
        sequence=1,
        location="",
        timemodified=0,
    )


def _number(text: str) -> int:
    """PHP's reading of a number in a form: what is none is 0."""
    return int(text) if text.isdecimal() else 0
