"""Cases 1 to 12, 105 and 111: known bad payloads, well signed unless the case says otherwise."""

import pytest

from tests.integration.lti.lms import AGS, Lms, claim
from tests.integration.lti.tool import Browser, Login, ToolUnderTest


def test_lti_001_a_header_without_kid_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    token = malta.sign(login.claims(), header={"badtestonly": "12345", "alg": "RS256"})
    tool.refuses_token("key_id_missing", login, browser, token)


@pytest.mark.parametrize("kid", ["", 5, None, ["key-of-malta"]])
def test_lti_001_a_kid_that_is_no_text_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, kid: object
) -> None:
    token = malta.sign(login.claims(), header={"alg": "RS256", "kid": kid})
    tool.refuses_token("key_id_missing", login, browser, token)


def test_lti_002_a_kid_that_is_not_in_the_key_set_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    token = malta.sign(login.claims(), header={"alg": "RS256", "kid": "another"})
    tool.refuses_token("key_unknown", login, browser, token)


@pytest.mark.parametrize("version", ["11.3", "1.2.0", "not-1.3", "1.3", "1.3.1", "1.3.0 "])
def test_lti_003_another_version_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, version: str) -> None:
    tool.refuses_token("version_wrong", login, browser, login.id_token({"version": version}))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("version", id="lti_004-version"),
        pytest.param("message_type", id="lti_008-message_type"),
        pytest.param("roles", id="lti_009-roles"),
        pytest.param("deployment_id", id="lti_010-deployment_id"),
        pytest.param("resource_link", id="lti_011-resource_link"),
        pytest.param("sub", id="lti_012-sub"),
    ],
)
def test_a_launch_without_a_required_claim_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, name: str
) -> None:
    page = tool.refuses_token("claim_missing", login, browser, login.id_token(without=(name,)))
    assert f"Claim: {name}" in page


def test_lti_005_what_is_no_lti_message_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    tool.refuses_token("claim_missing", login, browser, malta.sign({"name": "badltilaunch"}))


def test_lti_006_several_missing_claims_are_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    token = login.id_token(without=("message_type", "version", "roles"))
    tool.refuses_token("claim_missing", login, browser, token)


def test_lti_007_times_of_long_ago_are_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("token_expired", login, browser, login.id_token({"iat": 11111, "exp": 22222}))


def test_lti_011_a_resource_link_without_id_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({"resource_link": {"title": "The series"}}))


@pytest.mark.parametrize(
    "payload",
    [b'["iss"]', b"5", b"null", b'"iss"', b"", b"{", b"\xff\xfe", b'{"name":"\xff"}', b'{"name":' + b"[" * 40_000],
    ids=["list", "number", "null", "text", "empty", "cut-off", "utf-16", "not-utf-8-inside", "deep"],
)
def test_lti_105_a_payload_that_is_no_json_object_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, payload: bytes
) -> None:
    code = "claim_malformed" if payload[:1] in {b"[", b"5", b"n", b'"'} else "token_malformed"
    tool.refuses_token(code, login, browser, malta.sign(payload))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (claim("context"), "course-1"),
        (claim("context"), {"title": "no id"}),
        (claim("context"), {"id": 5}),
        (claim("context"), {"id": ""}),
        (claim("custom"), ["a"]),
        (claim("custom"), {"a": {"b": "c"}}),
        (AGS, "https://malta.lms.example/lineitems"),
        (AGS, {"scope": "score"}),
        (AGS, {"lineitem": 5}),
        (claim("launch_presentation"), "iframe"),
        (claim("launch_presentation"), {"return_url": 5}),
    ],
)
def test_lti_105_a_claim_of_a_wrong_type_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, name: str, value: object
) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({name: value}))


@pytest.mark.parametrize(
    "message_type", ["LtiSubmissionReviewRequest", "LtiStartProctoring", "basic-lti-launch-request"]
)
def test_lti_111_an_unknown_message_type_is_refused_in_words(
    tool: ToolUnderTest, browser: Browser, login: Login, message_type: str
) -> None:
    page = tool.refuses_token("message_type_unknown", login, browser, login.id_token({"message_type": message_type}))
    assert "does not know that type of LTI message" in page
