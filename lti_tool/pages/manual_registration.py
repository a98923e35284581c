"""The form by which an LMS is registered by hand: by whoever has an invitation, and by staff."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import request
from flask_babel import lazy_gettext

from config.slugs import MAX_SLUG_CHARS
from lms.errors import LmsError
from lms.products import Product, product_of
from lms.products.table import QUIRKS, REGISTRATIONS
from lms.registration import may_be_called
from lti_tool.pages.register_addresses import addresses_of
from lti_tool.pages.register_steps import STEPS
from lti_tool.pages.register_words import problem_words
from lti_tool.protocol.constants import MAX_ADDRESS_BYTES
from lti_tool.protocol.registration import MAX_ID_CHARS, RegistrationFailed, printable_version
from lti_tool.register_lms import Offer, look_at
from lti_tool.tool import the_tool
from series.people import University
from series.store.universities import NewPlatform

ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")
FIELDS = ("issuer", "client_id", "deployment_id", *ADDRESSES, "token_audience")
OPTIONAL = {"deployment_id", "token_audience"}
_MISSING = lazy_gettext("Please fill this in.")
_UNFIT = lazy_gettext("This is too long, or has characters in it that cannot be seen.")
_NO_ADDRESS = lazy_gettext("Please give a whole address that begins with https://.")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What stands in the form, and what is wrong with it: one sentence for each field. `slug`: of the platform that
    will be, which stands in the login address that was entered in the LMS already."""

    slug: str
    product: Product
    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None


def blank(slug: str) -> Typed:
    """With what is the same for all customers of the product that `lms` of the address names."""
    product = _product_named(request.args.get("lms", ""))
    known = REGISTRATIONS[product].known
    values = {name: getattr(known, name, "") for name in FIELDS}
    return Typed(slug=slug, product=product, values=values | {"token_audience": QUIRKS[product].token_audience or ""})


def read_typed(home: University, slug: str) -> Typed:
    """The form as it was sent; `slug` is the next free one, unless the form has one of this university's."""
    sent = request.form.get("slug", "")
    return Typed(
        slug=sent if _is_slug_of(home, sent) else slug,
        product=_product_named(request.form.get("product", "")),
        values={name: request.form.get(name, "").strip() for name in FIELDS}
        | {"configuration_url": request.form.get("configuration_url", "").strip()},
        version=printable_version(request.form.get("version", "")),
    )


def looked_up(typed: Typed) -> Typed:
    """With issuer and endpoints from the LMS's own configuration."""
    url = typed.values["configuration_url"]
    try:
        offer = look_at(the_tool(), url, None, must_register=False)
    except (RegistrationFailed, LmsError) as problem:
        words = problem_words(problem)
        return replace(typed, faults={"configuration_url": f"{words.what} {words.next}"})
    return replace(
        typed,
        product=offer.product,
        values={**typed.values, **_values_of(offer)},
        version=offer.configuration.lms_version,
    )


def checked(typed: Typed) -> Typed:
    """With its faults; it may be saved if there are none."""
    faults = {name: fault for name in FIELDS if (fault := _fault(name, typed.values.get(name, "")))}
    return replace(typed, faults=faults)


def new_platform(typed: Typed, home: University, *, is_approved: bool) -> NewPlatform:
    """Of a form without faults."""
    values = typed.values
    product = typed.product
    if product is Product.GENERIC:
        product = product_of(values["issuer"], values["token_endpoint"])
    deployment_id = values["deployment_id"]
    return NewPlatform(
        slug=typed.slug,
        university_id=home.university_id,
        issuer=values["issuer"],
        client_id=values["client_id"],
        authorization_endpoint=values["authorization_endpoint"],
        token_endpoint=values["token_endpoint"],
        jwks_uri=values["jwks_uri"],
        token_audience=values["token_audience"] or None,
        deployment_ids=(deployment_id,) if deployment_id else (),
        product=product.value,
        is_approved=is_approved,
        lms_version=typed.version,
    )


def form_values(typed: Typed) -> dict[str, Any]:
    """What the template of the form wants."""
    steps = STEPS[typed.product]
    return {
        "typed": typed,
        "product": steps,
        "products": STEPS,
        "fields": [(name, steps.their_fields[name], name in OPTIONAL) for name in FIELDS],
        "addresses": addresses_of(the_tool().settings.public_url, typed.slug, typed.product),
    }


def _product_named(name: str) -> Product:
    return Product(name) if name in set(Product) else Product.GENERIC


def _values_of(offer: Offer) -> dict[str, str]:
    configuration = offer.configuration
    return {
        "issuer": configuration.issuer,
        "authorization_endpoint": configuration.authorization_endpoint,
        "token_endpoint": configuration.token_endpoint,
        "jwks_uri": configuration.jwks_uri,
        "token_audience": offer.token_audience or "",
    }


def _fault(name: str, value: str) -> str:
    if not value:
        return "" if name in OPTIONAL else str(_MISSING)
    if not value.isprintable() or len(value) > (MAX_ADDRESS_BYTES if name in ADDRESSES else MAX_ID_CHARS):
        return str(_UNFIT)
    if name in ADDRESSES:
        is_callable = value.isascii() and may_be_called(value, allow_loopback=the_tool().settings.on_loopback)
        return "" if is_callable and " " not in value else str(_NO_ADDRESS)
    return ""


def _is_slug_of(home: University, slug: str) -> bool:
    start = re.escape(home.slug[: MAX_SLUG_CHARS - 5])
    return slug == home.slug or re.fullmatch(rf"{start}-[0-9]{{1,4}}", slug) is not None
