"""What the administrator of each product does, in the product's own words: before, by hand, and afterwards."""

from collections.abc import Mapping

from lms.products import Product
from lti_tool.pages.register_step_words import ProductSteps
from lti_tool.pages.register_steps_cloud import BLACKBOARD, BRIGHTSPACE, CANVAS
from lti_tool.pages.register_steps_own import GENERIC, MOODLE, SAKAI

STEPS: Mapping[Product, ProductSteps] = {
    Product.MOODLE: MOODLE,
    Product.CANVAS: CANVAS,
    Product.BRIGHTSPACE: BRIGHTSPACE,
    Product.BLACKBOARD: BLACKBOARD,
    Product.SAKAI: SAKAI,
    Product.GENERIC: GENERIC,
}
