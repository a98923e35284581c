"""People whom their LMS calls its administrator, in front of a browser; and accounts of staff."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa
from werkzeug.test import TestResponse

from lti_tool.pages.staff_proof import token_for
from series.staff import Role
from series.store.lms_tables import staff_binding
from series.store.staff import require_account
from series.store.tables import visit
from tests.conftest import PUBLIC_URL, make_settings
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import Browser, ToolUnderTest, form_token
from tests.integration.staff.desk import COORDINATOR, OURS, PASSWORD, add_account, cheap_passwords

SYSTEM_ADMIN = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
OF_MALTA, OF_VILNIUS = "anna@example.org", "jonas@example.org"
NOTICE, WAY = "You administer this LMS.", "administrator/"
BEGIN, QUESTION, CONFIRM, OPEN = "/admin/bind/", "/admin/bind/", "/admin/bind/confirm", "/admin/bind/open"
SECOND = timedelta(seconds=1)


def add_accounts(tool: ToolUnderTest) -> ToolUnderTest:
    """A coordinator, and an LMS admin at either university."""
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

    def confirm(self, password: str = PASSWORD) -> TestResponse:
        page = self.browser.get(QUESTION)
        assert page.status_code == 200, page.text
        data = {"form_token": form_token(page.text, CONFIRM), "current": password}
        return self.browser.post(CONFIRM, data=data, headers=OURS)

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


def forced_confirm(one: Administrator) -> TestResponse:
    """With a token as the sign-in's own page would have it."""
    cookie = one.browser.get_cookie("staff")
    assert cookie
    with one.tool.database.read() as connection:
        participant_id = connection.execute(sa.select(visit.c.participant_id)).scalars().first()
    data = {"form_token": token_for(cookie.value, f"bind {participant_id}"), "current": PASSWORD}
    return one.browser.post(CONFIRM, data=data, headers=OURS)
