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
    assert campus.done(invitation).status_code == 200


def test_names_are_asked_for_and_e_mail_never(campus: Campus) -> None:
    campus.register(campus.invite())
    assert campus.tools()[0].configuration["claims"] == ["iss", "sub", "name", "given_name", "family_name"]
    assert TOOL_CONFIGURATION.endswith("lti-tool-configuration")


def test_a_university_may_refuse_even_the_names(campus: Campus) -> None:
    campus.register(campus.invite(), no_names="yes")
    assert campus.tools()[0].configuration["claims"] == ["iss", "sub"]
