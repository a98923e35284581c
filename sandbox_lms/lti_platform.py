"""lti1p3platform, wrapped: its registration and platform configuration with our clock and our token check.

A new one is made for each request, because the library keeps state of the request on these objects.
"""

from typing import Any

from flask import Request as FlaskRequest
from lti1p3platform.exceptions import LtiServiceException
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.registration import Registration
from lti1p3platform.request import Request

from sandbox_lms.access_tokens import find_scopes
from sandbox_lms.keys import public_pem
from sandbox_lms.products.habits import Fault
from sandbox_lms.registered_tools import current_tool
from sandbox_lms.site import Site


class CampusRegistration(Registration):  # type: ignore[misc]  # the library ships no types
    """Signs by the campus's clock; the library would take the system's."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def platform_encode_and_sign(self, payload: dict[str, Any], expiration: int | None = None) -> str:
        issued_at = self._site.now_s()
        signed = {**payload, "iat": issued_at, "exp": issued_at + (expiration or 0)}
        token: str = super().platform_encode_and_sign(signed, expiration=None)
        return token


class CampusPlatform(LTI1P3PlatformConfAbstract):  # type: ignore[misc]  # the library ships no types
    """The tool behind the activities of a campus."""

    def init_platform_config(self, site: Site) -> None:
        self._site = site
        self.get_registration()

    def get_registration_by_params(self, **_: Any) -> Registration:
        site, tool = self._site, current_tool(self._site)
        registration = CampusRegistration(site)
        registration.set_iss(site.campus.issuer)
        registration.set_client_id(tool.client_id)
        registration.set_deployment_id(tool.deployment_id)
        registration.set_launch_url(tool.redirect_uri)
        registration.set_oidc_login_url(tool.initiate_login_uri)
        registration.set_platform_private_key(site.signing_key_pem)
        registration.set_platform_public_key(public_pem(site.signing_key_pem))
        return registration

    def validate_token(self, token: str, allowed_scopes: list[str] | None = None, audience: str | None = None) -> bool:
        """Whether the token has one of exactly these scopes; the service names those of the present verb alone."""
        scopes = find_scopes(self._site, token)
        if scopes is None:
            raise LtiServiceException(Fault.BAD_TOKEN, 401)
        if not set(allowed_scopes or ()) & scopes:
            raise LtiServiceException(Fault.LACKS_SCOPE, 401)
        return True


class LtiRequest(Request):  # type: ignore[misc]  # the library ships no types
    """A Flask request as the library wants it. Fields that occur twice are the caller's to refuse."""

    def build_metadata(self, request: FlaskRequest) -> dict[str, Any]:
        return {
            "method": request.method,
            "form_data": request.form.to_dict(),
            "get_data": request.args.to_dict(),
            "headers": request.headers,
            "content_type": request.content_type,
            "path": request.path,
            "json": request.get_json(silent=True, force=True) if request.method == "POST" else None,
        }
