"""What ends the binding of an administrator's launch to an account of staff, and what is on its way by it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.staff import LAUNCH_SIGNS_IN_FOR, Role
from series.store.bindings import bindings_of
from series.store.deployments import disable_deployment
from series.store.lms_tables import staff_binding
from series.store.staff import disable_account, enable_account, reset_account
from series.store.tables import staff_session, visit
from series.store.universities import require_platform
from tests.conftest import make_settings
from tests.integration.lti.launched_staff.administrators import (
    BEGIN,
    CONFIRM,
    OF_VILNIUS,
    OPEN,
    QUESTION,
    Administrator,
    account_id,
    bindings,
    come,
    is_over,
    leads_to,
    send,
)
from tests.integration.lti.tool import ToolUnderTest, form_token
from tests.integration.staff.desk import COORDINATOR, OURS, PASSWORD, Desk, add_account

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
    data = {"form_token": form_token(page, CONFIRM), "current": PASSWORD}
    answer = administrator.browser.post(CONFIRM, data=data, headers=OURS)
    assert is_over(answer)
    assert bindings(administrator.tool) == 0


def test_a_launch_of_long_ago_signs_nobody_in(bound: Administrator) -> None:
    """The visit still stands open at a computer in a lecture hall, after its owner has left the LMS and us."""
    bound.tool.jump(LAUNCH_SIGNS_IN_FOR - timedelta(minutes=1))
    ticket = bound.ticket()
    bound.tool.jump(LAUNCH_SIGNS_IN_FOR + timedelta(seconds=10))
    assert is_over(send(bound.browser, OPEN, ticket))
    page = bound.take_way()
    assert "Open the activity again" in page.text
    assert "ticket" not in page.text
    bound.tool.jump(timedelta())  # as the tokens of these tests
    again = come(bound.tool)
    assert leads_to(send(again.browser, OPEN, again.ticket())) == "/admin/lms/"


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
