"""Bad habits of real LMSs, played by the sandbox over real HTTP. The numbers are those of lms-pitfalls.md."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from joserfc import jwt

from lms.errors import LmsError, MalformedAnswer, NotAllowed
from lms.nrps import read_memberships
from lms.products import Product as OurProduct
from lms.service_tokens import as_service_platform
from moodle_sync.services import service_platform
from sandbox_lms.campus import Campus
from sandbox_lms.made_up import made_up_campus
from sandbox_lms.products.table import Product
from series.store.universities import (
    AlreadyThere,
    add_platform,
    add_university,
    list_platforms,
    require_platform,
    set_product,
)
from tests.conftest import NOW
from tests.integration.product_walk import STUDENT, TEACHER, UNGRADED, Walk, campus_of, open_walk, write_down
from tests.integration.sandbox_client import TOOL_KEY, campus_platform

OWN_COLUMN, MADE_COLUMN = 4, 100
BRIGHTSPACE_AUDIENCE = "https://api.brightspace.com/auth/token"
Open = Callable[[Campus], Walk]


@pytest.fixture
def open_at(tmp_path: Path, sqlite_url: str) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda campus: stack.enter_context(open_walk(tmp_path, sqlite_url, campus))


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with write_down() as written:
        yield written


def large_course(product: Product) -> Campus:
    return replace(campus_of(product), people=made_up_campus(1, students=119).people)


def attends_and_is_graded(walk: Walk) -> None:
    visit, _ = walk.opens()
    walk.attends(visit)
    assert [row.state for row in walk.delivers()] == ["delivered"]
    assert walk.grades() == {OWN_COLUMN: 50}


def assertions(wire: responses.RequestsMock) -> list[jwt.Token]:
    bodies = [str(call.request.body) for call in wire.calls if "client_assertion=" in str(call.request.body)]
    return [jwt.decode(parse_qs(body)["client_assertion"][0], TOOL_KEY, algorithms=["RS256"]) for body in bodies]


# Identity


def test_pitfall_10_one_client_of_one_issuer_is_one_university(open_at: Open) -> None:
    """Blackboard gives each application one client id; a second university needs an application of its own."""
    walk = open_at(campus_of("blackboard"))
    with walk.services.database.write() as connection:
        other = add_university(
            connection, slug="other", name="Other", country="MT", time_zone="Europe/Malta", language="en"
        )
        second = campus_platform(walk.site.campus, "other", other, product="blackboard")
        with pytest.raises(AlreadyThere, match="issuer and client id"):
            add_platform(connection, second, now=NOW)
        add_platform(connection, replace(second, client_id="another"), now=NOW)
        assert len({platform.client_id for platform in list_platforms(connection)}) == 2
    attends_and_is_graded(walk)


def test_pitfall_13_the_audience_is_the_token_endpoint_to_the_letter(
    open_at: Open, wire: responses.RequestsMock
) -> None:
    walk = open_at(campus_of("canvas"))
    attends_and_is_graded(walk)
    (signed,) = assertions(wire)
    assert signed.claims["aud"] == walk.site.campus.registration().token_endpoint
    assert not signed.claims["aud"].endswith("/")


def test_pitfall_14_a_brightspace_gets_its_own_audience_though_nobody_has_registered_one(
    open_at: Open, wire: responses.RequestsMock
) -> None:
    walk = open_at(campus_of("brightspace"))
    attends_and_is_graded(walk)
    (signed,) = assertions(wire)
    assert signed.claims["aud"] == BRIGHTSPACE_AUDIENCE
    assert signed.claims["iss"] == signed.claims["sub"] == walk.site.campus.client_id


def test_pitfall_14_what_an_administrator_has_registered_comes_before_what_the_product_wants(open_at: Open) -> None:
    walk = open_at(campus_of("brightspace"))
    with walk.services.database.write() as connection:
        row = require_platform(connection, "malta")
    assert (
        as_service_platform(replace(row, token_audience="https://own.example")).token_audience == "https://own.example"
    )


def test_pitfall_14_an_lms_that_was_taken_for_another_product_gets_its_audience_once_that_is_said(
    open_at: Open,
) -> None:
    walk = open_at(campus_of("brightspace"))
    with walk.services.database.write() as connection:
        set_product(connection, walk.seeded.platform_id, OurProduct.GENERIC.value)
    visit, _ = walk.opens()
    walk.attends(visit)
    (row,) = walk.delivers()
    assert (row.state, "administrator should check" in str(row.outcome)) == ("due", True)
    with walk.services.database.write() as connection:
        set_product(connection, walk.seeded.platform_id, OurProduct.BRIGHTSPACE.value)
    walk.advance(60)
    assert [row.state for row in walk.delivers()] == ["delivered"]


def test_pitfall_15_keys_without_alg_open_launches(open_at: Open) -> None:
    walk = open_at(campus_of("brightspace"))
    (key,) = walk.keys()
    assert "alg" not in key
    walk.opens()


def test_pitfall_17_a_launch_with_a_key_that_came_since_is_accepted_at_once(open_at: Open) -> None:
    walk = open_at(campus_of("canvas"))
    walk.opens()
    (before,) = walk.keys()
    walk.switches.set(key_number=2)
    (after,) = walk.keys()
    assert before["kid"] != after["kid"]
    walk.advance(120)
    walk.opens()


def test_pitfall_17_while_the_keys_cannot_be_had_known_ones_open_launches(open_at: Open) -> None:
    walk = open_at(campus_of("canvas"))
    walk.opens()
    walk.switches.set(down=True)
    walk.advance(2 * 3600)
    walk.opens()


@pytest.mark.parametrize("product", ["moodle", "canvas"])
def test_pitfall_18_an_lms_that_talks_to_no_nameless_program_talks_to_us(open_at: Open, product: Product) -> None:
    walk = open_at(campus_of(product))
    walk.switches.set(wants_user_agent=True)
    attends_and_is_graded(walk)
    assert len(walk.roster()) == len(walk.site.campus.members)


# Grades


def test_pitfall_24_the_service_goes_before_the_query_of_a_moodle(open_at: Open, wire: responses.RequestsMock) -> None:
    walk = open_at(campus_of("moodle"))
    attends_and_is_graded(walk)
    (posted,) = [str(call.request.url) for call in wire.calls if "/scores" in str(call.request.url)]
    assert posted.endswith("/lineitems/4/lineitem/scores?type_id=1")


def test_pitfall_25_a_moodle_gets_later_scores_with_later_seconds(open_at: Open) -> None:
    walk = open_at(campus_of("moodle"))
    visit, _ = walk.opens()
    for session in range(2):
        walk.attends(visit, session)
        walk.delivers()
    at = [entry.score_at for entry in walk.site.journal.entries() if entry.path.endswith("/scores")]
    assert len(at) == len({str(one)[:19] for one in at}) == 2
    assert walk.grades() == {OWN_COLUMN: 100}


@pytest.mark.parametrize(("product", "says"), [("canvas", {"new_submission": False}), ("moodle", None)])
def test_pitfall_26_only_the_first_score_of_somebody_is_a_submission_in_a_canvas(
    open_at: Open, wire: responses.RequestsMock, product: Product, says: object
) -> None:
    walk = open_at(campus_of(product))
    visit, _ = walk.opens()
    for session in range(2):
        walk.attends(visit, session)
        walk.delivers()
    bodies = [json.loads(call.request.body or "") for call in wire.calls if "/scores" in str(call.request.url)]
    assert [body.get("https://canvas.instructure.com/lti/submission") for body in bodies] == [None, says]
    assert walk.grades() == {OWN_COLUMN: 100}


def test_pitfall_28_a_class_of_scores_costs_one_token(open_at: Open) -> None:
    walk = open_at(campus_of("canvas"))
    for person in walk.site.campus.students:
        visit, _ = walk.opens(person)
        walk.attends(visit)
    walk.delivers()
    paths = [entry.path for entry in walk.site.journal.entries()]
    assert paths.count("/login/oauth2/token") == 1
    assert sum(path.endswith("/scores") for path in paths) == len(walk.site.campus.students)


def test_pitfall_30_a_canvas_that_refuses_the_link_gets_a_column_without_one(open_at: Open) -> None:
    walk = open_at(campus_of("canvas", grades_activities=UNGRADED))
    visit, _ = walk.opens()
    walk.attends(visit)
    walk.finds_line_item()
    assert [row.state for row in walk.delivers()] == ["delivered"]
    assert walk.grades() == {MADE_COLUMN: 1}
    posts = [entry.status for entry in walk.site.journal.entries() if entry.path.endswith("/line_items")]
    assert posts == [200, 412, 201]


def test_pitfall_31_a_teachers_launch_brings_the_addresses_of_the_services_too(open_at: Open) -> None:
    walk = open_at(campus_of("moodle"))
    walk.opens(TEACHER)
    assert {member.sub for member in walk.roster()} == {person.user_id for person in walk.site.campus.members}


# Rosters


@pytest.mark.parametrize(("product", "pages"), [("canvas", 3), ("brightspace", 6), ("generic", 24), ("sakai", 1)])
def test_pitfall_32_every_page_of_a_large_course_is_read(open_at: Open, product: Product, pages: int) -> None:
    walk = open_at(large_course(product))
    walk.opens(walk.site.campus.students[0])
    walk.site.journal.clear()
    assert len(walk.roster()) == 120
    memberships = urlsplit(walk.site.campus.address(walk.site.campus.habits.addresses.memberships)).path
    assert [entry.path for entry in walk.site.journal.entries()].count(memberships) == pages


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("loop", "leads in a circle through the pages of its roster"),
        ("elsewhere", "names another site for the next page of its roster"),
        ("small", "names a next page of its roster that is not there"),
    ],
)
def test_pitfall_32_a_link_that_lies_gives_an_error_and_no_part_of_the_roster(
    open_at: Open, link: str, sentence: str
) -> None:
    walk = open_at(campus_of("moodle"))
    walk.opens()
    walk.switches.set(roster_page_size=4, roster_link=link)
    with pytest.raises(MalformedAnswer, match=sentence):
        walk.roster()


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("product", ["moodle", "canvas", "sakai", "generic"])
def test_pitfall_32_who_can_open_the_activity_or_else_everybody(
    open_at: Open, product: Product, *, refuses: bool
) -> None:
    walk = open_at(campus_of(product))
    walk.switches.set(refuses_rlid=refuses)
    campus, services = walk.site.campus, walk.services
    platform = service_platform(services, walk.seeded.platform_id)
    url = campus.address(campus.habits.addresses.memberships)
    members = read_memberships(services.http, services.tokens, platform, url, resource_link_id="1")
    assert len(members) == len(campus.members)
    refused = [entry for entry in walk.site.journal.entries() if entry.status == 400]
    assert len(refused) == (1 if refuses and product != "sakai" else 0)  # which is not even asked


def test_pitfall_33_people_without_names_are_known_by_their_ids(open_at: Open) -> None:
    walk = open_at(replace(campus_of("brightspace"), shares_names=False))
    visit, _ = walk.opens()
    assert walk.site.campus.sub(STUDENT.user_id) in {member.sub for member in walk.roster()}
    attends_and_is_graded(walk)
    again, _ = walk.opens()
    assert again.participant_id == visit.participant_id


def test_a_scope_that_is_not_granted_is_said_to_the_administrator(open_at: Open) -> None:
    walk = open_at(campus_of("sakai", without="roster"))
    with pytest.raises(LmsError) as caught:
        read_memberships(
            walk.services.http,
            walk.services.tokens,
            service_platform(walk.services, walk.seeded.platform_id),
            walk.site.campus.address(walk.site.campus.habits.addresses.memberships),
        )
    assert isinstance(caught.value, NotAllowed)
