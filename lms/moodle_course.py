"""What is in a Moodle course, and who: activities, people, and what each person has completed."""

import html
from dataclasses import dataclass
from datetime import datetime

import msgspec

from lms.errors import LmsError, MalformedAnswer
from lms.moodle_protocol import Function
from lms.moodle_service import Epoch, MoodleService, instant, reader

PEOPLE_PER_PAGE = 500  # half a second in Moodle: most courses come in one call
MAX_PAGES = 20
# Moodle drops people whom the account may not see after it has cut the page: one that lacks a few is not the last one.
_LAST_PAGE_BELOW = PEOPLE_PER_PAGE * 9 // 10
_TEACHING = {"editingteacher", "teacher", "manager", "coursecreator"}  # Moodle tracks nobody for these roles


@dataclass(frozen=True, kw_only=True)
class Activity:
    """An activity in a course. `module` is Moodle's name of its kind (lti, quiz), `instance` the number within that
    kind, `section` the heading it stands under. `is_hidden`: not shown to students. `is_readable`: no, if it is
    restricted and the account lacks moodle/course:ignoreavailabilityrestrictions; its completions are then silently
    absent. `is_restricted`: its conditions keep out whoever lacks that."""

    cmid: int
    module: str
    instance: int
    name: str
    section: str
    tracks_completion: bool
    is_hidden: bool
    is_readable: bool = True
    is_restricted: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading of a course with what stands under it. `number`: they are counted from 0 without a gap, so that one
    which is left out shows. `is_hidden`: from students. `is_readable`: no, if the account is told its name alone."""

    number: int | None
    is_hidden: bool
    is_readable: bool
    activities: tuple[Activity, ...]


@dataclass(frozen=True, kw_only=True)
class EnrolledUser:
    """Somebody who is enrolled, suspended or not: Moodle does not say. `last_access_at`: own visits to this course, to
    the minute; None if there was none, or if the site hides it. `roles` are short names."""

    user_id: str
    last_access_at: datetime | None
    roles: tuple[str, ...]

    @property
    def is_learner(self) -> bool:
        """Also who has no role at all, or one that the site has made up."""
        return not self.roles or not _TEACHING.issuperset(self.roles)


@dataclass(frozen=True, kw_only=True)
class ActivityStatus:
    """How far one person is with one activity. `state`: 0 incomplete, 1 complete, 2 complete with a passing grade, 3
    complete with a failing one; what counts is `is_complete`. `changed_at`: of the last change, also to "incomplete"
    or "failed". `override_by`: user id of the teacher who set it by hand. `is_tracked`: no for people who are not
    enrolled (any more) or suspended."""

    cmid: int
    module: str
    instance: int
    state: int
    is_complete: bool
    changed_at: datetime | None
    override_by: str | None
    is_tracked: bool


@dataclass(frozen=True, kw_only=True)
class UserCompletions:
    """All activities of the course that track completion and that the account may see."""

    user_id: str
    statuses: tuple[ActivityStatus, ...]


@dataclass(frozen=True, kw_only=True)
class UserProblem:
    """Why Moodle does not tell one person's completions."""

    user_id: str
    error: LmsError


class _ModuleJson(msgspec.Struct):
    id: int
    modname: str
    instance: int
    name: str
    completion: int = 0
    visible: int = 1
    uservisible: bool = True
    availabilityinfo: str = ""


class _SectionJson(msgspec.Struct):
    name: str
    modules: list[_ModuleJson]
    section: int | None = None
    visible: int = 1
    uservisible: bool = True


class _RoleJson(msgspec.Struct):
    shortname: str


class _EnrolledJson(msgspec.Struct):
    id: int
    lastcourseaccess: Epoch = 0
    roles: list[_RoleJson] = []


_SECTIONS, _PEOPLE = reader(list[_SectionJson]), reader(list[_EnrolledJson])


class CourseCalls(MoodleService):
    """The part of Moodle that tells what is in a course, and who."""

    def contents(self, course_id: int) -> tuple[Activity, ...]:
        """Activities that the account may see, in the order of the course. A kind of activity whose mod/…:view it lacks
        is silently absent."""
        return tuple(activity for section in self.sections(course_id) for activity in section.activities)

    def sections(self, course_id: int) -> tuple[Section, ...]:
        """The same by headings, of which those are silently absent that the account may not see."""
        arguments = {"courseid": course_id, "options": [{"name": "excludecontents", "value": True}]}
        found = self.call(Function.GET_COURSE_CONTENTS, arguments, _SECTIONS)
        return tuple(_section(section) for section in found)

    def enrolled_users(self, course_id: int) -> tuple[EnrolledUser, ...]:
        """Everybody who is enrolled, by id; each once, also if the list changes while it is read. Without
        moodle/user:viewdetails most are silently absent. MalformedAnswer beyond 10,000 people."""
        found: dict[int, EnrolledUser] = {}
        for page in range(MAX_PAGES):
            people = self._people(course_id, page * PEOPLE_PER_PAGE)
            known = len(found)
            found.update((person.id, _enrolled(person)) for person in people)
            if len(people) < _LAST_PAGE_BELOW or len(found) == known:
                return tuple(found[user_id] for user_id in sorted(found))
        limit = MAX_PAGES * PEOPLE_PER_PAGE
        raise MalformedAnswer(self.host, f"lists more than {limit} people in one course, which is more than we read")

    def _people(self, course_id: int, start: int) -> list[_EnrolledJson]:
        options = {
            "userfields": "id,lastcourseaccess,roles",
            "limitfrom": start,
            "limitnumber": PEOPLE_PER_PAGE,
            "sortby": "id",
            "sortdirection": "ASC",
        }
        arguments = {
            "courseid": course_id,
            "options": [{"name": name, "value": value} for name, value in options.items()],
        }
        return self.call(Function.GET_ENROLLED_USERS, arguments, _PEOPLE)


def _section(section: _SectionJson) -> Section:
    return Section(
        number=section.section,
        is_hidden=not section.visible,
        is_readable=section.uservisible,
        activities=tuple(_activity(module, section.name) for module in section.modules),
    )


def _activity(module: _ModuleJson, section: str) -> Activity:
    return Activity(
        cmid=module.id,
        module=module.modname,
        instance=module.instance,
        name=html.unescape(module.name),
        section=html.unescape(section),
        tracks_completion=module.completion != 0,
        is_hidden=not module.visible,
        is_readable=module.uservisible,
        is_restricted=bool(module.availabilityinfo),
    )


def _enrolled(person: _EnrolledJson) -> EnrolledUser:
    return EnrolledUser(
        user_id=str(person.id),
        last_access_at=instant(person.lastcourseaccess),
        roles=tuple(role.shortname for role in person.roles),
    )
