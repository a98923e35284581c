"""An administrator's launch: nothing by itself; bound to an account of staff, the way to that account's pages."""

import hmac

import pytest
import sqlalchemy as sa

from lti_tool.pages.visit_proof import COOKIE
from series.store.bindings import bindings_of
from series.store.tables import audit, staff_session
from tests.integration.lti.launched_staff.administrators import (
    BEGIN,
    INSTRUCTOR,
    NOTICE,
    OF_MALTA,
    OPEN,
    QUESTION,
    SYSTEM_ADMIN,
    TEST_USER,
    WAY,
    Administrator,
    account_id,
    come,
    is_over,
    leads_to,
    send,
    ticket_of,
)
from tests.integration.lti.lms import LEARNER
from tests.integration.lti.tool import ToolUnderTest

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
    assert leads_to(send(again.browser, OPEN, again.ticket())) == "/admin/lms/"
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


def _token(proof: str, action: str) -> str:
    return hmac.digest(proof.encode(), action.encode(), "sha256").hex()
