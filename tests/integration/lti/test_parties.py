"""Cases 83 to 89 and 98 to 100: who speaks, for whom, and in which deployment."""

import pytest
import sqlalchemy as sa

from lti_tool.known_platforms import TRUSTED
from series.store.deployments import approve_deployment, list_deployments
from series.store.tables import deployment, platform
from series.store.universities import require_platform
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, login_form


@pytest.mark.parametrize(("path", "code"), [("/malta", "platform_mismatch"), ("", "platform_unknown")])
def test_lti_083_an_unknown_issuer_is_refused_at_the_login(
    tool: ToolUnderTest, browser: Browser, malta: Lms, path: str, code: str
) -> None:
    form = login_form(malta) | {"iss": "https://nobody.example"}
    tool.refuses(code, lambda: browser.post(f"/lti/login{path}", data=form))


def test_lti_083_an_unknown_platform_in_the_path_is_refused(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    page = tool.refuses("platform_unknown", lambda: browser.post("/lti/login/nobody", data=login_form(malta)))
    assert "letter by letter" in page


def test_lti_083_an_unknown_issuer_is_refused_at_the_launch(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    tool.refuses_token("issuer_wrong", login, browser, login.id_token({"iss": "https://nobody.example"}))


def test_lti_083_a_missing_issuer_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("claim_missing", login, browser, login.id_token(without=("iss",)))


def test_lti_084_pitfall_13_a_slash_more_is_another_issuer_and_the_page_says_so(
    tool: ToolUnderTest, browser: Browser, malta: Lms, login: Login
) -> None:
    slash = {"iss": malta.issuer + "/"}
    at_login = tool.refuses("platform_mismatch", lambda: browser.start_login(malta, slash))
    at_launch = tool.refuses_token("issuer_wrong", login, browser, login.id_token(slash))
    assert "differ only by a slash" in at_login
    assert "differ only by a slash" in at_launch
    form = login_form(malta) | slash
    assert "letter by letter" in tool.refuses("platform_unknown", lambda: browser.post("/lti/login", data=form))


def test_lti_085_tenant_b_in_a_login_of_tenant_a_is_refused(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    form = login_form(vilnius)
    tool.refuses("platform_mismatch", lambda: browser.post("/lti/login/malta", data=form))
    tool.refuses("platform_mismatch", lambda: browser.start_login(malta, {"client_id": vilnius.client_id}))


def test_lti_085_a_token_of_tenant_b_in_a_login_of_tenant_a_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, vilnius: Lms
) -> None:
    of_b = {"iss": vilnius.issuer, "aud": vilnius.client_id, "deployment_id": vilnius.deployment_id}
    tool.refuses_token("issuer_wrong", login, browser, login.id_token(of_b))
    tool.refuses_token("key_unknown", login, browser, vilnius.sign(login.claims(of_b)))
    named_as_a = vilnius.sign(login.claims(of_b), header={"alg": "RS256", "kid": malta.kid})
    tool.refuses_token("signature_wrong", login, browser, named_as_a)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "client-of-malta"},
        {"aud": ["client-of-malta"]},
        {"aud": ["other", "client-of-malta"], "azp": "client-of-malta"},
        {"aud": "client-of-malta", "azp": "client-of-malta"},
    ],
    ids=["text", "list-of-one", "second-of-two", "text-and-azp"],
)
def test_lti_086_an_audience_with_us_in_it_is_accepted(
    browser: Browser, login: Login, changes: dict[str, object]
) -> None:
    browser.open_visit(login, login.id_token(changes))


@pytest.mark.parametrize("audience", ["other", ["other"], ["other", "another"], "client-of-malta "])
def test_lti_086_an_audience_without_us_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, audience: object
) -> None:
    tool.refuses_token("audience_wrong", login, browser, login.id_token({"aud": audience}))


def test_lti_087_two_audiences_without_azp_are_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    token = login.id_token({"aud": ["client-of-malta", "other"]})
    assert "Claim: azp" in tool.refuses_token("claim_missing", login, browser, token)


@pytest.mark.parametrize("audience", ["client-of-malta", ["client-of-malta", "other"]])
@pytest.mark.parametrize("azp", ["other", ""])
def test_lti_088_an_azp_other_than_us_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, audience: object, azp: str
) -> None:
    tool.refuses_token("audience_wrong", login, browser, login.id_token({"aud": audience, "azp": azp}))


@pytest.mark.parametrize(
    ("audience", "code"),
    [
        ([], "audience_wrong"),
        ("", "audience_wrong"),
        (None, "claim_malformed"),
        (5, "claim_malformed"),
        ([None], "claim_malformed"),
        ({"client-of-malta": 1}, "claim_malformed"),
    ],
    ids=str,
)
def test_lti_089_an_audience_that_is_none_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, audience: object, code: str
) -> None:
    tool.refuses_token(code, login, browser, login.id_token({"aud": audience}))


def test_lti_089_a_missing_audience_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("claim_missing", login, browser, login.id_token(without=("aud",)))


def test_lti_098_an_unknown_deployment_waits_as_pending_with_the_course_it_came_from(
    tool: ToolUnderTest, browser: Browser, malta: Lms
) -> None:
    form = {name: value for name, value in login_form(malta).items() if name != "lti_deployment_id"}
    login = browser.pass_check(malta, browser.post("/lti/login/malta", data=form), form)
    token = login.id_token({"deployment_id": "unknown"})
    for _ in range(2):
        answer = browser.launch(login, token)
        assert (answer.status_code, "(deployment_pending)" in answer.text) == (403, True)
        assert "not approved yet" in answer.text
    with tool.database.read() as connection:
        (found,) = [row for row in list_deployments(connection) if row.state == "pending"]
    assert (found.deployment_id, found.first_course) == ("unknown", "Physics teaching")
    assert not any(tool.rows()[name] for name in ("visit", "participant", "course", "placement", "spent_nonce"))


def test_lti_098_a_deployment_is_not_noted_from_a_token_that_is_not_verified(
    tool: ToolUnderTest, browser: Browser, login: Login, vilnius: Lms
) -> None:
    forged = vilnius.sign(login.claims({"deployment_id": "unknown"}), header={"alg": "RS256", "kid": login.lms.kid})
    tool.refuses_token("signature_wrong", login, browser, forged)


def test_lti_098_an_approved_deployment_launches_at_once(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    form = {name: value for name, value in login_form(malta).items() if name != "lti_deployment_id"}
    login = browser.pass_check(malta, browser.post("/lti/login/malta", data=form), form)
    token = login.id_token({"deployment_id": "unknown"})
    assert browser.launch(login, token).status_code == 403
    with tool.database.write() as connection:
        approve_deployment(connection, require_platform(connection, "malta"), "unknown")
    browser.open_visit(login, token)


@pytest.mark.parametrize("state", ["pending", "disabled"])
def test_lti_098_a_deployment_that_is_not_approved_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, state: str
) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.update(deployment).values(state=state))
    tool.refuses_token(f"deployment_{state}", login, browser, login.id_token())


def test_lti_099_another_deployment_than_the_logins_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    tool.refuses_token("deployment_mismatch", login, browser, login.id_token({"deployment_id": "another"}))


def test_lti_100_a_disabled_registration_is_refused_at_login_and_launch(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.update(platform).where(platform.c.slug == "malta").values(state="disabled"))
    tool.refuses_token("platform_disabled", login, browser, login.id_token())
    tool.jump(TRUSTED)  # until then this process trusts what it has read, and the launch alone looks once more
    tool.refuses("platform_disabled", lambda: browser.start_login(malta))
    tool.refuses_token("platform_disabled", login, browser, login.id_token())
