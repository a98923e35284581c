"""The peer: PyLTI1p3's Flask adapter at its best.

Everything is in memory, the key set is static, the configuration is read once, and one HTTP session is shared (without
one, each launch makes its own). It serves plain http here, so it sets no session cookie and no SameSite either.
https://github.com/dmitry-viskov/pylti1.3
"""

import time

from flask import Flask, Response, redirect
from pylti1p3.contrib.flask import FlaskCacheDataStorage, FlaskMessageLaunch, FlaskOIDCLogin, FlaskRequest
from pylti1p3.tool_config import ToolConfDict
from requests import Session

from tests.benchmarks.known_lms import from_environment
from tests.integration.lti.tool import LAUNCH_URL


class MemoryCache:
    """What Flask-Caching's SimpleCache does, without its pickling."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, object]] = {}

    def get(self, key: str) -> object:
        expires_at, value = self._values.get(key, (0.0, None))
        return value if expires_at > time.time() else None

    def set(self, key: str, value: object, timeout_s: int) -> None:
        self._values[key] = (time.time() + timeout_s, value)


def make_app() -> Flask:
    lms = from_environment()
    registration = {
        "client_id": lms.client_id,
        "auth_login_url": lms.authorization_endpoint,
        "auth_token_url": f"{lms.issuer}/token",
        "key_set_url": None,
        "key_set": {"keys": [lms.public_key]},
        "deployment_ids": [lms.deployment_id],
    }
    tool_conf, storage, http = ToolConfDict({lms.issuer: registration}), FlaskCacheDataStorage(MemoryCache()), Session()
    app = Flask(__name__)

    @app.post("/lti/login/<_slug>")
    def login(_slug: str) -> Response:
        return FlaskOIDCLogin(FlaskRequest(), tool_conf, launch_data_storage=storage).redirect(LAUNCH_URL)

    @app.post("/lti/launch")
    def launch() -> Response:
        message = FlaskMessageLaunch(
            FlaskRequest(), tool_conf, launch_data_storage=storage, requests_session=http
        ).validate()
        assert message.get_launch_data()["sub"]
        return redirect(f"/visit/{message.get_launch_id()}/", 303)

    return app
