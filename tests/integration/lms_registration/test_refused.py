"""Registrations that come to nothing: each a clear page, nothing registered here, and the link may be tried again."""

import re
from datetime import timedelta
from html import unescape

import pytest

from lti_tool.register_lms import Asked, claim, register
from series.lms_invitations import Standing
from series.store.lms_invitations import claim_invitation, revoke_invitation
from series.store.universities import AlreadyThere, NewPlatform, add_platform
from tests.at_once import THREADS, at_once
from tests.integration.lms_registration.campus import Campus, sealed_in
from tests.integration.staff.desk import OURS

CONFIGURATIONS = [
    ("html_configuration", "something that is no configuration"),
    ("redirect_configuration", "sends us elsewhere"),
    ("huge_configuration", "sent more than"),
    ("silent_configuration", "broke off|closed it"),
    ("broken_configuration", "cannot answer at the moment"),
    ("refused_configuration", "does not accept"),
    ("other_issuer", "belongs to another LMS.*https://another-university.example"),
    ("foreign_endpoint", "at another site than its own: elsewhere.example"),
    ("no_endpoint", "does not offer registration by a link"),
    ("plain_http", "not protected by https: http://lms.example/certs"),
]
ANSWERS: list[tuple[str, str, bool]] = [
    ("html_registration", "something else than it should", True),
    ("redirect_registration", "sends us elsewhere", True),
    ("huge_registration", "sent more than", True),
    ("silent_registration", "broke off|closed it", True),
    ("broken_registration", "cannot answer at the moment", True),
    ("refused_registration", "does not accept the registration", False),
    ("no_client_id", "without a client id", True),
    ("other_redirect", "another address than ours", True),
]


@pytest.mark.parametrize(("fault", "words"), CONFIGURATIONS, ids=[fault for fault, _ in CONFIGURATIONS])
def test_a_configuration_that_is_none_is_said_before_the_question(campus: Campus, fault: str, words: str) -> None:
    campus.play("moodle", fault)
    invitation = campus.invite()
    page = campus.ask(invitation)
    assert (page.status_code, "Nothing was connected" in page.text) == (422, True)
    assert re.search(words, unescape(page.text))
    assert (campus.platforms(), campus.tools()) == ([], [])
    campus.play("moodle")
    assert campus.register(invitation).status_code == 303


@pytest.mark.parametrize(("fault", "words", "leaves"), ANSWERS, ids=[fault for fault, *_ in ANSWERS])
def test_an_answer_that_is_none_registers_nothing_and_frees_the_link(
    campus: Campus, fault: str, words: str, leaves: object
) -> None:
    campus.play("moodle", fault)
    invitation = campus.invite()
    page = campus.register(invitation)
    assert page.status_code == 422
    assert re.search(words, unescape(page.text))
    assert ("delete it there" in page.text) is leaves
    assert (campus.platforms(), campus.deployments()) == ([], [])
    after = campus.now_is(invitation)
    assert after.standing(campus.office.tool.clock.now()) is Standing.OPEN
    assert re.search(words, after.problem or "")
    campus.play("moodle")
    assert campus.register(invitation).status_code == 303
    assert campus.now_is(invitation).problem is None


def test_a_registration_token_that_was_used_says_begin_once_more(campus: Campus) -> None:
    first, second = campus.invite(), campus.invite()
    asked = campus.asked_by(first)
    pages = [campus.browser().get(campus.path(one), query_string=asked) for one in (first, second)]
    campus.press(first, pages[0])
    answer = campus.press(second, pages[1])
    assert (answer.status_code, "refuses the registration (HTTP status 401)" in answer.text) == (422, True)
    assert "Begin once more" in answer.text
    assert len(campus.platforms()) == 1


@pytest.mark.parametrize("product", ["moodle", "canvas"])
def test_a_missing_token_is_refused_where_the_product_demands_it(campus: Campus, product: str) -> None:
    campus.play(product)
    invitation = campus.invite()
    asked = campus.asked_by(invitation)
    page = campus.browser().get(
        campus.path(invitation), query_string={"openid_configuration": asked["openid_configuration"]}
    )
    answer = page if product == "canvas" else campus.press(invitation, page)
    assert (answer.status_code, "HTTP status 401" in answer.text) == (422, True)
    assert campus.platforms() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/configuration",
        "file:///etc/passwd",
        "no address",
        "https://user:secret@lms.example/x",
        "https://lms.example/\x00",
    ],
)
def test_an_address_that_we_do_not_call_is_a_clear_page(campus: Campus, url: str) -> None:
    page = campus.browser().get(campus.path(campus.invite()), query_string={"openid_configuration": url})
    assert (page.status_code, "Nothing was connected" in page.text) == (422, True)
    assert "secret" not in page.text


def test_scopes_that_the_lms_cuts_down_are_named_on_the_last_page(campus: Campus) -> None:
    campus.play("moodle", "cut_scopes")
    invitation = campus.invite()
    campus.register(invitation)
    page = campus.done(invitation)
    assert "No grades are sent to your gradebook." in page.text
    assert campus.platforms()[0].granted_scopes.endswith("lineitem.readonly")


def test_an_answer_without_a_deployment_is_enough(campus: Campus) -> None:
    campus.play("moodle", "no_deployment")
    invitation = campus.invite()
    campus.register(invitation)
    assert campus.deployments() == []
    assert "the LMS names it at the first launch" in campus.done(invitation).text


# Invitations


def test_an_expired_invitation_is_a_clear_page(campus: Campus) -> None:
    invitation = campus.invite(days=7)
    page = campus.ask(invitation)
    campus.office.jump(timedelta(days=7, seconds=1))
    for answer in (
        campus.ask(invitation),
        campus.press(invitation, page),
        campus.browser().get(campus.path(invitation)),
    ):
        assert (answer.status_code, "has expired" in answer.text) == (410, True)
    assert (campus.platforms(), campus.tools()) == ([], [])


def test_a_used_invitation_is_a_clear_page_and_shows_what_is_left(campus: Campus) -> None:
    invitation = campus.invite()
    campus.register(invitation)
    answer = campus.ask(invitation)
    assert (answer.status_code, "has been used already" in answer.text) == (410, True)
    assert f'href="{campus.path(invitation)}/done"' in answer.text
    assert len(campus.platforms()) == 1


def test_a_revoked_invitation_is_a_clear_page(campus: Campus) -> None:
    invitation = campus.invite()
    page = campus.ask(invitation)
    with campus.office.database.write() as connection:
        assert revoke_invitation(connection, invitation, actor="operator", now=campus.office.tool.clock.now())
    for answer in (campus.ask(invitation), campus.press(invitation, page)):
        assert (answer.status_code, "was taken back" in answer.text) == (410, True)
    assert campus.tools() == []


def test_a_tampered_invitation_is_not_there(campus: Campus) -> None:
    path = campus.path(campus.invite())
    altered = path[:-1] + ("0" if path[-1] != "0" else "1")
    for wrong in (altered, "/lti/register/7-" + "0" * 32, "/lti/register/x", f"{path}0", path.replace("-", "-0", 1)):
        assert campus.browser().get(wrong).status_code == 404


def test_the_form_of_another_invitation_is_refused(campus: Campus) -> None:
    mine, foreign = campus.invite(), campus.invite(university="vilnius")
    page = campus.ask(mine)
    for answer in (campus.press(foreign, page), campus.press(mine, page, sealed="altered." + "0" * 64)):
        assert (answer.status_code, "Begin once more" in answer.text) == (422, True)
    assert (campus.platforms(), campus.tools()) == ([], [])


def test_a_form_that_was_open_for_too_long_says_begin_once_more(campus: Campus) -> None:
    invitation = campus.invite()
    page = campus.ask(invitation)
    campus.office.jump(timedelta(hours=1, seconds=2))
    answer = campus.press(invitation, page)
    assert (answer.status_code, "open for more than an hour" in answer.text) == (422, True)
    assert (campus.platforms(), campus.tools()) == ([], [])


@pytest.mark.parametrize("token", ["a\nb", "ž", "x" * 8193])
def test_a_token_that_cannot_be_one_is_a_clear_page(campus: Campus, token: str) -> None:
    invitation = campus.invite()
    asked = campus.asked_by(invitation) | {"registration_token": token}
    answer = campus.browser().get(campus.path(invitation), query_string=asked)
    assert (answer.status_code, "cannot be one" in answer.text) == (422, True)


def test_a_form_that_another_site_sends_is_refused(campus: Campus) -> None:
    invitation = campus.invite()
    data = {"sealed": sealed_in(campus.ask(invitation))}
    for headers in ({"Origin": "https://evil.example"}, OURS | {"Sec-Fetch-Site": "cross-site"}):
        assert campus.browser().post(campus.path(invitation), data=data, headers=headers).status_code == 403
    assert campus.tools() == []


def test_of_two_at_once_one_wins(campus: Campus) -> None:
    invitation = campus.invite()
    pages = [campus.ask(invitation) for _ in range(THREADS)]
    answers = at_once(campus.office.database, lambda _, number: campus.press(invitation, pages[number]))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(303), set(statuses) <= {303, 409, 410}) == (1, True)
    assert (len(campus.platforms()), len(campus.tools())) == (1, 1)


def test_an_invitation_that_is_claimed_says_that_somebody_is_at_it(campus: Campus) -> None:
    invitation = campus.invite()
    page = campus.ask(invitation)
    with campus.office.database.write() as connection:
        claim_invitation(
            connection,
            invitation.invitation_id,
            lease=timedelta(minutes=2),
            now=campus.office.tool.clock.now(),
        )
    answer = campus.press(invitation, page)
    assert (answer.status_code, "just now" in answer.text) == (409, True)
    other = campus.invite()
    busy = campus.press(other, campus.ask(other))
    assert (busy.status_code, "Another LMS of your university" in busy.text) == (409, True)
    campus.office.jump(timedelta(minutes=3))
    assert campus.register(invitation).status_code == 303


def test_a_link_that_is_tried_too_often_has_to_wait(campus: Campus) -> None:
    campus.play("moodle", "html_configuration")
    invitation = campus.invite()
    answers = [campus.ask(invitation) for _ in range(22)]
    assert answers[0].status_code == 422
    assert (answers[-1].status_code, "Retry-After" in answers[-1].headers) == (429, True)


def test_the_second_lms_of_a_university_has_a_name_of_its_own(campus: Campus) -> None:
    campus.register(campus.invite())
    campus.register(campus.invite())
    assert [row.slug for row in campus.platforms()] == ["malta", "malta-2"]
    assert campus.tools()[1].initiate_login_uri.endswith("/lti/login/malta-2")


def test_a_name_that_is_taken_meanwhile_registers_nothing(campus: Campus) -> None:
    """By an operator, between claim and answer."""
    invitation, tool = campus.invite(), campus.office.tool
    asked = Asked(invitation_id=invitation.invitation_id, **campus.asked_by(invitation))
    held = claim(tool, invitation.invitation_id)
    taken = NewPlatform(
        slug=held.slug,
        university_id=1,
        issuer="https://lms.example",
        client_id="x",
        authorization_endpoint="https://lms.example/a",
        token_endpoint="https://lms.example/t",
        jwks_uri="https://lms.example/k",
        token_audience=None,
        deployment_ids=(),
    )
    with campus.office.database.write() as connection:
        add_platform(connection, taken, now=tool.clock.now())
    with pytest.raises(AlreadyThere):
        register(tool, held, asked, asks_names=True)
    assert [row.client_id for row in campus.platforms()] == ["x"]
    assert campus.now_is(invitation).used_at is None
