"""Cases 72 to 76: the LMS's key set. Slow and private addresses in all their forms are tested with the guarded client,
several processes with the key cache."""

import gzip
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from lti_tool.app import WAITING_FOR_ONE_LMS
from tests.integration.lti.lms import KeySetAnswer, Lms, public_jwk, rsa_key
from tests.integration.lti.tool import Browser, Login, ToolUnderTest
from tests.waiting import until

MINUTE_LATER = timedelta(seconds=61)


def test_lti_072_two_keys_with_one_kid_are_not_chosen_between(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    malta.publish(public_jwk(malta.key, malta.kid), public_jwk(rsa_key("a stranger's"), malta.kid))
    tool.refuses_token("key_unknown", login, browser, login.id_token())


def test_lti_073_pitfall_15_a_key_without_alg_is_accepted(browser: Browser, login: Login, malta: Lms) -> None:
    key = public_jwk(malta.key, malta.kid)
    del key["alg"]
    malta.publish(key)
    browser.open_visit(login)


@pytest.mark.parametrize(
    "answer",
    [
        KeySetAnswer(status=500, body=b"{}"),
        KeySetAnswer(body=b"<!doctype html><title>Log in</title>"),
        KeySetAnswer(body=b'{"keys": []}'),
        KeySetAnswer(body=b'{"keys": [' + b" " * 10_000_000 + b"]}"),
        KeySetAnswer(status=302, body=b"", headers={"Location": "http://169.254.169.254/keys.json"}),
        KeySetAnswer(status=404, body=b""),
        KeySetAnswer(body=b'{"keys": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}"),
        KeySetAnswer(body=gzip.compress(b" " * 50_000_000, 1), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["500", "not-json", "empty", "10-mb", "redirect", "404", "nested", "bomb"],
)
def test_lti_074_a_key_set_that_cannot_be_had_is_said_so(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, answer: KeySetAnswer
) -> None:
    malta.answer_with(answer)
    with capture_logs() as records:
        page = browser.launch(login)
    assert page.status_code == 503
    assert "keys cannot be read at the moment" in page.text
    assert [(record["code"], record["platform"]) for record in records] == [("keys_unreachable", "malta")]
    assert not any(tool.rows()[name] for name in ("visit", "spent_nonce", "participant"))


def test_lti_074_a_slow_key_set_is_given_up(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lms.platform_keys.FETCH_WITHIN_S", 0.2)
    go_on = threading.Event()
    malta.answer_with(KeySetAnswer(body=b"", not_before=go_on))
    assert browser.launch(login).status_code == 503
    go_on.set()


def test_launches_with_a_known_key_make_no_outgoing_call(browser: Browser, malta: Lms) -> None:
    for _ in range(3):
        browser.open_visit(browser.begin_login(malta))
    assert malta.times_asked_for_keys == 1


def test_lti_074_pitfall_17_a_failing_key_set_does_not_stop_launches_with_known_keys(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    browser.open_visit(browser.begin_login(malta))
    malta.answer_with(KeySetAnswer(status=500, body=b""))
    tool.jump(timedelta(hours=25))
    login = browser.begin_login(malta)
    later = {name: login.claims()[name] + 25 * 3600 for name in ("iat", "exp")}
    browser.open_visit(login, login.id_token(later))
    assert malta.times_asked_for_keys == 2


def test_lti_075_pitfall_17_a_key_that_was_rotated_is_accepted_at_once(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    browser.open_visit(browser.begin_login(malta))
    malta.publish(public_jwk(rsa_key("malta's next"), "next"))
    tool.jump(MINUTE_LATER)
    login = browser.begin_login(malta)
    header = {"alg": "RS256", "kid": "next"}
    browser.open_visit(login, malta.sign(login.claims(), header=header, key=rsa_key("malta's next")))


def test_lti_076_a_flood_of_unknown_kids_causes_one_fetch_in_a_cool_down(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    browser.open_visit(browser.begin_login(malta))
    login = browser.begin_login(malta)
    for later, fetches in ((timedelta(0), 1), (MINUTE_LATER, 2), (2 * MINUTE_LATER, 3)):
        tool.jump(later)
        for number in range(5):
            token = malta.sign(login.claims(), header={"alg": "RS256", "kid": f"unknown-{number}"})
            tool.refuses_token("key_unknown", login, browser, token)
        assert malta.times_asked_for_keys == fetches


@pytest.mark.parametrize("keys_at_hand", [False, True])
def test_who_launches_while_the_keys_are_fetched_waits_for_them(
    tool: ToolUnderTest, malta: Lms, keys_at_hand: object
) -> None:
    if keys_at_hand:  # and then rotated
        browser = tool.new_browser()
        malta.publish(public_jwk(rsa_key("malta's last"), "last"))
        login = browser.begin_login(malta)
        header = {"alg": "RS256", "kid": "last"}
        browser.open_visit(login, malta.sign(login.claims(), header=header, key=rsa_key("malta's last")))
        tool.jump(MINUTE_LATER)
    asked_before, go_on = malta.times_asked_for_keys, threading.Event()
    key_set = json.dumps({"keys": [public_jwk(malta.key, malta.kid)]}).encode()
    malta.answer_with(KeySetAnswer(body=key_set, not_before=go_on))
    browsers = [tool.new_browser() for _ in range(2)]
    logins = [browser.begin_login(malta) for browser in browsers]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(browsers[0].launch, logins[0])
        until(lambda: malta.times_asked_for_keys > asked_before, "the keys are asked for", within_s=10)
        second: Future[TestResponse] = pool.submit(browsers[1].launch, logins[1])
        wait_for([second], timeout=0.3)
        go_on.set()
    assert [first.result().status_code, second.result().status_code] == [303, 303]


def test_an_lms_whose_keys_do_not_come_holds_up_few_threads_and_no_other_lms(
    tool: ToolUnderTest, malta: Lms, vilnius: Lms
) -> None:
    go_on = threading.Event()
    key_set = json.dumps({"keys": [public_jwk(malta.key, malta.kid)]}).encode()
    malta.answer_with(KeySetAnswer(body=key_set, not_before=go_on))
    browsers = [tool.new_browser() for _ in range(10)]
    logins = [browser.begin_login(malta) for browser in browsers]
    with ThreadPoolExecutor(10) as pool:
        launched = [pool.submit(browser.launch, login) for browser, login in zip(browsers, logins, strict=True)]
        turned_away = 10 - WAITING_FOR_ONE_LMS
        until(lambda: sum(one.done() for one in launched) == turned_away, "some are told to try again", within_s=20)
        other = tool.new_browser()
        other.open_visit(other.begin_login(vilnius))
        go_on.set()
    answers = [one.result() for one in launched]
    assert sorted(answer.status_code for answer in answers) == [303] * WAITING_FOR_ONE_LMS + [503] * turned_away
    assert {answer.headers.get("Retry-After") for answer in answers if answer.status_code == 503} == {"5"}
    assert malta.times_asked_for_keys == 1
