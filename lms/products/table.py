"""The quirks of each product."""

from collections.abc import Mapping

from lms.products import Product, blackboard, brightspace, canvas, generic, moodle, sakai
from lms.products.quirks import Quirks

QUIRKS: Mapping[Product, Quirks] = {
    Product.MOODLE: moodle.QUIRKS,
    Product.CANVAS: canvas.QUIRKS,
    Product.BRIGHTSPACE: brightspace.QUIRKS,
    Product.BLACKBOARD: blackboard.QUIRKS,
    Product.SAKAI: sakai.QUIRKS,
    Product.GENERIC: generic.QUIRKS,
}


def token_audience(product: Product, registered: str | None) -> str | None:
    """What an administrator has registered, or else what the product wants; None: the token endpoint."""
    return registered or QUIRKS[product].token_audience
