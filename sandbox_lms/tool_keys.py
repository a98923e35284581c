"""The tool's public keys, as it publishes them now: fetched for every token, so that a rotation needs no waiting."""

import requests
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sandbox_lms.site import Site

TIMEOUT_S = 10


class ToolKeysUnreachable(Exception):
    """The tool's key set cannot be fetched or read."""


def tool_key_set(site: Site) -> KeySet:
    try:
        answer = requests.get(f"{site.tool_url}/lti/jwks.json", timeout=TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        return KeySet.import_key_set(answer.json())
    except (requests.RequestException, ValueError, KeyError, TypeError, JoseError) as error:
        raise ToolKeysUnreachable from error
