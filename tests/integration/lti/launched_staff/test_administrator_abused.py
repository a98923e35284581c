"""An administrator's launch bound to an account of staff, and everybody whom it must open nothing to."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.limits import STAFF_TRIES
from series.store.lms_tables import staff_binding
from series.store.tables import staff_session
from tests.integration.lti.launched_staff.administrators import (
    BEGIN,
    CONFIRM,
    INSTRUCTOR,
    NOTICE,
    OF_VILNIUS,
    OPEN,
    QUESTION,
    SECOND,
    Administrator,
    bindings,
    come,
    forced_confirm,
    is_over,
    leads_to,
    send,
)
from tests.integration.lti.lms import LEARNER
from tests.integration.lti.tool import ToolUnderTest, form_token
from tests.integration.staff.desk import COORDINATOR, OURS, PASSWORD

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
    answer = first.browser.post(CONFIRM, data={"form_token": token, "current": PASSWORD}, headers=OURS)
    assert answer.status_code == 403
    assert bindings(tool) == 0


def test_without_the_password_nothing_is_bound(administrator: Administrator) -> None:
    """An unlocked computer, or a sign-in that came by a launch itself, lets nobody else in for good."""
    send(administrator.browser, BEGIN, administrator.ticket())
    administrator.sign_in()
    answer = administrator.confirm("another one")
    assert (answer.status_code, "This is not your present password." in answer.text) == (422, True)
    for _ in range(STAFF_TRIES.burst):
        answer = administrator.confirm("")
    assert (answer.status_code, "too many tries" in answer.text) == (429, True)
    assert int(answer.headers["Retry-After"]) > 0
    assert administrator.confirm().status_code == 429
    assert bindings(administrator.tool) == 0


# Once, and in time


def test_a_ticket_opens_one_sign_in(bound: Administrator) -> None:
    ticket = bound.ticket()
    assert leads_to(send(bound.browser, OPEN, ticket)) == "/admin/lms/"
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
