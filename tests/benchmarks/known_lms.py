"""What the peer and the floor know of the one LMS: handed to their processes in the environment."""

import os

import msgspec

from tests.integration.lti.lms import Lms, public_jwk

VARIABLE = "BENCHMARK_LMS"


class KnownLms(msgspec.Struct, frozen=True, kw_only=True):
    issuer: str
    client_id: str
    deployment_id: str
    authorization_endpoint: str
    public_key: dict[str, str]


def to_environment(lms: Lms) -> dict[str, str]:
    known = KnownLms(
        issuer=lms.issuer,
        client_id=lms.client_id,
        deployment_id=lms.deployment_id,
        authorization_endpoint=lms.authorization_endpoint.partition("?")[0],  # PyLTI1p3 always adds a `?` of its own
        public_key=public_jwk(lms.key, lms.kid),
    )
    return {VARIABLE: msgspec.json.encode(known).decode()}


_KNOWN_LMS = msgspec.json.Decoder(KnownLms)


def from_environment() -> KnownLms:
    return _KNOWN_LMS.decode(os.environ[VARIABLE])
