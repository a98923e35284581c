"""Where staff make invitations, let in what has registered, and register by hand."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from tests.integration.lms_registration.campus import Campus
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, Desk, form_token, path_of

MALTA, VILNIUS = "/admin/lms/malta/connect/", "/admin/lms/vilnius/connect/"
BY_HAND = {
    "product": "generic",
    "issuer": "https://lms.example",
    "client_id": "client-7",
    "authorization_endpoint": "https://lms.example/auth",
    "token_endpoint": "https://lms.example/token",
    "jwks_uri": "https://lms.example/keys",
    "deployment_id": "",
    "token_audience": "",
    "do": "save",
}


@pytest.fixture
def coordinator(campus: Campus) -> Desk:
    return _signed_in(campus, COORDINATOR)


@pytest.fixture
def lms_admin(campus: Campus) -> Desk:
    """Of Vilnius."""
    return _signed_in(campus, LMS_ADMIN)


def _signed_in(campus: Campus, email: str) -> Desk:
    browser = campus.browser()
    assert browser.sign_in(email).status_code == 303
    return browser


def _link(page: str) -> str:
    found = re.search(r'value="(http[^"]+/lti/register/[^"]+)"', page)
    assert found, page
    return unescape(found[1])


def test_a_link_is_made_and_shown_again_until_it_is_used(campus: Campus, coordinator: Desk) -> None:
    assert path_of(coordinator.send(MALTA, f"{MALTA}invite", days="7")) == f"{MALTA}?saved=invited"
    link = _link(coordinator.get(MALTA).text)
    assert _link(coordinator.get(MALTA).text) == link
    assert campus.browser().get(urlsplit(link).path).status_code == 200
    assert ("staff 1", "invite_lms") in [(actor, action) for actor, action, _ in campus.office.audit()]


def test_what_registers_waits_until_the_coordinator_approves_it(campus: Campus, coordinator: Desk) -> None:
    campus.register(campus.invite(approves=False))
    assert (campus.platforms()[0].state, campus.deployments()) == ("pending", [("1", "pending")])
    assert "its LMS has registered" in coordinator.get("/admin/").text
    page = coordinator.get(MALTA).text
    assert "waits for approval" in page
    answer = coordinator.send(MALTA, f"{MALTA}approve/malta", do="approve")
    assert path_of(answer) == f"{MALTA}?saved=approved"
    assert (campus.platforms()[0].state, campus.deployments()) == ("active", [("1", "approved")])
    assert "its LMS has registered" not in coordinator.get("/admin/").text


def test_the_coordinator_sees_whose_keys_are_to_be_trusted(campus: Campus, coordinator: Desk) -> None:
    """By hand, anybody with the link can name the issuer of the university and keys of their own."""
    foreign = {
        "issuer": "https://moodle.malta.example",
        "authorization_endpoint": "https://elsewhere.example/auth",
        "token_endpoint": "https://elsewhere.example/token",
        "jwks_uri": "https://elsewhere.example/keys",
    }
    path = f"{campus.path(campus.invite(approves=False))}/manual"
    assert campus.browser().post(path, data=BY_HAND | foreign, headers=OURS).status_code == 303
    page = coordinator.get(MALTA).text
    assert [address in page for address in foreign.values()] == [True] * 4


def test_what_was_turned_down_stays_closed_and_may_still_be_approved(campus: Campus, coordinator: Desk) -> None:
    campus.register(campus.invite(approves=False))
    coordinator.send(MALTA, f"{MALTA}approve/malta", do="reject")
    assert campus.platforms()[0].state == "rejected"
    coordinator.send(MALTA, f"{MALTA}approve/malta", do="approve")
    assert campus.platforms()[0].state == "active"


def test_an_lms_admin_never_makes_a_link_that_approves(campus: Campus, lms_admin: Desk) -> None:
    assert 'name="approves"' not in lms_admin.get(VILNIUS).text
    assert path_of(lms_admin.send(VILNIUS, f"{VILNIUS}invite", days="7", approves="yes"))
    assert "waits for the coordinator" in lms_admin.get(VILNIUS).text


def test_an_lms_admin_has_the_own_university_alone(campus: Campus, lms_admin: Desk) -> None:
    token = form_token(lms_admin.get(VILNIUS).text, f"{VILNIUS}invite")
    foreign = campus.invite()
    for path in (MALTA, f"{MALTA}manual", f"{MALTA}revoke/{foreign.invitation_id}"):
        assert lms_admin.get(path).status_code == 403
    assert lms_admin.post(f"{MALTA}invite", data={"form_token": token, "days": "7"}, headers=OURS).status_code == 403
    assert lms_admin.get(f"{VILNIUS}revoke/{foreign.invitation_id}").status_code == 404


def test_an_lms_admin_approves_nothing(campus: Campus, lms_admin: Desk) -> None:
    lms_admin.send(f"{VILNIUS}manual", f"{VILNIUS}manual", **BY_HAND)
    assert campus.platforms()[0].state == "pending"
    assert f"{VILNIUS}approve/vilnius" not in lms_admin.get(VILNIUS).text


def test_a_link_is_taken_back_after_a_question(campus: Campus, coordinator: Desk) -> None:
    invitation = campus.invite()
    page = f"{MALTA}revoke/{invitation.invitation_id}"
    assert path_of(coordinator.send(page, page)) == f"{MALTA}?saved=revoked"
    assert campus.browser().get(campus.path(invitation)).status_code == 410
    assert path_of(coordinator.get(page)) == MALTA
    assert "taken back" in coordinator.get(MALTA).text


def test_why_the_last_try_came_to_nothing_is_shown(campus: Campus, coordinator: Desk) -> None:
    campus.play("moodle", "no_client_id")
    campus.register(campus.invite())
    assert "without a client id" in coordinator.get(MALTA).text


def test_why_an_lms_could_not_even_be_asked_is_shown_until_it_works(campus: Campus, coordinator: Desk) -> None:
    campus.play("moodle", "other_issuer")
    invitation = campus.invite()
    assert campus.ask(invitation).status_code == 422
    assert "belongs to another LMS" in coordinator.get(MALTA).text
    campus.play("moodle")
    campus.register(invitation)
    assert "belongs to another LMS" not in coordinator.get(MALTA).text


@pytest.mark.parametrize("days", ["", "0", "31", "seven", "²", "7" * 99, "00079999", "0007" + "9" * 12])
def test_days_that_cannot_be_are_said(campus: Campus, coordinator: Desk, days: str) -> None:
    answer = coordinator.send(MALTA, f"{MALTA}invite", days=days)
    assert (answer.status_code, "from 1 to 30" in answer.text) == (422, True)


def test_by_hand_a_coordinators_works_at_once(campus: Campus, coordinator: Desk) -> None:
    answer = coordinator.send(f"{MALTA}manual", f"{MALTA}manual", **BY_HAND | {"deployment_id": "7"})
    assert path_of(answer) == f"{MALTA}?saved=connected"
    assert (campus.platforms()[0].state, campus.deployments()) == ("active", [("7", "approved")])


def test_by_hand_the_addresses_are_looked_up(campus: Campus, coordinator: Desk) -> None:
    answer = coordinator.send(
        f"{MALTA}manual",
        f"{MALTA}manual",
        do="look_up",
        client_id="kept",
        configuration_url=f"{campus.site.campus.url}/mod/lti/openid-configuration.php",
    )
    assert answer.status_code == 200
    for value in (campus.site.campus.issuer, f"{campus.site.campus.url}/mod/lti/token.php", "kept"):
        assert f'value="{value}"' in answer.text
    wrong = coordinator.send(f"{MALTA}manual", f"{MALTA}manual", do="look_up", configuration_url="http://10.0.0.1/x")
    assert (wrong.status_code, 'id="configuration-fault"' in wrong.text) == (422, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", ""),
        ("client_id", "x" * 256),
        ("token_endpoint", "http://lms.example/token"),
        ("jwks_uri", "keys"),
        ("authorization_endpoint", "https://lms.example/a b"),
        ("issuer", "https://lms.example/\x00"),
    ],
)
def test_by_hand_what_cannot_be_is_said_beside_its_field(
    campus: Campus, coordinator: Desk, field: str, value: str
) -> None:
    answer = coordinator.send(f"{MALTA}manual", f"{MALTA}manual", **BY_HAND | {field: value})
    assert (answer.status_code, f'id="{field}-fault"' in answer.text) == (422, True)
    assert campus.platforms() == []


def test_by_hand_the_same_lms_twice_is_said(campus: Campus, coordinator: Desk) -> None:
    coordinator.send(f"{MALTA}manual", f"{MALTA}manual", **BY_HAND)
    answer = coordinator.send(f"{MALTA}manual", f"{MALTA}manual", **BY_HAND)
    assert (answer.status_code, "registered here already" in answer.text) == (409, True)


# By invitation


@pytest.mark.parametrize("product", ["moodle", "canvas", "brightspace", "blackboard", "sakai", "generic"])
def test_the_page_of_the_link_has_every_address_of_each_product(campus: Campus, product: str) -> None:
    path = campus.path(campus.invite())
    page = campus.browser().get(f"{path}?lms={product}").text
    public_url = campus.settings.public_url
    for address in (f"{public_url}{path}", f"{public_url}/lti/login/malta", f"{public_url}/lti/jwks.json"):
        assert f'value="{address}"' in page
    manual = campus.browser().get(f"{path}/manual?lms={product}")
    assert manual.status_code == 200


def test_by_hand_an_invitation_is_spent(campus: Campus) -> None:
    invitation = campus.invite(approves=False)
    path = f"{campus.path(invitation)}/manual"
    answer = campus.browser().post(path, data=BY_HAND | {"slug": "malta"}, headers=OURS)
    assert path_of(answer) == f"{campus.path(invitation)}/done"
    assert (campus.platforms()[0].state, campus.platforms()[0].slug) == ("pending", "malta")
    assert "still has to approve it" in campus.done(invitation).text
    again = campus.browser().post(path, data=BY_HAND | {"client_id": "other"}, headers=OURS)
    assert again.status_code == 410
    assert len(campus.platforms()) == 1


def test_by_hand_a_version_is_kept_without_what_cannot_be_seen(campus: Campus) -> None:
    """PostgreSQL takes no NUL."""
    version = {"version": "4\x00.5\n" + "x" * 99}
    campus.browser().post(f"{campus.path(campus.invite())}/manual", data=BY_HAND | version, headers=OURS)
    assert campus.platforms()[0].lms_version == "4.5" + "x" * 61


def test_by_hand_the_name_of_another_university_is_not_taken(campus: Campus) -> None:
    invitation = campus.invite()
    campus.browser().post(f"{campus.path(invitation)}/manual", data=BY_HAND | {"slug": "vilnius"}, headers=OURS)
    assert campus.platforms()[0].slug == "malta"


def test_any_lms_may_frame_the_page_of_an_invitation_and_nothing_else(campus: Campus) -> None:
    page = campus.ask(campus.invite())
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert "X-Frame-Options" not in page.headers
    assert "frame-ancestors *" not in campus.browser().get("/lti/login").headers["Content-Security-Policy"]


def test_canvas_reads_its_configuration_by_itself(campus: Campus) -> None:
    said = campus.browser().get("/lti/canvas.json?platform=malta").get_json()
    public_url = campus.settings.public_url
    assert said["oidc_initiation_url"] == f"{public_url}/lti/login/malta"
    assert said["public_jwk_url"] == f"{public_url}/lti/jwks.json"
    (extension,) = said["extensions"]
    assert extension["privacy_level"] == "name_only"
    assert {place["message_type"] for place in extension["settings"]["placements"]} == {"LtiDeepLinkingRequest"}
    bare = campus.browser().get("/lti/canvas.json?names=no").get_json()
    assert (bare["oidc_initiation_url"], bare["extensions"][0]["privacy_level"]) == (
        f"{public_url}/lti/login",
        "anonymous",
    )
    assert campus.browser().get("/lti/canvas.json?platform=../x").status_code == 404
