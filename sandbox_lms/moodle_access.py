"""What the service account may do in the course, less what the switches take from it."""

from sandbox_lms.course_modules import CourseModule, all_modules
from sandbox_lms.moodle_errors import MoodleError, missing_record, moodle_exception
from sandbox_lms.site import Site

NOT_ACCESSIBLE = "Course or activity not accessible."


def lacks(site: Site, capability: str) -> bool:
    return capability in site.switches.settings.lacks


def check_course(site: Site, course_id: int) -> None:
    """There is this course, and the account may enter it. Raises MoodleError."""
    _check_exists(site, course_id)
    if lacks(site, "moodle/course:view"):
        raise moodle_exception(
            "errorcoursecontextnotvalid",
            f"You cannot execute functions in the course context (course id:{course_id})."
            f" The context error message was: {NOT_ACCESSIBLE}",
        )


def check_entered(site: Site, course_id: int) -> None:
    """The same, said in other words: some functions answer as a page would. Raises MoodleError."""
    _check_exists(site, course_id)
    if lacks(site, "moodle/course:view"):
        raise MoodleError("core\\exception\\require_login_exception", "requireloginerror", NOT_ACCESSIBLE)


def check_capability(site: Site, capability: str, title: str) -> None:
    """`title`: what Moodle calls it. Raises MoodleError."""
    if lacks(site, capability):
        raise MoodleError(
            "core\\exception\\required_capability_exception",
            "nopermissions",
            f"Sorry, but you do not currently have permissions to do that ({title}).",
        )


def visible_modules(site: Site) -> list[CourseModule]:
    """What the account may not see is not there at all, without a word."""
    return [module for module in all_modules(site) if not lacks(site, f"mod/{module.modname}:view")]


def _check_exists(site: Site, course_id: int) -> None:
    if course_id != site.campus.course_id:
        raise missing_record("course")
