"""The products that our partners run, told apart by their addresses. What is odd about the gradebook of each is in a
module of its own."""

from enum import StrEnum
from urllib.parse import urlsplit


class Product(StrEnum):
    MOODLE = "moodle"
    CANVAS = "canvas"
    BRIGHTSPACE = "brightspace"
    BLACKBOARD = "blackboard"
    SAKAI = "sakai"
    GENERIC = "generic"  # any other: by the letter of the specification


def product_of(issuer: str, token_endpoint: str) -> Product:
    """A guess from two addresses of the LMS; GENERIC where they do not tell. Its administrator may know better."""
    hosts, path = (_host(issuer), _host(token_endpoint)), _path(token_endpoint)
    if path.endswith("/mod/lti/token.php"):
        return Product.MOODLE
    if "/imsblis/lti13/token" in path:
        return Product.SAKAI
    if path.endswith("/login/oauth2/token") and any("canvas" in host or "instructure" in host for host in hosts):
        return Product.CANVAS
    if any(_is_in(host, "brightspace.com") for host in hosts):
        return Product.BRIGHTSPACE
    if any(_is_in(host, "blackboard.com") for host in hosts):
        return Product.BLACKBOARD
    return Product.GENERIC


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""


def _is_in(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
