"""Who is in the course, as Moodle lists them: slowly, one page after another, and without a total."""

from collections.abc import Callable
from typing import Any

import msgspec

from sandbox_lms.campus import Person
from sandbox_lms.course_access import last_accesses
from sandbox_lms.id_tokens import person_sourcedid
from sandbox_lms.moodle_access import check_capability, check_course, lacks
from sandbox_lms.moodle_course import Option
from sandbox_lms.moodle_errors import invalid_parameter, moodle_exception
from sandbox_lms.site import Site

_ORDERS: dict[str, Callable[[Person], Any]] = {
    "id": lambda person: int(person.user_id),
    "firstname": lambda person: _names(person)[0],
    "lastname": lambda person: _names(person)[1],
    "siteorder": lambda person: (_names(person)[1], _names(person)[0], int(person.user_id)),
}
# What can be asked for; most of it is empty for everybody and then left out.
_FIELDS = frozenset(
    (
        *("id", "username", "fullname", "firstname", "lastname", "email", "address", "phone1", "phone2", "department"),
        *("institution", "interests", "firstaccess", "lastaccess", "auth", "confirmed", "idnumber", "lang", "theme"),
        *("timezone", "mailformat", "description", "descriptionformat", "city", "country", "profileimageurlsmall"),
        *("profileimageurl", "customfields", "groups", "roles", "preferences", "enrolledcourses", "suspended"),
        *("lastcourseaccess", "trackforums"),
    )
)
_ROLES = {"student": (5, "student"), "teacher": (3, "editingteacher")}


class WantedUsers(msgspec.Struct, forbid_unknown_fields=True):
    courseid: int
    options: list[Option] = []


def enrolled_users(site: Site, wanted: WantedUsers) -> list[dict[str, Any]]:
    """Suspended people too, and nothing says so. Without viewdetails only the teachers of each page are left."""
    options = {option.name: option.text for option in wanted.options}
    order = _ORDERS.get(options.get("sortby", "id"))
    direction = options.get("sortdirection", "ASC").upper()
    if order is None or direction not in {"ASC", "DESC"}:
        raise invalid_parameter()
    check_course(site, wanted.courseid)
    check_capability(site, "moodle/course:viewparticipants", "View participants")
    fields = _fields(options.get("userfields"))
    enrolled = [person for person in site.campus.members if person.user_id not in site.switches.settings.left]
    enrolled.sort(key=order, reverse=direction == "DESC")
    start, size = _number(options.get("limitfrom")), _number(options.get("limitnumber"))
    page = enrolled[start : start + size] if size else enrolled[start:]
    if lacks(site, "moodle/user:viewdetails"):
        page = [person for person in page if person.role == "teacher"]
    accesses = last_accesses(site)
    return [_user(site, person, fields, accesses.get(person.user_id, 0)) for person in page]


def _fields(text: str | None) -> frozenset[str]:
    if not text:
        return _FIELDS
    fields = frozenset(text.split(","))
    for unknown in fields - _FIELDS:
        raise moodle_exception("invaliduserfield", f"Invalid user field: {unknown}")
    return fields | {"id", "fullname"}


def _user(site: Site, person: Person, fields: frozenset[str], access_s: int) -> dict[str, Any]:
    campus = site.campus
    role_id, role = _ROLES[person.role]
    picture = f"{campus.url}/theme/image.php/boost/core/1/u"
    first_name, last_name = _names(person)
    user = {
        "id": int(person.user_id),
        "firstname": first_name,
        "lastname": last_name,
        "fullname": person.name,
        "email": f"{person.username}@{campus.slug}.example",
        "firstaccess": 0,
        "lastaccess": access_s,
        "idnumber": person_sourcedid(site, person),
        "lastcourseaccess": access_s,
        "profileimageurlsmall": f"{picture}/f2",
        "profileimageurl": f"{picture}/f1",
        "roles": [{"roleid": role_id, "name": "", "shortname": role, "sortorder": 0}],
        "enrolledcourses": [
            {"id": campus.course_id, "fullname": campus.course_title, "shortname": campus.course_label}
        ],
    }
    if lacks(site, "moodle/site:viewuseridentity"):
        del user["idnumber"]
    return {name: value for name, value in user.items() if name in fields}


def _names(person: Person) -> tuple[str, str]:
    first, _, last = person.name.partition(" ")
    return first, last


def _number(text: str | None) -> int:
    """PHP's reading of a number: what is none is 0."""
    return int(text) if text and text.isdecimal() else 0
