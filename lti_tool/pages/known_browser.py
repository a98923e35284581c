"""Browsers in which an account has signed in before have a limit of their own, so that whoever tries passwords
elsewhere cannot keep the account's owner out:
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies"""

import hmac
import secrets
from datetime import timedelta

from flask import Response, request

from lti_tool.pages.staff_proof import cookie_attributes, host_cookie
from lti_tool.pages.visit_proof import add_cookie
from lti_tool.tool import the_tool

NAME = "staff-browser"
LIFE = timedelta(days=180)


def known_browser(email: str) -> str | None:
    """A name for this browser, if it is known for the account `email`. It opens nothing."""
    name, _, seal = request.cookies.get(host_cookie(NAME), "").partition(".")
    is_known = hmac.compare_digest(seal.encode(), _seal(name, email).encode())
    return name if name and is_known else None


def remember_browser(response: Response, email: str) -> None:
    name = known_browser(email) or secrets.token_hex(16)
    add_cookie(response, host_cookie(NAME), f"{name}.{_seal(name, email)}", life=LIFE, **cookie_attributes())


def _seal(name: str, email: str) -> str:
    text = f"browser {name} is known for {email}"
    return hmac.digest(the_tool().settings.secret_key, text.encode(), "sha256").hex()
