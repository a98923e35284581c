"""Roles, as launches and rosters write them (pitfall 23, and Moodle's short names)."""

import pytest

from series.roles import CONTEXT_ROLE, CONTEXT_SUB_ROLE, INSTITUTION_ROLE, TEST_USER_ROLE, read_roles


@pytest.mark.parametrize(
    "roles",
    [
        ("Learner",),  # Moodle's roster
        (CONTEXT_ROLE + "Learner",),
        (CONTEXT_SUB_ROLE + "Learner#GuestLearner",),
        (INSTITUTION_ROLE + "Student",),  # and none in the course
    ],
)
def test_a_student_takes_grades(roles: tuple[str, ...]) -> None:
    assert read_roles(roles).takes_grades


@pytest.mark.parametrize(
    "roles",
    [
        (),
        ("Instructor",),
        (CONTEXT_ROLE + "Instructor", INSTITUTION_ROLE + "Student"),
        (CONTEXT_ROLE + "Learner", TEST_USER_ROLE),
        ("Unheard-of",),
    ],
)
def test_nobody_else_does(roles: tuple[str, ...]) -> None:
    assert not read_roles(roles).takes_grades


def test_pitfall_23_who_teaches_elsewhere_in_the_institution_is_a_student_here() -> None:
    roles = read_roles([INSTITUTION_ROLE + "Instructor", CONTEXT_ROLE + "Learner"])
    assert (roles.is_teacher, roles.takes_grades) == (False, True)


@pytest.mark.parametrize("role", ["system/person#Administrator", "institution/person#Administrator"])
def test_an_administrator_of_the_lms_is_known_and_gets_nothing_for_it(role: str) -> None:
    roles = read_roles([f"http://purl.imsglobal.org/vocab/lis/v2/{role}"])
    assert (roles.is_administrator, roles.is_teacher, roles.is_learner) == (True, False, False)
    assert not read_roles(["Administrator"]).is_administrator  # of the course alone
