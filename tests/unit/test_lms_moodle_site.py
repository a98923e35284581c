"""What a Moodle says about itself and its courses, against the recorded exchanges with a real one."""

from datetime import UTC, datetime

import pytest
import responses

from lms.moodle import Course, Moodle
from tests.unit.recordings import (
    MOODLE_SERVER,
    MOODLE_URL,
    play_moodle,
    recording,
    sent_form,
)


@responses.activate
def test_the_site_says_who_we_are_and_what_we_may_call(moodle: Moodle) -> None:
    play_moodle("core_webservice_get_site_info", same_form=True)
    site = moodle.site_info()
    assert (site.site_name, site.site_url, site.user_id) == ("University A", MOODLE_URL, 35)
    assert site.release.startswith("4.5.6")
    assert "core_calendar_create_calendar_events" in site.functions


@responses.activate
def test_the_site_shows_its_clock_and_version(moodle: Moodle) -> None:
    play_moodle("core_webservice_get_site_info.with-date")
    site = moodle.site_info()
    assert (site.version, site.server_at) == ("2024100706", datetime(2026, 11, 26, 21, 42, 8, tzinfo=UTC))


@responses.activate
@pytest.mark.parametrize(
    ("date", "server_at"),
    [
        ("Thu, 26 Nov 2026 22:42:08 +0100", datetime(2026, 11, 26, 21, 42, 8, tzinfo=UTC)),
        ("Thu, 26 Nov 2026 21:42:08 -0000", datetime(2026, 11, 26, 21, 42, 8, tzinfo=UTC)),
        ("yesterday", None),
        ("Thu, 99 Nov 2026 21:42:08 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("", None),
    ],
)
def test_a_clock_that_cannot_be_read_is_unknown(moodle: Moodle, date: str, server_at: datetime | None) -> None:
    content = recording("core_webservice_get_site_info")["response"]
    responses.post(MOODLE_SERVER, json=content, headers={"Date": date})
    assert moodle.site_info().server_at == server_at


@responses.activate
@pytest.mark.parametrize(("name", "value"), [("idnumber", "SHARED-WS-2026"), ("shortname", "WORKSHOP")])
def test_a_course_is_found_by_a_field(moodle: Moodle, name: str, value: str) -> None:
    play_moodle(f"core_course_get_courses_by_field.{name}", same_form=True)
    assert moodle.courses_by_field(name, value) == (
        Course(
            course_id=2,
            shortname="WORKSHOP",
            fullname="Shared Online Workshop Series",
            starts_at=datetime(2026, 9, 14, tzinfo=UTC),
            tracks_completion=True,
        ),
    )


@responses.activate
def test_a_course_of_which_moodle_tells_the_names_alone_is_not_open(moodle: Moodle) -> None:
    play_moodle("error.user-notfullysetup")
    (course,) = moodle.courses_by_field("id", 2)
    assert (course.is_open, course.starts_at, course.tracks_completion) == (False, None, False)


@responses.activate
def test_a_course_that_is_not_there_is_an_empty_answer(moodle: Moodle) -> None:
    play_moodle("core_course_get_courses_by_field.notfound", same_form=True)
    assert moodle.courses_by_field("idnumber", "nope") == ()


def course(course_id: int, fullname: str = "x", **more: int) -> dict[str, object]:
    return {"id": course_id, "shortname": "x", "fullname": fullname, "startdate": 0, "enablecompletion": 0, **more}


@responses.activate
def test_courses_to_pick_from_are_those_that_are_open_by_name(moodle: Moodle) -> None:
    closed = {key: value for key, value in course(4).items() if key != "startdate"}
    courses = [course(1), course(2, "b &amp; c", enablecompletion=1), closed, course(5, "A"), course(6, "a")]
    responses.post(MOODLE_SERVER, json={"courses": courses, "warnings": []})
    found = moodle.courses()
    assert [(one.course_id, one.fullname) for one in found] == [(5, "A"), (6, "a"), (2, "b & c")]
    assert (found[2].tracks_completion, found[2].starts_at) == (True, None)
    assert not [key for key in sent_form() if key not in {"wstoken", "wsfunction", "moodlewsrestformat"}]


@responses.activate
def test_of_very_many_courses_the_newest_are_to_pick_from(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json={"courses": [course(number) for number in range(1, 503)], "warnings": []})
    assert [one.course_id for one in moodle.courses()] == list(range(3, 503))
