"""Cases 65 to 71: who signed, and how."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.integration.lti.lms import Lms, base64url, public_jwk, rsa_key, sign
from tests.integration.lti.tool import Browser, Login, ToolUnderTest


@pytest.mark.parametrize("alg", ["none", "None", "", None, 5, ["RS256"]])
def test_lti_065_no_algorithm_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, alg: object
) -> None:
    header, payload, _ = malta.sign(login.claims(), header={"alg": alg, "kid": malta.kid}).split(".")
    tool.refuses_token("algorithm_refused", login, browser, f"{header}.{payload}.")


def test_lti_066_hs256_with_the_public_key_as_its_secret_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    secret = malta.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = base64url(json.dumps({"alg": "HS256", "kid": malta.kid}).encode())
    signing_input = f"{header}.{base64url(json.dumps(login.claims()).encode())}"
    signature = base64url(hmac.digest(secret, signing_input.encode(), hashlib.sha256))
    tool.refuses_token("algorithm_refused", login, browser, f"{signing_input}.{signature}")


def test_lti_067_rs384_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms) -> None:
    header = {"alg": "RS384", "kid": malta.kid}
    token = sign(login.claims(), header=header, key=malta.key, digest=SHA384())
    tool.refuses_token("algorithm_refused", login, browser, token)


def test_lti_068_a_tampered_payload_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms) -> None:
    header, _, signature = login.id_token().split(".")
    payload = base64url(json.dumps(login.claims({"sub": "teacher-1"})).encode())
    tool.refuses_token("signature_wrong", login, browser, f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("damage", ["changed", "empty", "short", "other"])
def test_lti_069_a_tampered_signature_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, damage: str
) -> None:
    signing_input, _, text = login.id_token().rpartition(".")
    signature = bytearray(base64.urlsafe_b64decode(text + "=="))
    signature[0] ^= 1
    damaged = {"changed": bytes(signature), "empty": b"", "short": bytes(signature[:-1]), "other": b"\0" * 256}
    tool.refuses_token("signature_wrong", login, browser, f"{signing_input}.{base64url(damaged[damage])}")


def test_lti_070_another_key_under_the_same_kid_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    token = malta.sign(login.claims(), key=rsa_key("a stranger's"))
    tool.refuses_token("signature_wrong", login, browser, token)


@pytest.mark.parametrize(
    "critical",
    [{"crit": ["exp"], "exp": 1}, {"crit": ["odd"], "odd": 1}, {"crit": ["odd"]}, {"crit": "odd"}, {"crit": 5}],
    ids=str,
)
def test_lti_071_a_critical_header_that_we_do_not_know_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, critical: dict[str, object]
) -> None:
    token = malta.sign(login.claims(), header={"alg": "RS256", "kid": malta.kid, **critical})
    tool.refuses_token("signature_wrong", login, browser, token)


def test_lti_071_a_header_that_is_not_critical_is_ignored(browser: Browser, login: Login, malta: Lms) -> None:
    token = malta.sign(login.claims(), header={"alg": "RS256", "kid": malta.kid, "typ": "JWT", "odd": 1})
    browser.open_visit(login, token)


@pytest.mark.parametrize("header", ["alg", ["alg"], 5, None, {"kid": "x"}], ids=str)
def test_a_header_that_is_none_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, header: object
) -> None:
    token = sign(login.claims(), header=header, key=malta.key)
    tool.refuses_token("token_malformed", login, browser, token)


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "a.b.c.d.e", "….….…", "\0.\0.\0", "eyJ9.e30.AA"])
def test_a_token_that_is_none_is_refused(tool: ToolUnderTest, browser: Browser, login: Login, token: str) -> None:
    tool.refuses_token("token_malformed", login, browser, token)


def test_a_key_set_with_a_strangers_key_too_takes_only_the_named_one(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    malta.publish(public_jwk(malta.key, malta.kid), public_jwk(rsa_key("a stranger's"), "strange"))
    token = malta.sign(login.claims(), header={"alg": "RS256", "kid": "strange"})
    tool.refuses_token("signature_wrong", login, browser, token)
    browser.open_visit(login)
