"""Tokens that the LMS's key did not sign as they stand."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.integration.lti.lms import base64url, rsa_key, sign
from tests.integration.lti.sending import Sent, token
from tests.integration.lti.tool import Login


def without_kid(login: Login) -> str:
    return login.lms.sign(login.claims(), header={"badtestonly": "12345", "alg": "RS256"})


def unsigned(alg: Any) -> Sent:
    def makes(login: Login) -> str:
        good = login.lms.sign(login.claims(), header={"alg": alg, "kid": login.lms.kid})
        return good.rpartition(".")[0] + "."

    return token(f"`alg` `{json.dumps(alg)}` and no signature", makes)


def hs256_with_the_public_key(login: Login) -> str:
    secret = login.lms.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = base64url(json.dumps({"alg": "HS256", "kid": login.lms.kid}).encode())
    signed = f"{header}.{base64url(json.dumps(login.claims()).encode())}"
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def rs384(login: Login) -> str:
    return sign(login.claims(), header={"alg": "RS384", "kid": login.lms.kid}, key=login.lms.key, digest=SHA384())


def other_payload(login: Login) -> str:
    header, _, signature = login.id_token().split(".")
    return f"{header}.{base64url(json.dumps(login.claims({'sub': 'teacher-1'})).encode())}.{signature}"


def strangers_key(login: Login) -> str:
    return login.lms.sign(login.claims(), key=rsa_key("a stranger's"))


def signature(says: str, damaged: Callable[[bytes], bytes]) -> Sent:
    def makes(login: Login) -> str:
        signed, _, text = login.id_token().rpartition(".")
        return f"{signed}.{base64url(damaged(base64.urlsafe_b64decode(text + '==')))}"

    return token(says, makes)
