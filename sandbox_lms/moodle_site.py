"""What Moodle says about itself and its courses."""

from datetime import UTC, datetime, time
from typing import Any

import msgspec

from sandbox_lms.site import Site

VERSION = "2024100706"
RELEASE = "4.5.6 (Build: 20250811)"


class NoArguments(msgspec.Struct, forbid_unknown_fields=True):
    """A function without arguments."""


class ByField(msgspec.Struct, forbid_unknown_fields=True):
    field: str = ""
    value: str = ""


def site_info(site: Site, function_names: list[str]) -> dict[str, Any]:
    campus = site.campus
    return {
        "sitename": campus.name,
        "username": "wssync",
        "firstname": "WS",
        "lastname": "Sync",
        "fullname": "WS Sync",
        "lang": "en",
        "userid": campus.moodle_user_id,
        "siteurl": campus.url,
        "userpictureurl": "",
        "functions": [{"name": name, "version": VERSION} for name in function_names],
        "downloadfiles": 0,
        "uploadfiles": 0,
        "release": RELEASE,
        "version": VERSION,
        "mobilecssurl": "",
        "advancedfeatures": [{"name": "enablecompletion", "value": 1}],
        "usercanmanageownfiles": True,
        "userquota": 104857600,
        "usermaxuploadfilesize": 67108864,
        "userhomepage": 1,
        "siteid": 1,
        "sitecalendartype": "gregorian",
        "usercalendartype": "gregorian",
        "userissiteadmin": False,
        "theme": "boost",
        "limitconcurrentlogins": 0,
        "policyagreed": 0,
    }


def courses_by_field(site: Site, wanted: ByField) -> dict[str, Any]:
    """The one course, if the field has this value, or without a field; none is an empty list and no error."""
    campus = site.campus
    values = {
        "": {wanted.value},
        "id": {str(campus.course_id)},
        "ids": {str(campus.course_id)},
        "shortname": {campus.course_label},
        "idnumber": {"SHARED-WS"},
        "category": {"2"},
    }.get(wanted.field, set())
    asked = set(wanted.value.split(",")) if wanted.field == "ids" else {wanted.value}
    return {"courses": [_course(site)] if asked & values else [], "warnings": []}


def course_start_s(site: Site) -> int:
    """Midnight in the campus's zone: an event that is changed by the form may not start before it."""
    start = datetime.combine(site.campus.course_starts_on, time(), site.zone)
    return int(start.astimezone(UTC).timestamp())


def _course(site: Site) -> dict[str, Any]:
    campus = site.campus
    teachers = [person for person in campus.people if person.role == "teacher"]
    return {
        "id": campus.course_id,
        "fullname": campus.course_title,
        "displayname": campus.course_title,
        "shortname": campus.course_label,
        "courseimage": "",
        "categoryid": 2,
        "categoryname": "Joint programmes",
        "sortorder": 20001,
        "summary": "",
        "summaryformat": 1,
        "summaryfiles": [],
        "overviewfiles": [],
        "showactivitydates": False,
        "showcompletionconditions": True,
        "contacts": [{"id": int(person.user_id), "fullname": person.name} for person in teachers],
        "enrollmentmethods": ["manual"],
        "format": "topics",
        "showgrades": 1,
        "newsitems": 0,
        "startdate": course_start_s(site),
        "enddate": 0,
        "visible": 1,
        "enablecompletion": 1,
        "lang": "",
    }
