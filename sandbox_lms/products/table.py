"""The habits of each product."""

from collections.abc import Mapping
from typing import Literal

from sandbox_lms.products import blackboard, brightspace, canvas, generic, moodle, sakai
from sandbox_lms.products.habits import Habits

Product = Literal["moodle", "canvas", "brightspace", "blackboard", "sakai", "generic"]
HABITS: Mapping[Product, Habits] = {
    "moodle": moodle.HABITS,
    "canvas": canvas.HABITS,
    "brightspace": brightspace.HABITS,
    "blackboard": blackboard.HABITS,
    "sakai": sakai.HABITS,
    "generic": generic.HABITS,
}
