"""Role files: what Moodle imports, with every capability of the level and no other."""

from itertools import product
from xml.etree import ElementTree

import pytest

from lms.moodle_levels import capabilities_of
from lms.moodle_role import RoleKind, role_file_name, role_name, role_xml
from series.moodle_jobs import Level

ALL = list(product(Level, (False, True)))
# The order is fixed by Moodle's schema, admin/roles/role_schema.xml.
ORDER = ["shortname", "name", "description", "archetype", "contextlevels", "permissions"]


def allowed(kind: RoleKind, level: Level, *, announcements: bool) -> list[str]:
    role = ElementTree.fromstring(role_xml(kind, level, announcements=announcements))
    return [one.text or "" for one in role.iterfind("permissions/allow")]


@pytest.mark.parametrize(("level", "announcements"), ALL)
def test_the_two_roles_allow_what_the_level_needs_and_nothing_else(level: Level, announcements: bool) -> None:  # noqa: FBT001
    wanted = [one.name for one in capabilities_of(level, announcements=announcements)]
    found = [name for kind in RoleKind for name in allowed(kind, level, announcements=announcements)]
    assert sorted(found) == sorted(wanted)
    assert allowed(RoleKind.SYSTEM, level, announcements=announcements) == ["webservice/rest:use"]


@pytest.mark.parametrize("kind", RoleKind)
def test_a_role_is_as_moodle_imports_it(kind: RoleKind) -> None:
    role = ElementTree.fromstring(role_xml(kind, Level.COMPLETIONS, announcements=True))
    assert (role.tag, [child.tag for child in role]) == ("role", ORDER)
    assert not any(element.attrib for element in role.iter())
    levels = [one.text for one in role.iterfind("contextlevels/level")]
    assert levels == (["system"] if kind is RoleKind.SYSTEM else ["coursecat", "course"])
    assert not role.findtext("archetype")
    assert (role.findtext("shortname") or "").isalpha()


def test_moodle_takes_each_name_once() -> None:
    course_roles = [(RoleKind.COURSE, level, wants) for level, wants in ALL]
    for name in (role_name, role_file_name):
        names = {name(kind, level, announcements=wants) for kind, level, wants in course_roles}
        assert len(names) == len(course_roles)
