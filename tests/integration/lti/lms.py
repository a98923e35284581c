"""An LMS of the test: its own keys, its key set over real HTTP, and the claims of a valid launch.

It signs by hand, without the library that the tool verifies with, so that it can sign nonsense, too.
"""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm

Claims = dict[str, Any]
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"


def claim(name: str) -> str:
    """The full name of an LTI claim."""
    return f"https://purl.imsglobal.org/spec/lti/claim/{name}"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name, made once for the whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    n, e = (base64url(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": n, "e": e}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, kw_only=True)
class KeySetAnswer:
    """What the address of a key set answers."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    not_before: threading.Event | None = None


class KeySets:
    """A server on loopback for the key sets of all LMSs of the tests, by path. `asked` counts the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, KeySetAnswer] = {}
        self.asked: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        key_sets = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key_sets.asked[self.path] += 1
                answer = key_sets.answers.get(self.path, KeySetAnswer(status=404, body=b""))
                if answer.not_before is not None:
                    answer.not_before.wait(10)
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):  # the tool may have read enough
                    self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


@dataclass(frozen=True, kw_only=True)
class Lms:
    """One registered LMS. With a `cloud`, it has issuer and deployment id of all customers there."""

    slug: str
    key_sets: KeySets
    jwks_path: str
    cloud: str | None = None

    @property
    def issuer(self) -> str:
        return f"https://{self.cloud or self.slug}.lms.example"

    @property
    def client_id(self) -> str:
        return f"client-of-{self.slug}"

    @property
    def deployment_id(self) -> str:
        return f"deployment-of-{self.cloud or self.slug}"

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.issuer}/auth.php?site={self.slug}&empty="

    @property
    def jwks_uri(self) -> str:
        return self.key_sets.url(self.jwks_path)

    @property
    def kid(self) -> str:
        return f"key-of-{self.slug}"

    @property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa_key(self.slug)

    @property
    def times_asked_for_keys(self) -> int:
        return self.key_sets.asked[self.jwks_path]

    def publish(self, *keys: Mapping[str, str]) -> None:
        """Publish these keys, or the LMS's own."""
        published = list(keys) or [public_jwk(self.key, self.kid)]
        self.answer_with(KeySetAnswer(body=json.dumps({"keys": published}).encode()))

    def answer_with(self, answer: KeySetAnswer) -> None:
        self.key_sets.answers[urlsplit(self.jwks_uri).path] = answer

    def sign(self, claims: object, *, header: object = None, key: rsa.RSAPrivateKey | None = None) -> str:
        """An id_token. `claims` are JSON values, or bytes that are taken as they are."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self.kid} if header is None else header
        return sign(claims, header=header, key=key or self.key)


def sign(claims: object, *, header: object, key: rsa.RSAPrivateKey, digest: HashAlgorithm | None = None) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signing_input = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
    signature = key.sign(signing_input.encode(), padding.PKCS1v15(), digest or SHA256())
    return f"{signing_input}.{base64url(signature)}"


def valid_claims(lms: Lms, *, nonce: str, target_link_uri: str, now: float | None = None) -> Claims:
    """A student of a course opens the activity."""
    now = time.time() if now is None else now
    return {
        "iss": lms.issuer,
        "aud": lms.client_id,
        "sub": "student-5",
        "iat": int(now),
        "exp": int(now) + 300,
        "nonce": nonce,
        "name": "Marija Borg",
        "given_name": "Marija",
        "family_name": "Borg",
        "email": "marija.borg@lms.example",
        claim("version"): "1.3.0",
        claim("message_type"): "LtiResourceLinkRequest",
        claim("deployment_id"): lms.deployment_id,
        claim("target_link_uri"): target_link_uri,
        claim("roles"): [LEARNER],
        claim("resource_link"): {"id": "activity-1", "title": "The series"},
        claim("context"): {"id": "course-1", "title": "Physics teaching", "label": "PHY"},
        claim("launch_presentation"): {"return_url": f"{lms.issuer}/course/view.php?id=1", "locale": "en"},
        AGS: {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
            "lineitem": f"{lms.issuer}/lineitems/1/lineitem?type_id=1",
        },
    }
