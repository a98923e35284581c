"""Deep Linking without a browser: what a request says, and what the answer holds."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from lms.products import Product
from lms.products.table import DEEP_LINKING
from lti_tool.protocol.claims import DeepLinkingSettings, decode_claims
from lti_tool.protocol.deep_linking import (
    ContentItem,
    Icon,
    Picking,
    open_picking,
    read_deep_linking,
    response_claims,
    seal_picking,
)
from lti_tool.protocol.launch import read_launch
from lti_tool.protocol.login import Keeper, LoginState
from lti_tool.protocol.refusals import Refused
from tests.conftest import NOW, PUBLIC_URL
from tests.integration.lti.lms import claim, valid_claims

KEY = b"k" * 32
TARGET = f"{PUBLIC_URL}/lti/launch"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
PICKING = Picking(
    platform_id=1,
    deployment_id="1",
    participant_id=1,
    course_id=1,
    deep_link_return_url="https://lms.example/return",
    data="x",
    accepts_multiple=True,
    accepts_line_items=True,
)
STATE = LoginState(
    platform_id=1,
    nonce="n",
    target_link_uri=TARGET,
    lti_deployment_id=None,
    proof_hash="",
    keeper=Keeper.COOKIE,
    lti_storage_target=None,
)


class Lms:
    issuer, client_id, slug = "https://lms.example", "client", "lms"
    deployment_id = "1"


def claims_of(settings: dict[str, Any] | None = None, custom: dict[str, Any] | None = None) -> Any:
    made = valid_claims(Lms(), nonce="n", target_link_uri=TARGET)  # type: ignore[arg-type]
    if settings is not None:
        made[DL + "deep_linking_settings"] = settings
    if custom is not None:
        made[claim("custom")] = custom
    return decode_claims(msgspec.json.encode(made))


def settings(**changes: Any) -> dict[str, Any]:
    return {"deep_link_return_url": "https://lms.example/r", "accept_types": ["ltiResourceLink"], **changes}


@pytest.mark.parametrize(
    ("changes", "accepts"),
    [
        ({}, True),
        ({"accept_presentation_document_targets": []}, True),
        ({"accept_presentation_document_targets": ["window", "embed"]}, True),
        ({"accept_presentation_document_targets": ["embed"]}, False),
        ({"accept_types": ["link"]}, False),
        ({"accept_types": ["link", "ltiResourceLink"]}, True),
    ],
    ids=str,
)
def test_what_an_lms_accepts(changes: dict[str, Any], accepts: bool) -> None:  # noqa: FBT001
    read = read_deep_linking(claims_of(settings(**changes)), STATE, public_url=PUBLIC_URL)
    assert read.accepts_links is accepts


@pytest.mark.parametrize(("said", "expected"), [(None, True), (True, True), (False, False)])
def test_what_is_not_said_is_taken(said: bool | None, expected: bool) -> None:  # noqa: FBT001
    read = read_deep_linking(
        claims_of(settings(accept_lineitem=said, accept_multiple=said)), STATE, public_url=PUBLIC_URL
    )
    assert (read.accepts_line_items, read.accepts_multiple) == (expected, expected)


def test_an_address_that_is_too_long_is_none() -> None:
    long = settings(deep_link_return_url="https://lms.example/" + "x" * 2000)
    with pytest.raises(Refused, match="no_way_back"):
        read_deep_linking(claims_of(long), STATE, public_url=PUBLIC_URL)


@pytest.mark.parametrize("data", ["", "x", '{"a": "ä"}', "%2B&<b>", None])
def test_data_goes_back_as_it_came(data: str | None) -> None:
    sealed = seal_picking(msgspec.structs.replace(PICKING, data=data), secret_key=KEY, now=NOW)
    opened = open_picking(sealed, secret_key=KEY, now=NOW + timedelta(hours=1))
    claims = response_claims(opened, [], client_id="client", issuer="https://lms.example", nonce="n", now=NOW)
    assert claims.get(DL + "data") == data
    assert (DL + "data" in claims) is (data is not None)


def test_an_item_leaves_out_what_it_has_not() -> None:
    item = ContentItem(
        title="t", text="", url="https://tool.example", icon=Icon(url="https://tool.example/i"), custom={}
    )
    assert set(msgspec.to_builtins(item)) == {"type", "title", "text", "url", "icon", "custom"}


def test_every_product_says_what_is_left_to_do() -> None:
    assert set(DEEP_LINKING) == set(Product)
    assert all(one.afterwards for one in DEEP_LINKING.values())
    assert not DEEP_LINKING[Product.MOODLE].takes_windows


@pytest.mark.parametrize(
    ("sent", "ids"),
    [
        (None, ()),
        ("", ()),
        ("5", ("5",)),
        ("7,5, 2", ("7", "5", "2")),
        ("$ResourceLink.id.history", ()),
        ("$Context.id.history", ()),
        (7, ()),
        (",,", ()),
        ("x" * 256 + ",5", ("5",)),
    ],
    ids=str,
)
def test_pitfall_34_histories_are_read(sent: object, ids: tuple[str, ...]) -> None:
    custom = {} if sent is None else {"context_history": sent, "resource_link_history": sent}
    read = read_launch(claims_of(custom=custom), STATE, public_url=PUBLIC_URL)
    assert read.context_history == read.resource_link_history == ids


def test_a_history_has_an_end() -> None:
    custom = {"context_history": ",".join(map(str, range(1000)))}
    assert len(read_launch(claims_of(custom=custom), STATE, public_url=PUBLIC_URL).context_history) == 100


def test_the_settings_are_those_of_the_specification() -> None:
    assert set(DeepLinkingSettings.__struct_fields__) == {
        "deep_link_return_url",
        "accept_types",
        "accept_presentation_document_targets",
        "accept_multiple",
        "accept_lineitem",
        "data",
    }
