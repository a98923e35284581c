"""Moodle's REST protocol and how it says no, against the recorded exchanges with a real Moodle."""

import html
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import responses

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.moodle import Course, Moodle
from lms.moodle_protocol import form_fields
from tests.unit.recordings import (
    MOODLE_SERVER,
    MOODLE_TOKEN,
    MOODLE_URL,
    loopback_session,
    play_moodle,
    sent_form,
)


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    with loopback_session() as http:
        yield Moodle(http, MOODLE_URL, MOODLE_TOKEN)


# The protocol


def test_nested_arguments_are_written_as_php_reads_them() -> None:
    arguments = {"events": [{"eventid": 6, "repeat": False}, {"eventid": 7, "repeat": True}], "options": {"a": "b & c"}}
    assert form_fields(arguments) == {
        "events[0][eventid]": "6",
        "events[0][repeat]": "0",
        "events[1][eventid]": "7",
        "events[1][repeat]": "1",
        "options[a]": "b & c",
    }


@pytest.mark.parametrize("value", [None, 1.5, datetime.now(UTC), b"x"])
def test_a_value_that_a_form_cannot_carry_is_our_mistake(value: object) -> None:
    with pytest.raises(TypeError, match="a\\[0\\]"):
        form_fields({"a": [value]})


@responses.activate
def test_the_token_is_in_the_body_and_nowhere_else(moodle: Moodle) -> None:
    play_moodle("core_webservice_get_site_info")
    moodle.site_info()
    request = responses.calls[0].request
    assert sent_form()["wstoken"] == MOODLE_TOKEN
    assert MOODLE_TOKEN not in str(request.url) + str(request.headers) + repr(moodle)


@responses.activate
@pytest.mark.parametrize("base_url", ["https://uni.example/moodle", "https://uni.example/moodle/"])
def test_a_moodle_may_live_under_a_path(base_url: str) -> None:
    responses.post("https://uni.example/moodle/webservice/rest/server.php", json={"courses": []})
    with loopback_session() as http:
        assert Moodle(http, base_url, MOODLE_TOKEN).courses_by_field("id", 2) == ()


# How Moodle says no: every line of the table in moodle.md section 1


@responses.activate
@pytest.mark.parametrize(
    ("name", "error", "status", "reason"),
    [
        ("error.invalidtoken", NotAllowed, 200, "invalidtoken"),
        ("error.emptytoken", NotAllowed, 200, "invalidtoken"),
        ("error.expiredtoken", NotAllowed, 200, "accessexception"),
        ("error.iprestricted", NotAllowed, 200, "accessexception"),
        ("error.function-not-in-service", NotAllowed, 200, "accessexception"),
        ("error.service-disabled", NotAllowed, 200, "accessexception"),
        ("error.user-not-authorised", NotAllowed, 200, "accessexception"),
        ("error.nonexistent-function", NotFound, 200, "invalidrecord"),
        ("error.user-suspended", NotAllowed, 200, "wsaccessusersuspended"),
        ("error.user-nologin", NotAllowed, 200, "wsaccessusernologin"),
        ("error.forcepasswordchange", NotAllowed, 200, "errorcoursecontextnotvalid"),
        ("error.course-hidden", NotAllowed, 200, "errorcoursecontextnotvalid"),
        ("error.not-enrolled-requireloginerror", NotAllowed, 200, "errorcoursecontextnotvalid"),
        ("error.nocap-completion", NotAllowed, 200, "requireloginerror"),
        ("error.nocap-grades", NotAllowed, 200, "requireloginerror"),
        ("error.bad-param-type", Refused, 200, "invalidparameter"),
        ("error.missing-param", Refused, 200, "invalidparameter"),
        ("error.unknown-param", Refused, 200, "invalidparameter"),
        ("error.nonexistent-course.contents", NotFound, 200, "invalidrecord"),
        ("error.nonexistent-user.completion", NotFound, 200, "invaliduser"),
        ("error.unenrolled-user.course-completion", Refused, 200, "notenroled"),
        ("error.webservices-disabled", NotAllowed, 403, ""),
        ("error.rest-protocol-disabled", NotAllowed, 403, ""),
    ],
)
def test_a_recorded_refusal_is_told_by_its_code(
    moodle: Moodle, name: str, error: type[NotAllowed | Refused], status: int, reason: str
) -> None:
    play_moodle(name)
    with pytest.raises(error) as caught:
        moodle.site_info()
    assert isinstance(caught.value, NotAllowed | Refused)
    assert (type(caught.value), caught.value.status, caught.value.reason) == (error, status, reason)


@responses.activate
@pytest.mark.parametrize("code", ["nopermissions", "nopermission", "cannotviewreport", "nopermissiontoviewgrades"])
def test_a_missing_capability_is_told_as_such(moodle: Moodle, code: str) -> None:
    responses.post(MOODLE_SERVER, json={"exception": "x", "errorcode": code, "message": "y"})
    with pytest.raises(NotAllowed, match="lacks a capability"):
        moodle.site_info()


@responses.activate
@pytest.mark.parametrize(
    ("name", "status", "retry_after_s"),
    [
        ("error.maintenance-mode-ui", 200, None),
        ("error.db-down", 200, None),
        ("error.maintenance-mode", 503, 300),
        ("error.cli-maintenance-file", 503, 300),
    ],
)
def test_a_recorded_trouble_that_passes_is_tried_later(
    moodle: Moodle, name: str, status: int, retry_after_s: int | None
) -> None:
    play_moodle(name)
    with pytest.raises(TryLater) as caught:
        moodle.site_info()
    assert (caught.value.status, caught.value.retry_after_s, caught.value.permanent) == (status, retry_after_s, False)


@responses.activate
@pytest.mark.parametrize("status", [429, 500, 502, 504])
def test_a_server_error_is_tried_later(moodle: Moodle, status: int) -> None:
    responses.post(MOODLE_SERVER, status=status, body="<html>Fatal error</html>", content_type="text/html")
    with pytest.raises(TryLater):
        moodle.site_info()


@responses.activate
def test_a_wrong_address_needs_a_person(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, status=404, body="<html>")
    with pytest.raises(Refused, match="no Moodle web service at this address") as caught:
        moodle.site_info()
    assert caught.value.permanent


@responses.activate
def test_a_redirect_names_the_address_as_the_likely_cause(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, status=301, headers={"Location": "https://www.uni.example/"})
    with pytest.raises(MalformedAnswer, match="wwwroot"):
        moodle.site_info()


@responses.activate
@pytest.mark.parametrize("body", ["", "<html>Sign in</html>", "[]", "null", '{"sitename": "x"}', '"x"', "\xff"])
def test_an_answer_of_another_shape_is_malformed(moodle: Moodle, body: str) -> None:
    responses.post(MOODLE_SERVER, body=body.encode("latin-1"))
    with pytest.raises(MalformedAnswer):
        moodle.site_info()


@responses.activate
def test_an_unknown_code_is_kept_and_its_message_is_not(moodle: Moodle) -> None:
    responses.post(
        MOODLE_SERVER, json={"exception": "x", "errorcode": "neverheardof", "message": f"your token {MOODLE_TOKEN}"}
    )
    with pytest.raises(Refused, match="neverheardof") as caught:
        moodle.site_info()
    assert MOODLE_TOKEN not in str(caught.value)


@responses.activate
def test_a_code_that_is_no_code_is_not_kept(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json={"exception": "x", "errorcode": f"token {MOODLE_TOKEN}", "message": ""})
    with pytest.raises(Refused, match="without a code") as caught:
        moodle.site_info()
    assert MOODLE_TOKEN not in str(caught.value)


@responses.activate
def test_no_error_says_our_token_or_a_page(moodle: Moodle) -> None:
    for name in ("error.maintenance-mode", "error.db-down", "error.invalidtoken", "error.user-suspended"):
        play_moodle(name)
        with pytest.raises(LmsError) as caught:
            moodle.site_info()
        text = html.unescape(str(caught.value))
        assert MOODLE_TOKEN not in text
        assert "<" not in text
        responses.reset()


# The site and its courses


@responses.activate
def test_the_site_says_who_we_are_and_what_we_may_call(moodle: Moodle) -> None:
    play_moodle("core_webservice_get_site_info", same_form=True)
    site = moodle.site_info()
    assert (site.site_name, site.site_url, site.user_id) == ("University A", MOODLE_URL, 35)
    assert site.release.startswith("4.5.6")
    assert "core_calendar_create_calendar_events" in site.functions


@responses.activate
@pytest.mark.parametrize(("name", "value"), [("idnumber", "SHARED-WS-2026"), ("shortname", "WORKSHOP")])
def test_a_course_is_found_by_a_field(moodle: Moodle, name: str, value: str) -> None:
    play_moodle(f"core_course_get_courses_by_field.{name}", same_form=True)
    assert moodle.courses_by_field(name, value) == (
        Course(course_id=2, shortname="WORKSHOP", fullname="Shared Online Workshop Series"),
    )


@responses.activate
def test_a_course_that_is_not_there_is_an_empty_answer(moodle: Moodle) -> None:
    play_moodle("core_course_get_courses_by_field.notfound", same_form=True)
    assert moodle.courses_by_field("idnumber", "nope") == ()
