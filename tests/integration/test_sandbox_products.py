"""The pretend universities as LMSs of other products: what each does in its own way."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import requests
from requests.utils import parse_header_links

from sandbox_lms.campus import GRANTED_SCOPES, MALTA, Campus
from sandbox_lms.made_up import made_up_campus
from sandbox_lms.products.habits import Fault
from sandbox_lms.products.table import HABITS, Product
from tests.integration.sandbox_client import SCOPES, SCORE, TIMEOUT_S, World

PRODUCTS: tuple[Product, ...] = get_args(Product)
OTHERS = tuple(product for product in PRODUCTS if product != "moodle")
LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERSHIPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
Open = Callable[..., World]


@pytest.fixture
def open_as(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(product: Product, **changes: Any) -> World:
            scopes = (*GRANTED_SCOPES, SCOPES["lineitem"])
            campus: Campus = replace(MALTA, product=product, scopes=scopes, **changes)
            return stack.enter_context(World(tmp_path, [campus]))

        yield opened


def line_items_url(world: World) -> str:
    addresses = world.campus.habits.addresses
    query = addresses.query.format(deployment_id=world.campus.deployment_id)
    return world.campus.address(addresses.line_items) + (f"?{query}" if query else "")


def line_item_url(world: World, service: str = "", line_item_id: int = 4) -> str:
    addresses = world.campus.habits.addresses
    query = addresses.query.format(deployment_id=world.campus.deployment_id)
    url = world.campus.address(addresses.line_item + service, line_item_id=line_item_id)
    return url + (f"?{query}" if query else "")


def ask(world: World, url: str, media_type: str, scope: str, **query: object) -> requests.Response:
    headers = {"Accept": media_type, **world.bearer(scope)}
    return requests.get(url, params={name: str(value) for name, value in query.items()}, headers=headers, timeout=30)


def post_score(world: World, **changes: Any) -> requests.Response:
    score = world.score(**({"userId": world.campus.sub("3")} | changes))
    return world.post_score(score, url=line_item_url(world, "/scores"))


def make_line_items(world: World, count: int, **members: object) -> list[int]:
    headers = {"Content-Type": LINE_ITEM, **world.bearer("lineitem")}
    document = {"label": "Workshop", "scoreMaximum": 2, "resourceId": "series 7", **members}
    return [
        requests.post(line_items_url(world), json=document, headers=headers, timeout=TIMEOUT_S).status_code
        for _ in range(count)
    ]


@pytest.mark.parametrize("product", OTHERS)
def test_an_lms_of_another_product_has_the_addresses_of_no_moodle(open_as: Open, product: Product) -> None:
    world = open_as(product)
    for path in ("/mod/lti/certs.php", "/webservice/rest/server.php", "/mod/lti/services.php"):
        assert requests.get(world.url(path), timeout=TIMEOUT_S).status_code == 404


@pytest.mark.parametrize("product", OTHERS)
def test_people_have_other_ids_for_tools_than_in_the_course(open_as: Open, product: Product) -> None:
    world = open_as(product)
    assert post_score(world).status_code == 200
    assert post_score(world, userId="3").status_code >= 400
    results = ask(world, line_item_url(world, "/results"), RESULTS, "result.readonly").json()
    assert [result["userId"] for result in results] == [world.campus.sub("3")]
    assert world.campus.sub("3") != "3"


def test_a_brightspace_wants_its_own_audience_as_one_string(open_as: Open) -> None:
    world = open_as("brightspace")
    audience = HABITS["brightspace"].token_audience
    endpoint = world.campus.registration().token_endpoint
    statuses = [
        world.ask_token(assertion=world.assertion(aud=aud)).status_code
        for aud in (audience, endpoint, [audience, endpoint], f"{audience}/")
    ]
    assert statuses == [200, 401, 401, 401]


def test_a_canvas_refuses_an_audience_with_a_slash_at_its_end(open_as: Open) -> None:
    world = open_as("canvas")
    endpoint = world.campus.registration().token_endpoint
    statuses = [world.ask_token(assertion=world.assertion(aud=aud)).status_code for aud in (endpoint, f"{endpoint}/")]
    assert statuses == [200, 401]


def test_the_next_page_of_a_moodles_line_items_cannot_be_found(open_as: Open) -> None:
    answer = ask(world := open_as("moodle"), line_items_url(world), LINE_ITEMS, "lineitem.readonly", limit=1)
    assert len(answer.json()) == 1
    assert "&amp;" in answer.headers["Link"]
    links = parse_header_links(answer.headers["Link"])
    assert [link.get("rel") for link in links] != ["next"]


def test_a_canvas_lists_ten_and_more_on_demand(open_as: Open) -> None:
    world = open_as("canvas")
    assert make_line_items(world, 10) == [201] * 10  # beside those of the two activities
    first = ask(world, line_items_url(world), LINE_ITEMS, "lineitem.readonly")
    assert (len(first.json()), first.links["current"]["url"]) == (10, line_items_url(world))
    following = ask(world, first.links["next"]["url"], LINE_ITEMS, "lineitem.readonly")
    assert (len(following.json()), "next" in following.links) == (2, False)
    assert len(ask(world, line_items_url(world), LINE_ITEMS, "lineitem.readonly", limit=20).json()) == 12


@pytest.mark.parametrize(("product", "of_20", "of_100"), [("canvas", 20, 50), ("sakai", 20, 100), ("generic", 20, 100)])
def test_a_canvas_lists_fifty_people_at_most(open_as: Open, product: Product, of_20: int, of_100: int) -> None:
    world = open_as(product, people=made_up_campus(1, students=119).people)
    url = world.campus.address(world.campus.habits.addresses.memberships)
    sizes = [len(ask(world, url, MEMBERSHIPS, "roster", limit=limit).json()["members"]) for limit in (20, 100)]
    assert sizes == [of_20, of_100]


def test_a_canvas_makes_no_line_item_for_a_link_that_is_no_assignment(open_as: Open) -> None:
    assert make_line_items(open_as("canvas"), 1, resourceLinkId="1") == [412]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_score_with_the_kept_ones_time_is_refused_or_taken(open_as: Open, product: Product) -> None:
    world = open_as(product)
    at = world.score()["timestamp"]
    statuses = [post_score(world, timestamp=at).status_code for _ in range(2)]
    assert statuses == [200, 200 if product in {"canvas", "sakai"} else 409]


@pytest.mark.parametrize(("product", "status"), [("canvas", 400), ("sakai", 200), ("blackboard", 409)])
def test_an_older_score_is_refused_or_taken(open_as: Open, product: Product, status: int) -> None:
    world = open_as(product)
    assert post_score(world).status_code == 200
    assert post_score(world, timestamp="2026-01-01T00:00:00.000Z").status_code == status


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_fault_is_a_refusal(open_as: Open, product: Product) -> None:
    world = open_as(product)
    for fault in Fault:
        world.sandbox.switches["malta"].set(score_fault=fault)
        assert 400 <= post_score(world).status_code < 500, fault
    assert world.grades() == {}


def test_a_fault_is_set_by_http_in_its_own_words(open_as: Open) -> None:
    world = open_as("brightspace")
    changes = {"score_fault": "not_gradable"}
    shown = requests.post(world.url("/sandbox/switches"), json=changes, timeout=TIMEOUT_S).json()
    assert shown["score_fault"] == "not_gradable"
    assert post_score(world).status_code == 422
    changes = {"score_fault": "tired"}
    assert requests.post(world.url("/sandbox/switches"), json=changes, timeout=TIMEOUT_S).status_code == 400


def test_a_busy_canvas_says_403_and_gives_tokens_all_the_same(open_as: Open) -> None:
    world = open_as("canvas")
    world.sandbox.switches["malta"].set(busy=True)
    answer = post_score(world)
    assert (answer.status_code, answer.headers["X-Rate-Limit-Remaining"]) == (403, "0.0")


def test_who_names_no_program_is_shown_the_door_if_the_switch_says_so(open_as: Open) -> None:
    world = open_as("moodle")
    world.sandbox.switches["malta"].set(wants_user_agent=True)
    keys = world.campus.registration().jwks_uri
    assert requests.get(keys, timeout=TIMEOUT_S).status_code == 403
    assert requests.get(keys, headers={"User-Agent": "Tool/1"}, timeout=TIMEOUT_S).status_code == 200


def test_a_roster_that_ends_early_looks_complete(open_as: Open) -> None:
    world = open_as("generic")
    world.sandbox.switches["malta"].set(roster_lists=2)
    url = world.campus.address(world.campus.habits.addresses.memberships)
    answer = ask(world, url, MEMBERSHIPS, "roster")
    assert (len(answer.json()["members"]), answer.links) == (2, {})


def test_the_media_type_of_a_score_counts_everywhere(open_as: Open) -> None:
    world = open_as("moodle")
    answer = world.post_score(world.score(), headers={"Content-Type": SCORE.replace("v1", "v2")})
    assert answer.status_code == 400


def test_the_demo_names_the_products_that_there_are() -> None:
    asked = [sys.executable, "-m", "sandbox_lms.demo", "--products", "webct"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "moodle, canvas, brightspace, blackboard, sakai, generic" in ended.stderr
