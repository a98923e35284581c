"""What a service account needs at each level, and no more."""

import pytest

from lms.moodle_levels import ANNOUNCEMENTS, NEEDS, Level, capabilities_of, functions_of
from lms.moodle_protocol import Function

WRITING = {"overridecompletion", "grade:edit", "grade:manage", "course:update", "manageactivities"}


def names(level: Level, *, announcements: bool = False) -> set[str]:
    return {capability.name for capability in capabilities_of(level, announcements=announcements)}


def test_the_calendar_needs_no_right_to_see_people() -> None:
    assert names(Level.CALENDAR) == {"webservice/rest:use", "moodle/course:view", "moodle/calendar:manageentries"}
    assert len(functions_of(Level.CALENDAR, announcements=False)) == 6


def test_completions_need_what_the_calendar_needs_and_more() -> None:
    assert names(Level.CALENDAR) < names(Level.COMPLETIONS)
    calendar = functions_of(Level.CALENDAR, announcements=False)
    assert set(calendar) < set(functions_of(Level.COMPLETIONS, announcements=False))
    # Taking one of these away was measured to hide something without a word.
    assert {"moodle/user:viewdetails", "mod/lti:view", "mod/page:view", "mod/quiz:view", "mod/assign:view"} < names(
        Level.COMPLETIONS
    )


@pytest.mark.parametrize("level", Level)
def test_announcements_are_asked_for_only_when_wanted(level: Level) -> None:
    more = set(functions_of(level, announcements=True)) - set(functions_of(level, announcements=False))
    assert more == set(NEEDS[ANNOUNCEMENTS].functions)
    assert "mod/forum:addnews" not in names(level)
    assert {"mod/forum:addnews", "mod/forum:viewdiscussion"} < names(level, announcements=True)


def test_every_function_that_we_call_is_needed_for_something() -> None:
    assert set(functions_of(Level.COMPLETIONS, announcements=True)) == set(Function)


def test_nothing_is_asked_for_twice() -> None:
    capabilities = [one.name for one in capabilities_of(Level.COMPLETIONS, announcements=True)]
    functions = functions_of(Level.COMPLETIONS, announcements=True)
    assert (len(set(capabilities)), len(set(functions))) == (len(capabilities), len(functions))


def test_no_level_lets_us_write_completions_grades_or_activities() -> None:
    asked_for = names(Level.COMPLETIONS, announcements=True)
    assert not [name for name in asked_for if any(word in name for word in WRITING)]


def test_one_capability_belongs_into_a_role_of_the_whole_site() -> None:
    capabilities = capabilities_of(Level.COMPLETIONS, announcements=True)
    assert [one.name for one in capabilities if one.is_system] == ["webservice/rest:use"]
    assert all(one.why and not one.why.endswith(".") for one in capabilities)
