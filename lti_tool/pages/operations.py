"""For other programs: our keys for every LMS, and for whoever watches the service, whether it can work."""

from flask import Blueprint, Response, jsonify

from lms.tool_keys import published_keys
from lti_tool.tool import Tool, the_tool
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.keys import WrongEncryptionKey
from series.store.schema import is_current

blueprint = Blueprint("operations", __name__)


@blueprint.get("/lti/jwks.json")
def jwks() -> Response:
    """Our public keys: https://www.imsglobal.org/spec/security/v1p0#h_key-set-url"""
    tool = the_tool()
    response = jsonify(published_keys(tool.database, encryption_key=tool.settings.encryption_key, now=tool.clock.now()))
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


@blueprint.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database there, migrations done, keys readable."""
    tool = the_tool()
    try:
        checks = {"database": True, "migrations": is_current(tool.database)}
        if checks["migrations"]:
            checks["keys"] = _has_keys(tool)
    except (DatabaseBusy, DatabaseUnreachable):
        checks = {"database": False}
    ready = all(checks.values())
    return jsonify(status="ready" if ready else "not ready", checks=checks), 200 if ready else 503


def _has_keys(tool: Tool) -> bool:
    try:
        keys = published_keys(tool.database, encryption_key=tool.settings.encryption_key, now=tool.clock.now())
    except WrongEncryptionKey:
        return False
    return bool(keys["keys"])
