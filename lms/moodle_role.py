"""Roles for the service account, as files that a Moodle administrator imports: Site administration > Users >
Permissions > Define roles > Add a new role > Use role preset.

Measured at Moodle 4.5.6: the order of the elements is fixed, attributes and blanks within <allow> are not understood, a
capability that the site does not know is left out without a word.
"""

from enum import StrEnum
from xml.sax.saxutils import escape

from lms.moodle_levels import Capability, capabilities_of
from series.moodle_jobs import Level


class RoleKind(StrEnum):
    """Where a role is given to the account."""

    COURSE = "course"  # in the course, or in the category in which the courses are
    SYSTEM = "system"  # in the whole site: the right to use web services exists only there


_LEVELS = {RoleKind.COURSE: ("coursecat", "course"), RoleKind.SYSTEM: ("system",)}


def role_name(kind: RoleKind, level: Level, *, announcements: bool) -> str:
    """As it stands in Moodle's lists; each level's role has its own, because Moodle takes no name twice."""
    if kind is RoleKind.SYSTEM:
        return "Shared Sessions: web services"
    return f"Shared Sessions: {level.value}{' and announcements' if announcements else ''}"


def role_file_name(kind: RoleKind, level: Level, *, announcements: bool) -> str:
    return f"{_short_name(kind, level, announcements=announcements)}.xml"


def role_xml(kind: RoleKind, level: Level, *, announcements: bool) -> str:
    """All that the level needs in this context, and no more."""
    capabilities = role_capabilities(kind, level, announcements=announcements)
    name = role_name(kind, level, announcements=announcements)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<role>",
        f"  <shortname>{_short_name(kind, level, announcements=announcements)}</shortname>",
        f"  <name>{escape(name)}</name>",
        "  <description>What the service account of Shared Sessions needs, and no more.</description>",
        "  <archetype></archetype>",
        "  <contextlevels>",
        *(f"    <level>{level_name}</level>" for level_name in _LEVELS[kind]),
        "  </contextlevels>",
        "  <permissions>",
        *(f"    <allow>{capability.name}</allow>" for capability in capabilities),
        "  </permissions>",
        "</role>",
    ]
    return "\n".join(lines) + "\n"


def role_capabilities(kind: RoleKind, level: Level, *, announcements: bool) -> tuple[Capability, ...]:
    all_of_them = capabilities_of(level, announcements=announcements)
    return tuple(one for one in all_of_them if one.is_system is (kind is RoleKind.SYSTEM))


def _short_name(kind: RoleKind, level: Level, *, announcements: bool) -> str:
    if kind is RoleKind.SYSTEM:
        return "sharedsessionsweb"
    return f"sharedsessions{level.value}{'news' if announcements else ''}"
