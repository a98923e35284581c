"""Cases 77 to 82: `exp` and `iat`."""

import json
import time

import pytest

from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest

YEAR = 365 * 24 * 3600


@pytest.mark.parametrize("name", [pytest.param("exp", id="lti_077-exp"), pytest.param("iat", id="lti_078-iat")])
def test_a_token_without_its_time_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, name: str) -> None:
    page = tool.refuses_token("claim_missing", login, browser, login.id_token(without=(name,)))
    assert f"Claim: {name}" in page


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize(
    "value", ["1790000000", True, None, -1, -0.5, [1], {}, 1e300, 10**30, 10**400], ids=lambda value: str(value)[:12]
)
def test_lti_079_a_time_that_is_no_number_of_seconds_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, name: str, value: object
) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({name: value}))


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "0x10", "01"])
def test_lti_079_a_time_that_is_not_even_json_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, name: str, value: str
) -> None:
    payload = json.dumps(login.claims({name: "here"})).replace('"here"', value).encode()
    code = "claim_malformed" if value == "1e999" else "token_malformed"
    tool.refuses_token(code, login, browser, malta.sign(payload))


@pytest.mark.parametrize("value", [0.5, 0.0])
def test_lti_079_a_time_with_a_fraction_is_accepted(browser: Browser, login: Login, value: float) -> None:
    now = int(time.time()) + value
    browser.open_visit(login, login.id_token({"iat": now, "exp": now + 300}))


def test_lti_080_pitfall_16_iat_30_s_ahead_is_accepted(browser: Browser, login: Login) -> None:
    browser.open_visit(login, login.id_token({"iat": int(time.time()) + 30}))


def test_lti_080_iat_10_min_ahead_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    ahead = int(time.time()) + 600
    token = login.id_token({"iat": ahead, "exp": ahead + 300})
    assert "Set the clock of the LMS" in tool.refuses_token("token_from_future", login, browser, token)


def test_lti_081_exp_30_s_ago_is_accepted(browser: Browser, login: Login) -> None:
    now = int(time.time())
    browser.open_visit(login, login.id_token({"iat": now - 60, "exp": now - 30}))


def test_lti_081_exp_10_min_ago_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    now = int(time.time())
    tool.refuses_token("token_expired", login, browser, login.id_token({"iat": now - 900, "exp": now - 600}))


@pytest.mark.parametrize("age_s", [YEAR, 11 * 60])
def test_lti_082_an_old_token_that_expires_far_ahead_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, age_s: int
) -> None:
    now = int(time.time())
    tool.refuses_token("token_too_old", login, browser, login.id_token({"iat": now - age_s, "exp": now + YEAR}))
