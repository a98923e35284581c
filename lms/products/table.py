"""The quirks of each product, and what it makes of Deep Linking."""

from collections.abc import Mapping

from lms.products import Product, blackboard, brightspace, canvas, generic, moodle, sakai
from lms.products.deep_linking import DeepLinking
from lms.products.quirks import Quirks

QUIRKS: Mapping[Product, Quirks] = {
    Product.MOODLE: moodle.QUIRKS,
    Product.CANVAS: canvas.QUIRKS,
    Product.BRIGHTSPACE: brightspace.QUIRKS,
    Product.BLACKBOARD: blackboard.QUIRKS,
    Product.SAKAI: sakai.QUIRKS,
    Product.GENERIC: generic.QUIRKS,
}
DEEP_LINKING: Mapping[Product, DeepLinking] = {
    Product.MOODLE: moodle.DEEP_LINKING,
    Product.CANVAS: canvas.DEEP_LINKING,
    Product.BRIGHTSPACE: brightspace.DEEP_LINKING,
    Product.BLACKBOARD: blackboard.DEEP_LINKING,
    Product.SAKAI: sakai.DEEP_LINKING,
    Product.GENERIC: generic.DEEP_LINKING,
}
