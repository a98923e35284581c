"""The quirks of each product, how it registers a tool, and what it makes of Deep Linking."""

from collections.abc import Mapping

from lms.products import Product, blackboard, brightspace, canvas, generic, moodle, product_of, sakai
from lms.products.deep_linking import DeepLinking
from lms.products.quirks import Quirks
from lms.products.registration import Registration

QUIRKS: Mapping[Product, Quirks] = {
    Product.MOODLE: moodle.QUIRKS,
    Product.CANVAS: canvas.QUIRKS,
    Product.BRIGHTSPACE: brightspace.QUIRKS,
    Product.BLACKBOARD: blackboard.QUIRKS,
    Product.SAKAI: sakai.QUIRKS,
    Product.GENERIC: generic.QUIRKS,
}
REGISTRATIONS: Mapping[Product, Registration] = {
    Product.MOODLE: moodle.REGISTRATION,
    Product.CANVAS: canvas.REGISTRATION,
    Product.BRIGHTSPACE: brightspace.REGISTRATION,
    Product.BLACKBOARD: blackboard.REGISTRATION,
    Product.SAKAI: sakai.REGISTRATION,
    Product.GENERIC: generic.REGISTRATION,
}


def product_of_family(code: str, issuer: str, token_endpoint: str) -> Product:
    """What an LMS says it is, in its `product_family_code`; else the guess from its addresses."""
    said = code.strip().lower()
    for product, registration in REGISTRATIONS.items():
        if any(said.startswith(family) for family in registration.family_codes):
            return product
    return product_of(issuer, token_endpoint)


DEEP_LINKING: Mapping[Product, DeepLinking] = {
    Product.MOODLE: moodle.DEEP_LINKING,
    Product.CANVAS: canvas.DEEP_LINKING,
    Product.BRIGHTSPACE: brightspace.DEEP_LINKING,
    Product.BLACKBOARD: blackboard.DEEP_LINKING,
    Product.SAKAI: sakai.DEEP_LINKING,
    Product.GENERIC: generic.DEEP_LINKING,
}


def token_audience(product: Product, registered: str | None) -> str | None:
    """What an administrator has registered, or else what the product wants; None: the token endpoint."""
    return registered or QUIRKS[product].token_audience
