"""Activities and people of a Moodle course, against the recorded exchanges with a real one."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from lms.errors import MalformedAnswer, NotAllowed, NotFound
from lms.moodle import Moodle
from lms.moodle_course import MAX_PAGES, PEOPLE_PER_PAGE, Activity, EnrolledUser
from tests.unit.recordings import (
    MOODLE_SERVER,
    body_of,
    play_moodle,
    sent_form,
)

# Activities


@responses.activate
def test_the_activities_of_a_course_stand_under_their_headings(moodle: Moodle) -> None:
    play_moodle("core_course_get_contents.excludecontents", same_form=True)
    first, second = moodle.contents(2)
    assert first == Activity(
        cmid=1,
        module="page",
        instance=1,
        name="Welcome page",
        section="New section",
        tracks_completion=True,
        is_hidden=False,
    )
    assert (second.cmid, second.name) == (2, "Manual page")


@responses.activate
def test_hidden_restricted_and_untracked_activities_are_told_apart(moodle: Moodle) -> None:
    play_moodle("core_course_get_contents.lti-hidden")
    activities = {activity.cmid: activity for activity in moodle.contents(2)}
    assert {cmid for cmid, activity in activities.items() if activity.is_hidden} == {2}
    assert {cmid for cmid, activity in activities.items() if not activity.is_readable} == {3}
    assert {cmid for cmid, activity in activities.items() if not activity.tracks_completion} == {7}


@responses.activate
def test_activities_of_a_kind_that_the_account_may_not_see_are_silently_absent(moodle: Moodle) -> None:
    play_moodle("core_course_get_contents.without-mod-lti-view")
    assert {activity.module for activity in moodle.contents(2)} == {"forum", "page", "assign"}


@responses.activate
@pytest.mark.parametrize(
    ("name", "cmids"),
    [("hidden-section", {7, 1, 2, 3}), ("hidden-section-viewhiddensections", {7, 1, 2, 3, 5, 6, 9})],
)
def test_hidden_sections_take_their_own_right_to_see(moodle: Moodle, name: str, cmids: set[int]) -> None:
    play_moodle(f"core_course_get_contents.{name}")
    assert {activity.cmid for activity in moodle.contents(2)} == cmids


@responses.activate
def test_names_are_as_people_read_them(moodle: Moodle) -> None:
    modules = [{"id": 1, "modname": "quiz", "instance": 3, "name": "Q &amp; A"}]
    responses.post(MOODLE_SERVER, json=[{"name": "Week 1 &lt; 2", "modules": modules}])
    (activity,) = moodle.contents(2)
    assert (activity.name, activity.section) == ("Q & A", "Week 1 < 2")


@responses.activate
def test_a_site_policy_to_be_agreed_to_does_not_keep_the_account_out(moodle: Moodle) -> None:
    play_moodle("error.sitepolicy")
    assert len(moodle.contents(2)) == 4


@responses.activate
def test_a_course_that_is_gone_has_no_contents(moodle: Moodle) -> None:
    play_moodle("error.nonexistent-course.contents")
    with pytest.raises(NotFound):
        moodle.contents(999)


# People


@responses.activate
def test_people_are_listed_by_what_we_need_of_them(moodle: Moodle) -> None:
    play_moodle("core_enrol_get_enrolled_users.id-lastcourseaccess-roles")
    teacher, *students = moodle.enrolled_users(2)
    assert teacher == EnrolledUser(user_id="3", last_access_at=None, roles=("editingteacher",))
    assert [student.user_id for student in students] == [str(number) for number in range(5, 35)]
    assert {student.roles for student in students} == {("student",)}
    options = [(f"options[{number}][name]", f"options[{number}][value]") for number in range(5)]
    assert {sent_form()[name]: sent_form()[value] for name, value in options} == {
        "userfields": "id,lastcourseaccess,roles",
        "limitfrom": "0",
        "limitnumber": "500",
        "sortby": "id",
        "sortdirection": "ASC",
    }
    assert len(responses.calls) == 1


@responses.activate
def test_more_fields_than_asked_for_do_not_matter(moodle: Moodle) -> None:
    play_moodle("core_enrol_get_enrolled_users.paged")
    assert [person.user_id for person in moodle.enrolled_users(2)] == ["3", "4", "5", "6", "7"]


@responses.activate
def test_a_last_visit_is_an_instant(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json=[{"id": 5, "fullname": "x", "lastcourseaccess": 1795618800}])
    (person,) = moodle.enrolled_users(2)
    assert person == EnrolledUser(user_id="5", last_access_at=datetime(2026, 11, 25, 15, tzinfo=UTC), roles=())


@responses.activate
def test_a_course_without_people_is_empty(moodle: Moodle) -> None:
    play_moodle("core_enrol_get_enrolled_users.beyond")
    assert moodle.enrolled_users(2) == ()


@responses.activate
def test_without_the_right_to_see_profiles_only_teachers_are_left(moodle: Moodle) -> None:
    play_moodle("core_enrol_get_enrolled_users.without-moodle-user-viewdetails")
    assert [person.roles for person in moodle.enrolled_users(2)] == [("editingteacher",)]


@responses.activate
def test_without_the_right_to_list_people_the_capability_is_named(moodle: Moodle) -> None:
    play_moodle("core_enrol_get_enrolled_users.without-viewparticipants-and-enrolreview")
    with pytest.raises(NotAllowed, match="moodle/course:viewparticipants"):
        moodle.enrolled_users(2)


def answer_pages(*, of: list[int], invisible: frozenset[int] = frozenset()) -> None:
    """A Moodle that drops people whom the account may not see after it has cut the page."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        form = {key: value for key, (value,) in parse_qs(request.body).items()}
        options = {form[f"options[{number}][name]"]: form[f"options[{number}][value]"] for number in range(5)}
        start = int(options["limitfrom"])
        page = of[start : start + int(options["limitnumber"])]
        return 200, {}, body_of([{"id": number} for number in page if number not in invisible])

    responses.add_callback("POST", MOODLE_SERVER, callback=answer)


@responses.activate
@pytest.mark.parametrize(("count", "calls"), [(30, 1), (300, 1), (800, 2), (1000, 3)])
def test_people_come_by_pages_until_a_short_or_an_empty_one(moodle: Moodle, count: int, calls: int) -> None:
    answer_pages(of=list(range(2, count + 2)))
    assert [person.user_id for person in moodle.enrolled_users(2)] == [str(number) for number in range(2, count + 2)]
    assert len(responses.calls) == calls


@responses.activate
def test_a_page_that_lacks_somebody_is_not_the_last(moodle: Moodle) -> None:
    answer_pages(of=list(range(2, 602)), invisible=frozenset({7, 9}))
    assert len(moodle.enrolled_users(2)) == 598


@responses.activate
def test_who_is_on_two_pages_is_there_once(moodle: Moodle) -> None:
    answer_pages(of=[*range(2, 502), *range(500, 510)])
    assert [person.user_id for person in moodle.enrolled_users(2)] == [str(number) for number in range(2, 510)]


@responses.activate
def test_a_moodle_that_repeats_its_page_is_not_asked_for_ever(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json=[{"id": number} for number in range(2, 502)])
    assert len(moodle.enrolled_users(2)) == 500
    assert len(responses.calls) == 2


@responses.activate
def test_a_course_without_end_is_not_read_to_its_end(moodle: Moodle) -> None:
    answer_pages(of=list(range(2, MAX_PAGES * PEOPLE_PER_PAGE + 2)))
    with pytest.raises(MalformedAnswer, match="10000 people"):
        moodle.enrolled_users(2)
    assert len(responses.calls) == MAX_PAGES


@responses.activate
@pytest.mark.parametrize("epoch", [-(10**15), 10**15])
def test_an_instant_beyond_all_calendars_is_malformed(moodle: Moodle, epoch: int) -> None:
    responses.post(MOODLE_SERVER, json=[{"id": 5, "lastcourseaccess": epoch}])
    with pytest.raises(MalformedAnswer):
        moodle.enrolled_users(2)
