"""Moodle's REST protocol and how it says no, against the recorded exchanges with a real Moodle."""

import html
from datetime import UTC, datetime

import pytest
import responses

from lms.errors import LmsError, MalformedAnswer, NotAllowed, NotFound, Refused, TryLater
from lms.moodle import Moodle
from lms.moodle_protocol import form_fields
from tests.unit.recordings import (
    MOODLE_SERVER,
    MOODLE_TOKEN,
    MOODLE_URL,
    loopback_session,
    play_moodle,
    recording,
    sent_form,
)

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


@responses.activate
def test_whoever_counts_calls_hears_of_each_right_before_it() -> None:
    calls_made: list[int] = []
    play_moodle("core_webservice_get_site_info")
    with loopback_session() as http:
        moodle = Moodle(http, MOODLE_URL, MOODLE_TOKEN, before_call=lambda: calls_made.append(len(responses.calls)))
        moodle.site_info()
        moodle.site_info()
    assert calls_made == [0, 1]


@responses.activate
def test_whoever_counts_calls_may_forbid_one() -> None:
    def forbid() -> None:
        raise TimeoutError

    with loopback_session() as http, pytest.raises(TimeoutError):
        Moodle(http, MOODLE_URL, MOODLE_TOKEN, before_call=forbid).site_info()
    assert len(responses.calls) == 0


# How Moodle says no: every line of the table in moodle.md section 1


ALL_CALLS, THIS_CALL = True, False  # would fail now


@responses.activate
@pytest.mark.parametrize(
    ("name", "error", "of_platform", "reason", "sentence"),
    [
        ("error.invalidtoken", NotAllowed, ALL_CALLS, "invalidtoken", "make a new one"),
        ("error.emptytoken", NotAllowed, ALL_CALLS, "invalidtoken", "make a new one"),
        ("error.expiredtoken", NotAllowed, THIS_CALL, "accessexception", "has expired"),
        ("error.iprestricted", NotAllowed, THIS_CALL, "accessexception", "another address"),
        ("error.function-not-in-service", NotAllowed, THIS_CALL, "accessexception", "this function"),
        ("error.service-disabled", NotAllowed, THIS_CALL, "accessexception", "the service is off"),
        ("error.user-not-authorised", NotAllowed, THIS_CALL, "accessexception", "our account is missing"),
        ("error.nonexistent-function", NotFound, THIS_CALL, "invalidrecord", "the function itself"),
        ("error.user-suspended", NotAllowed, ALL_CALLS, "wsaccessusersuspended", "it is suspended"),
        ("error.user-nologin", NotAllowed, ALL_CALLS, "wsaccessusernologin", "not allowed to use web services"),
        ("error.forcepasswordchange", NotAllowed, THIS_CALL, "errorcoursecontextnotvalid", "change its password"),
        ("error.course-hidden", NotAllowed, THIS_CALL, "errorcoursecontextnotvalid", "must not be hidden"),
        ("error.not-enrolled-requireloginerror", NotAllowed, THIS_CALL, "errorcoursecontextnotvalid", "course:view"),
        ("error.nocap-enrolled_users", NotAllowed, THIS_CALL, "errorcoursecontextnotvalid", "course:view"),
        ("error.nocap-completion", NotAllowed, THIS_CALL, "requireloginerror", "moodle/course:view there"),
        ("error.nocap-grades", NotAllowed, THIS_CALL, "requireloginerror", "moodle/course:view there"),
        ("error.bad-param-type", Refused, THIS_CALL, "invalidparameter", "does not take the values"),
        ("error.missing-param", Refused, THIS_CALL, "invalidparameter", "does not take the values"),
        ("error.unknown-param", Refused, THIS_CALL, "invalidparameter", "does not take the values"),
        ("core_enrol_get_enrolled_users.bad-sortby", Refused, THIS_CALL, "invalidparameter", "does not take"),
        ("error.nonexistent-course.contents", NotFound, THIS_CALL, "invalidrecord", "a course"),
        ("error.nonexistent-course.completion", NotFound, THIS_CALL, "invalidrecord", "a course"),
        ("error.nonexistent-course.enrolled", NotFound, THIS_CALL, "invalidrecord", "a course"),
        ("error.nonexistent-user.completion", NotFound, THIS_CALL, "invaliduser", "this person"),
        ("error.nonexistent-user.course-completion", NotFound, THIS_CALL, "invaliduser", "this person"),
        ("error.unenrolled-user.course-completion", Refused, THIS_CALL, "notenroled", "not enrolled"),
        ("core_enrol_get_enrolled_users.onlyactive", NotAllowed, THIS_CALL, "nopermissions", "lacks a capability"),
        ("error.webservices-disabled", NotAllowed, ALL_CALLS, "", "switched off"),
        ("error.rest-protocol-disabled", NotAllowed, ALL_CALLS, "", "REST protocol"),
    ],
)
def test_a_recorded_refusal_is_told_by_its_code(
    moodle: Moodle, name: str, error: type[NotAllowed | Refused], *, of_platform: bool, reason: str, sentence: str
) -> None:
    play_moodle(name)
    with pytest.raises(error, match=sentence) as caught:
        moodle.site_info()
    refusal = caught.value
    assert isinstance(refusal, NotAllowed | Refused)
    assert (type(refusal), refusal.reason, refusal.of_platform) == (error, reason, of_platform)
    assert refusal.status == recording(name)["status"]


@responses.activate
def test_an_expired_token_is_not_allowed_at_first_and_afterwards(moodle: Moodle) -> None:
    for name in ("error.expiredtoken", "error.invalidtoken"):  # Moodle deletes it when it is used
        play_moodle(name)
        with pytest.raises(NotAllowed):
            moodle.site_info()


@responses.activate
@pytest.mark.parametrize("name", ["error.pending-upgrade", "error.user-notfullysetup"])
def test_a_moodle_in_need_of_care_may_answer_all_the_same(moodle: Moodle, name: str) -> None:
    play_moodle(name)
    (course,) = moodle.courses_by_field("id", 2)
    assert course.shortname == "WORKSHOP"


@responses.activate
@pytest.mark.parametrize(
    "code",
    ["nopermissions", "nopermission", "cannotviewreport", "nopermissiontoviewgrades", "nopermissiontoupdatecalendar"],
)
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
    assert caught.value.of_platform


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
    assert (caught.value.permanent, caught.value.of_platform) == (True, True)


@responses.activate
def test_a_redirect_names_the_address_as_the_likely_cause(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, status=301, headers={"Location": "https://www.uni.example/"})
    with pytest.raises(MalformedAnswer, match="wwwroot") as caught:
        moodle.site_info()
    assert caught.value.of_platform


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
