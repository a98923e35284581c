"""An administrator's launch: nothing by itself; bound to an account of staff, the way to that account's pages."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from lti_tool.pages.staff_proof import token_for
from lti_tool.pages.visit_proof import COOKIE
from series.staff import Role
from series.store.bindings import bindings_of
from series.store.deployments import disable_deployment
from series.store.lms_tables import staff_binding
from series.store.staff import disable_account, enable_account, require_account, reset_account
from series.store.tables import audit, staff_session, visit
from series.store.universities import require_platform
from tests.conftest import PUBLIC_URL, make_settings
from tests.integration.lti.lms import LEARNER, Lms
from tests.integration.lti.tool import Browser, ToolUnderTest, form_token
from tests.integration.staff.desk import COORDINATOR, OURS, PASSWORD, Desk, add_account, cheap_passwords

SYSTEM_ADMIN = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
OF_MALTA, OF_VILNIUS = "anna@example.org", "jonas@example.org"
NOTICE, WAY = "You administer this LMS.", "administrator/"
BEGIN, QUESTION, CONFIRM, OPEN = "/admin/bind/", "/admin/bind/", "/admin/bind/confirm", "/admin/bind/open"
SECOND = timedelta(seconds=1)


@pytest.fixture
def tool(tool: ToolUnderTest) -> ToolUnderTest:
    """With a coordinator, and an LMS admin at either university."""
    settings = make_settings(tool.database.url)
    app = tool.app.extensions
    app["shared_sessions"] = replace(app["shared_sessions"], passwords=cheap_passwords())
    add_account(tool.database, COORDINATOR, "Maria Borg", Role.COORDINATOR, settings)
    add_account(tool.database, OF_MALTA, "Anna Vella", Role.LMS_ADMIN, settings, university_id=1)
    add_account(tool.database, OF_VILNIUS, "Jonas Petraitis", Role.LMS_ADMIN, settings, university_id=2)
    return tool


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """A person in front of one browser, in a visit that their LMS opened."""

    tool: ToolUnderTest
    browser: Browser
    path: str

    def ticket(self) -> str:
        """By the way that the notice offers: a POST in the visit, and a page with one button."""
        return ticket_of(self.take_way())

    def take_way(self) -> TestResponse:
        token = form_token(self.browser.get(self.path).text, WAY)
        return self.browser.post(f"{self.path}{WAY}", data={"form_token": token})

    def sign_in(self, email: str = OF_MALTA) -> None:
        form = {"email": email, "password": PASSWORD}
        assert self.browser.post("/admin/sign-in", data=form, headers=OURS).status_code == 303

    def confirm(self) -> TestResponse:
        page = self.browser.get(QUESTION)
        assert page.status_code == 200, page.text
        return self.browser.post(CONFIRM, data={"form_token": form_token(page.text, CONFIRM)}, headers=OURS)

    def bind(self, email: str = OF_MALTA) -> None:
        assert send(self.browser, BEGIN, self.ticket()).status_code == 303
        self.sign_in(email)
        assert leads_to(self.confirm()) == "/admin/?saved=bound"


def come(
    tool: ToolUnderTest,
    lms: Lms | None = None,
    roles: tuple[str, ...] = (INSTRUCTOR, SYSTEM_ADMIN),
    sub: str = "admin-1",
) -> Administrator:
    """A launch with these roles, in a browser of its own."""
    browser, lms = tool.new_browser(), lms or tool.malta
    login = browser.begin_login(lms)
    path = browser.open_visit(login, login.id_token({"roles": list(roles), "sub": sub}))
    return Administrator(tool=tool, browser=browser, path=path)


@pytest.fixture
def administrator(tool: ToolUnderTest) -> Administrator:
    return come(tool)


@pytest.fixture
def bound(administrator: Administrator) -> Administrator:
    """And signed out again."""
    administrator.bind()
    administrator.browser.delete_cookie("staff")
    return administrator


def ticket_of(page: TestResponse) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def send(browser: Browser, action: str, ticket: str, **headers: str) -> TestResponse:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.post(action, data={"ticket": ticket}, headers=OURS | more)


def leads_to(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return answer.location.removeprefix(PUBLIC_URL)


def bindings(tool: ToolUnderTest) -> int:
    return tool.rows_of(staff_binding)


def account_id(tool: ToolUnderTest, email: str = OF_MALTA) -> int:
    with tool.database.read() as connection:
        return require_account(connection, email).staff_id


def is_over(answer: TestResponse) -> bool:
    return answer.status_code == 403 and "This way in is over" in answer.text


# The notice


@pytest.mark.parametrize(
    ("roles", "shown"),
    [
        ((INSTRUCTOR, SYSTEM_ADMIN), True),
        ((SYSTEM_ADMIN,), True),
        ((LEARNER, SYSTEM_ADMIN), True),
        ((INSTRUCTOR,), False),
        ((LEARNER,), False),
        ((SYSTEM_ADMIN, TEST_USER), False),
    ],
    ids=str,
)
def test_only_an_administrator_is_told(tool: ToolUnderTest, roles: tuple[str, ...], shown: bool) -> None:  # noqa: FBT001
    one = come(tool, roles=roles)
    pages = [one.path, f"{one.path}course/"] if INSTRUCTOR in roles else [one.path]
    for page in pages:
        text = one.browser.get(page).text
        assert (NOTICE in text) is shown
        assert (f'action="{one.path}{WAY}"' in text) is shown


@pytest.mark.parametrize("roles", [(LEARNER,), (INSTRUCTOR,), (SYSTEM_ADMIN, TEST_USER)], ids=str)
def test_for_everybody_else_there_is_no_ticket(tool: ToolUnderTest, roles: tuple[str, ...]) -> None:
    one = come(tool, roles=roles)
    proof = one.browser.get_cookie(COOKIE, path=one.path)
    assert proof
    answer = one.browser.post(f"{one.path}{WAY}", data={"form_token": _token(proof.value, "administrator")})
    assert answer.status_code == 403
    assert "ticket" not in answer.text


def test_unbound_it_opens_nothing(administrator: Administrator) -> None:
    assert leads_to(administrator.browser.get("/admin/")).startswith("/admin/sign-in")
    assert "Sign in in a new tab" in administrator.take_way().text
    assert is_over(send(administrator.browser, OPEN, administrator.ticket()))
    assert administrator.tool.rows_of(staff_session) == 0


# Binding


def test_an_lms_admin_confirms_once_and_then_comes_without_a_password(administrator: Administrator) -> None:
    browser = administrator.browser
    page = administrator.take_way()
    assert 'action="/admin/bind/" target="_blank"' in page.text
    assert leads_to(send(browser, BEGIN, ticket_of(page))) == QUESTION
    assert leads_to(browser.get(QUESTION)) == "/admin/sign-in?next=/admin/bind/"
    administrator.sign_in()
    question = browser.get(QUESTION).text
    for words in ("Is this you?", "University of Malta", "admin-1", "Physics teaching", "Anna Vella", OF_MALTA):
        assert words in question
    assert leads_to(administrator.confirm()) == "/admin/?saved=bound"
    assert "As person admin-1 of https://malta.lms.example" in browser.get("/admin/").text
    browser.delete_cookie("staff")
    again = come(administrator.tool)
    assert "Open the connection pages" in again.browser.get(again.path).text
    assert leads_to(send(again.browser, OPEN, again.ticket())) == "/admin/"
    assert "LMS administrator of University of Malta" in again.browser.get("/admin/").text


def test_all_of_it_is_written_down_with_ids_alone(bound: Administrator) -> None:
    send(bound.browser, OPEN, bound.ticket())
    with bound.tool.database.read() as connection:
        rows = connection.execute(sa.select(audit).order_by(audit.c.id)).all()
        (one,) = bindings_of(connection, account_id(bound.tool))
    staff_id = account_id(bound.tool)
    said = [(row.actor, row.action, row.object) for row in rows]
    for action in ("bind_launch", "sign_in_by_launch"):
        assert (f"staff {staff_id}", action, f"staff {staff_id}") in said
    assert f'"participant": {one.participant_id}' in rows[-1].detail
    assert "admin-1" not in str(rows)


def test_the_cookies_are_of_the_new_tab_alone(administrator: Administrator) -> None:
    begun = send(administrator.browser, BEGIN, administrator.ticket())
    (kept,) = begun.headers.getlist("Set-Cookie")
    assert kept.startswith("bind=")
    for part in ("HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"):
        assert part in kept
    assert "Partitioned" not in kept
    assert "ticket" not in begun.location


@pytest.mark.parametrize("action", [BEGIN, OPEN])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Dest": "empty"},
    ],
    ids=str,
)
def test_a_ticket_from_elsewhere_or_inside_a_frame_opens_nothing(
    bound: Administrator, action: str, headers: dict[str, str]
) -> None:
    """Also a good one: what somebody else's page posts would sign its author in, or bind them."""
    answer = send(bound.browser, action, bound.ticket(), **headers)
    assert is_over(answer)
    assert "Set-Cookie" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_without_an_origin_a_ticket_opens_nothing(bound: Administrator) -> None:
    assert is_over(bound.browser.post(OPEN, data={"ticket": bound.ticket()}))


# Whose ticket, whose account


def test_another_universitys_admin_cannot_confirm(administrator: Administrator) -> None:
    send(administrator.browser, BEGIN, administrator.ticket())
    administrator.sign_in(OF_VILNIUS)
    answer = administrator.browser.get(QUESTION)
    assert answer.status_code == 403
    assert "another university" in answer.text
    assert "admin-1" not in answer.text
    assert forced_confirm(administrator).status_code == 403
    assert bindings(administrator.tool) == 0


def test_a_coordinator_cannot_be_bound(administrator: Administrator) -> None:
    send(administrator.browser, BEGIN, administrator.ticket())
    administrator.sign_in(COORDINATOR)
    answer = administrator.browser.get(QUESTION)
    assert (answer.status_code, "The rights of a coordinator" in answer.text) == (403, True)
    assert forced_confirm(administrator).status_code == 403
    assert bindings(administrator.tool) == 0


def test_an_administrator_of_another_university_is_nobody_here(bound: Administrator) -> None:
    """The same number in another university's LMS is another person."""
    other = come(bound.tool, bound.tool.vilnius)
    assert "Open the connection pages" not in other.browser.get(other.path).text
    assert is_over(send(other.browser, OPEN, other.ticket()))


def test_another_administrator_of_the_same_lms_is_nobody_here(bound: Administrator) -> None:
    other = come(bound.tool, sub="admin-2")
    assert "Open the connection pages" not in other.browser.get(other.path).text


def test_the_bound_person_without_the_role_opens_nothing(bound: Administrator) -> None:
    """Who has lost it, or comes as a learner."""
    for roles in ((INSTRUCTOR,), (LEARNER,)):
        one = come(bound.tool, roles=roles)
        assert NOTICE not in one.browser.get(one.path).text


def test_the_ticket_in_another_browser_asks_nothing(administrator: Administrator) -> None:
    """Whoever is sent somebody else's address, or signs in elsewhere, is asked nothing: they would bind a stranger."""
    send(administrator.browser, BEGIN, administrator.ticket())
    victim = replace(administrator, browser=administrator.tool.new_browser())
    victim.sign_in()
    assert is_over(victim.browser.get(QUESTION))
    assert is_over(forced_confirm(victim))
    assert bindings(administrator.tool) == 0


def test_the_form_for_one_launch_does_not_confirm_another_one(tool: ToolUnderTest) -> None:
    first, second = come(tool), come(tool, sub="admin-2")
    send(first.browser, BEGIN, first.ticket())
    first.sign_in()
    token = form_token(first.browser.get(QUESTION).text, CONFIRM)
    send(first.browser, BEGIN, second.ticket())
    answer = first.browser.post(CONFIRM, data={"form_token": token}, headers=OURS)
    assert answer.status_code == 403
    assert bindings(tool) == 0


# Once, and in time


def test_a_ticket_opens_one_sign_in(bound: Administrator) -> None:
    ticket = bound.ticket()
    assert leads_to(send(bound.browser, OPEN, ticket)) == "/admin/"
    assert is_over(send(bound.browser, OPEN, ticket))
    assert is_over(send(bound.tool.new_browser(), OPEN, ticket))
    assert bound.tool.rows_of(staff_session) == 2  # that of the binding, and this one


def test_a_question_is_answered_once(administrator: Administrator) -> None:
    ticket = administrator.ticket()
    send(administrator.browser, BEGIN, ticket)
    administrator.sign_in()
    administrator.confirm()
    with administrator.tool.database.write() as connection:
        connection.execute(sa.delete(staff_binding))
    send(administrator.browser, BEGIN, ticket)
    assert is_over(administrator.confirm())
    assert bindings(administrator.tool) == 0


def test_a_ticket_to_sign_in_is_good_for_two_minutes(bound: Administrator) -> None:
    ticket = bound.ticket()
    bound.tool.jump(timedelta(minutes=2) + 2 * SECOND)
    assert is_over(send(bound.browser, OPEN, ticket))


def test_a_question_is_good_for_ten_minutes(administrator: Administrator) -> None:
    ticket = administrator.ticket()
    send(administrator.browser, BEGIN, ticket)
    administrator.tool.jump(timedelta(minutes=10) + 2 * SECOND)
    assert is_over(send(administrator.browser, BEGIN, ticket))
    administrator.sign_in()
    assert is_over(administrator.browser.get(QUESTION))


@pytest.mark.parametrize("action", [BEGIN, OPEN])
@pytest.mark.parametrize("ticket", ["", "x", "x.y", "…", "a" * 2_000])
def test_what_is_no_ticket_opens_nothing(tool: ToolUnderTest, action: str, ticket: str) -> None:
    assert is_over(send(tool.new_browser(), action, ticket))


def test_a_ticket_for_one_thing_is_worthless_for_another(administrator: Administrator) -> None:
    question = administrator.ticket()
    assert is_over(send(administrator.browser, OPEN, question))
    refused = administrator.browser.post(f"{administrator.path}open", data={"ticket": question}, headers=OURS)
    assert refused.status_code == 403
    administrator.bind()
    assert is_over(send(administrator.browser, BEGIN, administrator.ticket()))


# What ends it


def _disable(tool: ToolUnderTest) -> None:
    with tool.database.write() as connection:
        disable_account(connection, account_id(tool))


def _disable_and_enable(tool: ToolUnderTest) -> None:
    _disable(tool)
    with tool.database.write() as connection:
        enable_account(connection, account_id(tool))


def _reset(tool: ToolUnderTest) -> None:
    with tool.database.write() as connection:
        reset_account(connection, account_id(tool))


def _unbind(tool: ToolUnderTest) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.delete(staff_binding))


def _end_visit(tool: ToolUnderTest) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.delete(visit))


def _take_role(tool: ToolUnderTest) -> None:
    with tool.database.write() as connection:
        connection.execute(sa.update(visit).values(is_administrator=False))


def _disable_deployment(tool: ToolUnderTest) -> None:
    with tool.database.write() as connection:
        home = require_platform(connection, tool.malta.slug)
        disable_deployment(connection, home, tool.malta.deployment_id)


@pytest.mark.parametrize(
    "end", [_disable, _disable_and_enable, _reset, _unbind, _end_visit, _take_role, _disable_deployment]
)
def test_a_ticket_that_is_on_its_way_is_worthless_when(
    bound: Administrator, end: Callable[[ToolUnderTest], None]
) -> None:
    ticket, before = bound.ticket(), bound.tool.rows_of(staff_session)
    end(bound.tool)
    assert is_over(send(bound.browser, OPEN, ticket))
    assert bound.tool.rows_of(staff_session) <= before
    assert not bound.browser.get_cookie("staff")


@pytest.mark.parametrize("end", [_disable, _disable_and_enable, _reset])
def test_disabling_and_resetting_an_account_end_its_bindings(
    bound: Administrator, end: Callable[[ToolUnderTest], None]
) -> None:
    end(bound.tool)
    assert bindings(bound.tool) == 0
    assert "Sign in once" in bound.browser.get(bound.path).text


@pytest.mark.parametrize("end", [_end_visit, _take_role, _disable_deployment])
def test_a_question_is_worthless_when(administrator: Administrator, end: Callable[[ToolUnderTest], None]) -> None:
    send(administrator.browser, BEGIN, administrator.ticket())
    administrator.sign_in()
    page = administrator.browser.get(QUESTION).text
    end(administrator.tool)
    answer = administrator.browser.post(CONFIRM, data={"form_token": form_token(page, CONFIRM)}, headers=OURS)
    assert is_over(answer)
    assert bindings(administrator.tool) == 0


def test_its_owner_undoes_it(bound: Administrator) -> None:
    send(bound.browser, OPEN, bound.ticket())
    page = bound.browser.get("/admin/").text
    undo = re.search(r'action="(/admin/bind/\d+/undo)"', page)
    assert undo
    answer = bound.browser.post(undo[1], data={"form_token": form_token(page, undo[1])}, headers=OURS)
    assert leads_to(answer) == "/admin/?saved=unbound"
    assert bindings(bound.tool) == 0
    again = come(bound.tool)
    assert "Open the connection pages" not in again.browser.get(again.path).text


def test_so_does_a_coordinator(bound: Administrator) -> None:
    desk = Desk(bound.tool.app, bound.tool.app.response_class, use_cookies=True)
    desk.sign_in(COORDINATOR)
    person = f"/admin/people/{account_id(bound.tool)}/"
    undo = re.search(rf'action="({person}bindings/\d+/undo)"', desk.get(person).text)
    assert undo
    assert leads_to(desk.send(person, undo[1])) == f"{person}?saved=unbound"
    assert bindings(bound.tool) == 0


def test_nobody_undoes_somebody_elses(bound: Administrator) -> None:
    desk = Desk(bound.tool.app, bound.tool.app.response_class, use_cookies=True)
    desk.sign_in(OF_VILNIUS)
    with bound.tool.database.read() as connection:
        (one,) = bindings_of(connection, account_id(bound.tool))
    token = desk.token(f"undo-binding {one.participant_id}")
    desk.post(f"/admin/bind/{one.participant_id}/undo", data={"form_token": token}, headers=OURS)
    person = f"/admin/people/{account_id(bound.tool)}/bindings/{one.participant_id}/undo"
    assert desk.post(person, data={"form_token": token}, headers=OURS).status_code == 403
    assert bindings(bound.tool) == 1


def test_another_account_of_the_university_takes_it_over(bound: Administrator) -> None:
    settings = make_settings(bound.tool.database.url)
    add_account(bound.tool.database, "eva@example.org", "Eva Zammit", Role.LMS_ADMIN, settings, university_id=1)
    with bound.tool.database.write() as connection:
        connection.execute(sa.delete(staff_binding))
    bound.bind("eva@example.org")
    assert bindings(bound.tool) == 1
    bound.browser.delete_cookie("staff")
    send(bound.browser, OPEN, bound.ticket())
    assert "Eva Zammit" in bound.browser.get("/admin/").text


def forced_confirm(one: Administrator) -> TestResponse:
    """With a token as the sign-in's own page would have it."""
    cookie = one.browser.get_cookie("staff")
    assert cookie
    with one.tool.database.read() as connection:
        participant_id = connection.execute(sa.select(visit.c.participant_id)).scalars().first()
    data = {"form_token": token_for(cookie.value, f"bind {participant_id}")}
    return one.browser.post(CONFIRM, data=data, headers=OURS)


def _token(proof: str, action: str) -> str:
    return hmac.digest(proof.encode(), action.encode(), "sha256").hex()
