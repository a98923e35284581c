"""Our addresses as an administrator enters them by hand, each under the name that the field has in their LMS; and the
configuration that Canvas reads by itself.

https://developerdocs.instructure.com/services/canvas/external-tools/lti/file.lti_dev_key_config
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, request

from lms.products import Product
from lms.products.canvas import REGISTRATION, privacy_level
from lti_tool.pages.register_steps import STEPS
from lti_tool.protocol.constants import DEEP_LINKING_REQUEST
from lti_tool.protocol.registration import CUSTOM_PARAMETERS, DESCRIPTION, SCOPES
from lti_tool.tool import the_tool

blueprint = Blueprint("register_addresses", __name__, url_prefix="/lti")
SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class OurAddress:
    """One field of the LMS's form; `key` is its id on our page."""

    key: str
    label: str
    value: str


def addresses_of(public_url: str, slug: str, product: Product) -> list[OurAddress]:
    values = {
        "target": f"{public_url}/lti/launch",
        "login": f"{public_url}/lti/login/{slug}",
        "redirect": f"{public_url}/lti/launch",
        "keys": f"{public_url}/lti/jwks.json",
        "deep_link": f"{public_url}/lti/launch",
        "domain": urlsplit(public_url).netloc,
        "custom": "\n".join(f"{name}={value}" for name, value in CUSTOM_PARAMETERS.items()),
        "json": f"{public_url}/lti/canvas.json?platform={slug}",
    }
    return [
        OurAddress(key=key, label=str(label), value=values[key]) for key, label in STEPS[product].our_fields.items()
    ]


@blueprint.get("/canvas.json")
def canvas() -> Response:
    """For "Enter URL" of a developer key. `platform`: whose login address stands in it; `names=no`: ask for none."""
    public_url, slug = the_tool().settings.public_url, request.args.get("platform")
    if slug is not None and not SLUG.fullmatch(slug):
        abort(404)
    login = f"{public_url}/lti/login/{slug}" if slug else f"{public_url}/lti/login"
    return jsonify(_canvas_configuration(public_url, login, asks_names=request.args.get("names") != "no"))


def _canvas_configuration(public_url: str, login: str, *, asks_names: bool) -> dict[str, Any]:
    target = f"{public_url}/lti/launch"
    placements = [
        {"placement": placement, "message_type": DEEP_LINKING_REQUEST, "target_link_uri": target, "enabled": True}
        for placement in REGISTRATION.placements
    ]
    return {
        "title": "Shared Sessions",
        "description": DESCRIPTION,
        "oidc_initiation_url": login,
        "target_link_uri": target,
        "redirect_uris": [target],
        "public_jwk_url": f"{public_url}/lti/jwks.json",
        "scopes": list(SCOPES),
        "custom_fields": dict(CUSTOM_PARAMETERS),
        "extensions": [
            {
                "platform": "canvas.instructure.com",
                "domain": urlsplit(public_url).netloc,
                "tool_id": "shared-sessions",
                "privacy_level": privacy_level(asks_names=asks_names),
                "settings": {"text": "Shared Sessions", "placements": placements},
            }
        ],
    }
