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
