"""Registration over real HTTP, at every product as the sandbox plays it."""

import pytest

from lti_tool.protocol.registration import SCOPES
from sandbox_lms.registration import MANNERS, TOOL_CONFIGURATION
from tests.integration.lms_registration.campus import Campus
from tests.integration.staff.desk import path_of

PRODUCTS = tuple(MANNERS)


@pytest.mark.parametrize("product", PRODUCTS)
def test_pitfall_22_each_product_registers_by_the_link(campus: Campus, product: str) -> None:
    campus.play(product)
    invitation = campus.invite()
    assert path_of(campus.register(invitation)) == f"{campus.path(invitation)}/done"
    (row,), (tool,) = campus.platforms(), campus.tools()
    known = "moodle" if product == "generic" else product  # its token endpoint is called as Moodle calls its own
    assert (row.slug, row.state, row.product, row.client_id) == ("malta", "active", known, tool.client_id)
    assert row.issuer == campus.site.campus.issuer
    assert row.lms_version == MANNERS[product].version
    assert set(row.granted_scopes.split()) == set(SCOPES)
    assert row.token_audience == (tool.audience if product == "brightspace" else None)
    named = MANNERS[product].names_deployment
    assert campus.deployments() == ([("1", "approved")] if named else [])
    assert tool.initiate_login_uri == f"{campus.settings.public_url}/lti/login/malta"
    assert tool.configuration["custom_parameters"] == {
        "context_history": "$Context.id.history",
        "resource_link_history": "$ResourceLink.id.history",
    }
    page = campus.done(invitation)
    assert (page.status_code, "The first launch is refused" in page.text) == (200, not named)


def test_names_are_asked_for_and_e_mail_never(campus: Campus) -> None:
    campus.register(campus.invite())
    assert campus.tools()[0].configuration["claims"] == ["iss", "sub", "name", "given_name", "family_name"]
    assert TOOL_CONFIGURATION.endswith("lti-tool-configuration")


def test_a_university_may_refuse_even_the_names(campus: Campus) -> None:
    campus.register(campus.invite(), no_names="yes")
    assert campus.tools()[0].configuration["claims"] == ["iss", "sub"]


def test_a_launch_of_a_registered_lms_opens(campus: Campus) -> None:
    """Through the LMS's own pages, with the client id and the login address that it was given."""
    campus.register(campus.invite())
    campus.activate()
    login = campus.world.begin_launch(campus.world.browser("maria"))
    assert login.action == f"{campus.settings.public_url}/lti/login/malta"
    answer = campus.browser().get("/lti/login/malta", query_string=login.fields)
    assert (answer.status_code, "/lti/check?" in answer.location) == (303, True)


def test_a_launch_before_the_approval_says_whose_turn_it_is(campus: Campus) -> None:
    campus.register(campus.invite(approves=False))
    campus.activate()
    login = campus.world.begin_launch(campus.world.browser("maria"))
    answer = campus.browser().get("/lti/login/malta", query_string=login.fields)
    assert (answer.status_code, "platform_pending" in answer.text) == (403, True)
    assert "the coordinator has not approved it yet" in answer.text


def test_pitfall_14_a_token_is_granted_for_the_audience_that_brightspace_names(campus: Campus) -> None:
    campus.play("brightspace")
    campus.register(campus.invite())
    (row,), world = campus.platforms(), campus.world

    def ask(audience: str) -> int:
        assertion = world.assertion(iss=row.client_id, sub=row.client_id, aud=audience)
        return world.ask_token(assertion=assertion).status_code

    assert row.token_audience == f"{campus.site.campus.url}/auth/token"
    assert (ask(row.token_audience), ask(row.token_endpoint)) == (200, 401)
