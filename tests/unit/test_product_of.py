"""Which product an LMS is, from its addresses."""

import pytest

from lms.products import Product, product_of
from lms.products.table import QUIRKS

MOODLE, CANVAS, BRIGHTSPACE = Product.MOODLE, Product.CANVAS, Product.BRIGHTSPACE
BLACKBOARD, SAKAI, GENERIC = Product.BLACKBOARD, Product.SAKAI, Product.GENERIC


@pytest.mark.parametrize(
    ("issuer", "token_endpoint", "product"),
    [
        ("https://moodle.uni.example", "https://moodle.uni.example/mod/lti/token.php", MOODLE),
        ("https://uni.example/canvas", "https://uni.example/canvas/mod/lti/token.php", MOODLE),
        ("https://canvas.instructure.com", "https://learn.uni.example/login/oauth2/token", CANVAS),
        ("https://canvas.uni.example", "https://canvas.uni.example/login/oauth2/token", CANVAS),
        ("https://canvas.instructure.com", "https://sso.canvaslms.com/login/oauth2/token", CANVAS),
        ("https://uni.brightspace.com", "https://auth.brightspace.com/core/connect/token", BRIGHTSPACE),
        ("https://learn.uni.example", "https://auth.brightspace.com/core/connect/token", BRIGHTSPACE),
        ("https://blackboard.com", "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken", BLACKBOARD),
        ("https://sakai.uni.example", "https://sakai.uni.example/imsblis/lti13/token/9", SAKAI),
        ("https://lms.example", "https://lms.example/token", GENERIC),
        ("https://lms.example", "https://lms.example/login/oauth2/token", GENERIC),
        ("https://notblackboard.com", "https://notblackboard.com/token", GENERIC),
        ("not an address", "https://[", GENERIC),
    ],
)
def test_the_addresses_tell_the_product(issuer: str, token_endpoint: str, product: Product) -> None:
    assert product_of(issuer, token_endpoint) is product


def test_every_product_has_its_quirks() -> None:
    assert set(QUIRKS) == set(Product)
