"""A tool made of PyLTI1p3's Flask adapter as its README shows it, to be sent the same launches as ours.

Its best case: served over https, so that its storage is bound to a session cookie; the platforms' key sets given to it;
everything else in memory.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response
from pylti1p3.contrib.flask import FlaskCacheDataStorage, FlaskMessageLaunch, FlaskOIDCLogin, FlaskRequest
from pylti1p3.exception import LtiException, OIDCException
from pylti1p3.tool_config import ToolConfDict

from tests.integration.lti.lms import Lms


class MemoryCache:
    """What the adapter asks of a cache. It forgets nothing: no test runs for the day that entries are kept."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def set(self, key: str, value: Any, _expires_in_s: int | None) -> None:
        self._values[key] = value


@dataclass(kw_only=True)
class Registered:
    """The platforms of the configuration, with the deployments of each."""

    deployment_ids: dict[Lms, list[str]]
    cache: MemoryCache = field(default_factory=MemoryCache)

    def configuration(self) -> ToolConfDict:
        """One issuer with many client ids: the form that the README recommends."""
        return ToolConfDict({lms.issuer: [self._entry(lms)] for lms in self.deployment_ids})

    def storage(self) -> FlaskCacheDataStorage:
        return FlaskCacheDataStorage(self.cache)

    def _entry(self, lms: Lms) -> dict[str, Any]:
        return {
            "default": True,
            "client_id": lms.client_id,
            "auth_login_url": f"{lms.issuer}/auth.php",
            "auth_token_url": f"{lms.issuer}/token",
            "key_set": json.loads(lms.key_sets.answers[urlsplit(lms.jwks_uri).path].body),
            "deployment_ids": self.deployment_ids[lms],
        }


def create_pylti1p3_app(registered: Registered) -> Flask:
    """At our own addresses. 200 with the role in the course, 400 for its two exceptions, 500 for any other."""
    app = Flask("pylti1p3_tool")

    @app.route("/lti/login", methods=["GET", "POST"])
    @app.route("/lti/login/<_platform>", methods=["GET", "POST"])  # one address for all: the issuer tells
    def login(_platform: str = "") -> Response:
        request = FlaskRequest()
        oidc_login = FlaskOIDCLogin(request, registered.configuration(), launch_data_storage=registered.storage())
        answer: Response = oidc_login.redirect(request.get_param("target_link_uri"))
        return answer

    @app.post("/lti/launch")
    def launch() -> dict[str, bool]:
        message_launch = FlaskMessageLaunch(
            FlaskRequest(), registered.configuration(), launch_data_storage=registered.storage()
        )
        message_launch.get_launch_data()
        teaches = message_launch.check_teacher_access() or message_launch.check_teaching_assistant_access()
        return {"is_teacher": teaches, "is_learner": message_launch.check_student_access()}

    @app.errorhandler(LtiException)
    @app.errorhandler(OIDCException)
    def refused(error: Exception) -> tuple[str, int]:
        return str(error), 400

    return app
