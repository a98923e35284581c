"""What the roles of a launch allow, and what those in a roster say: LMSs write both in the same words.

LTI 1.3 Core, appendix A.2: https://www.imsglobal.org/spec/lti/v1p3#role-vocabularies
The roles in the course decide. Roles in the institution count only where the course gives none, and never make a
teacher: Canvas names people "Instructor" of the institution who are students in the course.
"""

from collections.abc import Collection
from dataclasses import dataclass

CONTEXT_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
CONTEXT_SUB_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership/"
INSTITUTION_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
TEST_USER_ROLE = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"  # Core A.2.4
ADMINISTRATOR_ROLES = {  # Core A.2.1 and A.2.2: of the whole LMS or the institution, not of a course
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#SysAdmin",
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
}
BUILDERS = {"Instructor", "TeachingAssistant", "Administrator", "ContentDeveloper"}
CONTEXT_SHORT_NAMES = {"Instructor", "Learner", "Administrator", "ContentDeveloper", "Mentor", "Manager", "Member"}


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Without either, a person may look and nothing more. A test user is the LMS's own "student view": it may look at
    what a student sees, and nothing of it counts. An administrator's role by itself opens nothing.

    `builds_course`: puts activities into it. Whoever has no role in the course may, as an administrator.
    """

    is_teacher: bool
    is_learner: bool
    is_test_user: bool = False
    is_administrator: bool = False
    builds_course: bool = False

    @property
    def takes_grades(self) -> bool:
        """An LMS takes no grade for its own test users."""
        return self.is_learner and not self.is_test_user


def read_roles(roles: Collection[str]) -> Roles:
    """The rights that `roles` give; unknown roles give none."""
    in_course = [role for role in map(_context_role, roles) if role]
    is_test_user, is_administrator = TEST_USER_ROLE in roles, not ADMINISTRATOR_ROLES.isdisjoint(roles)
    if in_course:
        # A Teaching Assistant alone teaches, whatever principal role a platform pairs it with.
        return Roles(
            is_teacher=any(role in {"Instructor", "TeachingAssistant"} for role in in_course),
            is_learner="Learner" in in_course,
            is_test_user=is_test_user,
            is_administrator=is_administrator,
            builds_course=not BUILDERS.isdisjoint(in_course),
        )
    in_institution = {role.removeprefix(INSTITUTION_ROLE) for role in roles if role.startswith(INSTITUTION_ROLE)}
    is_learner = bool(in_institution & {"Student", "Learner"})
    return Roles(
        is_teacher=False,
        is_learner=is_learner,
        is_test_user=is_test_user,
        is_administrator=is_administrator,
        builds_course=is_administrator,
    )


def _context_role(role: str) -> str | None:
    """The principal role in the course: `membership#Learner`, `membership/Instructor#Lecturer`, or short `Learner`."""
    if role.startswith(CONTEXT_ROLE):
        return role.removeprefix(CONTEXT_ROLE)
    if role.startswith(CONTEXT_SUB_ROLE):
        return role.removeprefix(CONTEXT_SUB_ROLE).partition("#")[0]
    return role if role in CONTEXT_SHORT_NAMES else None
