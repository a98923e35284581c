"""The pages of staff: what they show to whom, how long, and which forms they take."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.staff import SESSION_IDLE, SESSION_LIFE
from series.store.sessions import list_series
from series.store.staff import disable_account, enable_account
from series.store.tables import staff_session
from tests.conftest import PUBLIC_URL
from tests.integration.staff.desk import (
    COORDINATOR,
    LMS_ADMIN,
    OURS,
    PASSWORD,
    Desk,
    Office,
    form_token,
    path_of,
)

NEW = "tomorrow we go to the beach"
FORMS = {
    "/admin/sign-out": "/admin/",
    "/admin/sign-out-everywhere": "/admin/",
    "/admin/password": "/admin/password",
}
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def change(browser: Desk, *, current: str = PASSWORD, password: str = NEW, again: str | None = None) -> str:
    """The page that answers."""
    fields = {"current": current, "password": password, "again": password if again is None else again}
    answer = browser.send("/admin/password", "/admin/password", **fields)
    return path_of(answer) if answer.status_code == 303 else answer.text


# Who sees what


def test_a_coordinator_sees_who_they_are_and_the_series(office: Office, signed_in: Desk) -> None:
    page = signed_in.get("/admin/").text
    with office.database.read() as connection:
        (series,) = list_series(connection)
    for text in ("Maria Borg", COORDINATOR, "coordinator", series.title, "This is the first."):
        assert text in page


def test_an_lms_admin_sees_their_university_and_not_the_series(office: Office, browser: Desk) -> None:
    browser.sign_in(LMS_ADMIN)
    page = browser.get("/admin/").text
    assert "LMS administrator of Vilnius University" in page
    with office.database.read() as connection:
        assert list_series(connection)[0].title not in page


def test_the_second_time_the_first_is_shown(office: Office, signed_in: Desk) -> None:
    signed_in.sign_in()
    page = signed_in.get("/admin/").text
    assert "This is the first." not in page
    assert re.search(rf"<dd>\d+ \w+ {office.tool.clock.now():%Y}, \d\d:\d\d \(UTC\)</dd>", page)


@pytest.mark.parametrize("path", ["/admin/", "/admin/password"])
def test_nobody_else_sees_a_page_of_staff(browser: Desk, path: str) -> None:
    assert path_of(browser.get(path)).startswith("/admin/sign-in")


def test_the_bare_address_leads_on(browser: Desk) -> None:
    answer = browser.get("/admin")
    assert (answer.status_code, answer.location) == (308, f"{PUBLIC_URL}/admin/")


# How long


def test_half_an_hour_without_a_page_signs_out(office: Office, signed_in: Desk) -> None:
    office.jump(SESSION_IDLE - MINUTE)
    assert signed_in.is_signed_in()
    office.jump(2 * SESSION_IDLE - 2 * MINUTE)
    assert signed_in.is_signed_in()
    office.jump(3 * SESSION_IDLE)
    assert not signed_in.is_signed_in()


def test_twelve_hours_sign_out_however_busy(office: Office, signed_in: Desk) -> None:
    elapsed = timedelta(0)
    while elapsed < SESSION_LIFE - SESSION_IDLE:
        elapsed += 25 * MINUTE
        office.jump(elapsed)
        assert signed_in.is_signed_in()
    office.jump(SESSION_LIFE - MINUTE)
    assert signed_in.is_signed_in()
    office.jump(SESSION_LIFE + SECOND)
    assert not signed_in.is_signed_in()


def test_not_every_page_is_a_write(office: Office, signed_in: Desk) -> None:
    def seen_at() -> object:
        with office.database.read() as connection:
            return connection.execute(sa.select(staff_session.c.seen_at)).scalar_one()

    first = seen_at()
    signed_in.get("/admin/")
    assert seen_at() == first
    office.jump(2 * MINUTE)
    signed_in.get("/admin/")
    assert seen_at() != first


def test_disabling_an_account_ends_what_is_open_at_once_and_for_good(office: Office, signed_in: Desk) -> None:
    account = office.account()
    with office.database.write() as connection:
        disable_account(connection, account.staff_id)
    assert not signed_in.is_signed_in()
    with office.database.write() as connection:
        enable_account(connection, account.staff_id)
    assert not signed_in.is_signed_in()
    assert signed_in.sign_in().status_code == 303


# The ways out


def test_signing_out_ends_this_browsers_sign_in_alone(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in()
    cookie = signed_in.get_cookie("staff")
    assert path_of(signed_in.send("/admin/", "/admin/sign-out")) == "/admin/sign-in?done=signed-out"
    assert "You are signed out." in signed_in.get("/admin/sign-in?done=signed-out").text
    assert signed_in.get_cookie("staff") is None
    assert cookie
    signed_in.set_cookie("staff", cookie.value)
    assert not signed_in.is_signed_in()
    assert other.is_signed_in()


def test_signing_out_everywhere_ends_all(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in()
    assert path_of(signed_in.send("/admin/", "/admin/sign-out-everywhere")) == "/admin/sign-in?done=everywhere"
    assert not signed_in.is_signed_in()
    assert not other.is_signed_in()
    assert office.audit()[-1][1] == "sign_out_everywhere"


def test_another_account_is_not_signed_out_with_it(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in(LMS_ADMIN)
    signed_in.send("/admin/", "/admin/sign-out-everywhere")
    assert other.is_signed_in()


# Forms


@pytest.mark.parametrize(("action", "page"), FORMS.items())
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused(signed_in: Desk, action: str, page: str, headers: dict[str, str]) -> None:
    token = form_token(signed_in.get(page).text, action)
    answer = signed_in.post(action, data={"form_token": token}, headers=headers)
    assert (answer.status_code, "Nothing was changed" in answer.text) == (403, True)
    assert signed_in.is_signed_in()


@pytest.mark.parametrize("action", FORMS)
@pytest.mark.parametrize("wrong", ["", "0" * 64, "…", None])
def test_a_form_without_the_sign_ins_token_is_refused(signed_in: Desk, action: str, wrong: str | None) -> None:
    form = {} if wrong is None else {"form_token": wrong}
    assert signed_in.post(action, data=form, headers=OURS).status_code == 403
    assert signed_in.is_signed_in()


def test_a_form_for_another_action_is_refused(signed_in: Desk) -> None:
    token = form_token(signed_in.get("/admin/").text, "/admin/sign-out")
    answer = signed_in.post("/admin/sign-out-everywhere", data={"form_token": token}, headers=OURS)
    assert answer.status_code == 403


def test_a_form_of_another_sign_in_is_refused(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in()
    token = form_token(other.get("/admin/").text, "/admin/sign-out")
    assert signed_in.post("/admin/sign-out", data={"form_token": token}, headers=OURS).status_code == 403


def test_browsers_that_send_neither_header_are_held_to_the_token(signed_in: Desk) -> None:
    token = form_token(signed_in.get("/admin/").text, "/admin/sign-out")
    assert signed_in.post("/admin/sign-out", data={"form_token": token}).status_code == 303


def test_what_was_typed_into_a_form_that_came_too_late_is_shown_and_nothing_else(browser: Desk) -> None:
    names = ("form_token", "next", "password", "passphrase", "held_at", "digest", "rule", "code", "a-new-field")
    form = dict.fromkeys(names, "hidden-one") | {"reason": "Moved <b>for</b> the strike"}
    answer = browser.post("/admin/password", data=form, headers=OURS)
    assert answer.status_code == 401
    assert "Moved &lt;b&gt;for&lt;/b&gt; the strike" in answer.text
    assert "hidden-one" not in answer.text


def test_what_another_site_sends_is_not_shown(browser: Desk) -> None:
    answer = browser.post("/admin/password", data={"x": "Call us"}, headers={"Origin": "https://evil.example"})
    assert path_of(answer) == "/admin/sign-in?next=/admin/password"


@pytest.mark.parametrize("path", ["/admin/sign-out", "/admin/sign-out-everywhere"])
def test_a_link_signs_nobody_out(signed_in: Desk, path: str) -> None:
    answer = signed_in.get(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS, POST")
    assert signed_in.is_signed_in()


# The password


def test_a_new_password_ends_all_sign_ins(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in()
    assert change(signed_in) == "/admin/sign-in?done=password"
    assert not signed_in.is_signed_in()
    assert not other.is_signed_in()
    assert signed_in.sign_in().status_code == 422
    assert signed_in.sign_in(password=NEW).status_code == 303
    assert ("set_password", '{"by": "page"}') in [(action, detail) for _, action, detail in office.audit()]


def test_the_present_password_must_be_known(office: Office, signed_in: Desk) -> None:
    assert "This is not your present password." in change(signed_in, current="wrong")
    assert signed_in.is_signed_in()
    for _ in range(9):
        change(signed_in, current="wrong")
    assert "There were too many tries" in change(signed_in)
    office.jump(92 * SECOND)
    assert change(signed_in) == "/admin/sign-in?done=password"


@pytest.mark.parametrize(
    ("password", "again", "fault"),
    [
        ("eleven char", "eleven char", "at least 12 characters"),
        ("x" * 129, "x" * 129, "at most 128 characters"),
        ("MARIA@example.org", "MARIA@example.org", "something else than your name"),
        (NEW, NEW + "!", "The two fields differ"),
        (NEW, "", "The two fields differ"),
    ],
)
def test_a_password_that_will_not_do_is_explained(signed_in: Desk, password: str, again: str, fault: str) -> None:
    page = change(signed_in, password=password, again=again)
    assert fault in page
    assert 'aria-invalid="true"' in page
    assert password not in page
    assert signed_in.is_signed_in()


# Headers


@pytest.mark.parametrize(
    "path",
    ["/admin/", "/admin/password", "/admin/sign-in", "/admin/nothing", "/admin/set-up/x", "/coordinator/series/x/"],
)
def test_no_page_of_staff_is_framed_or_kept(office: Office, signed_in: Desk, path: str) -> None:
    office.change_settings(frame_ancestors=("https://portal.example",))
    browser = office.new_browser() if path.endswith("sign-in") else signed_in
    headers = browser.get(path).headers
    assert headers["Content-Security-Policy"].endswith("; form-action 'self'; frame-ancestors 'none'")
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_for_everybody_are_framed_as_before(office: Office, browser: Desk) -> None:
    office.change_settings(frame_ancestors=("https://portal.example",))
    headers = browser.get("/").headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors https://portal.example")
    assert "Cross-Origin-Opener-Policy" not in headers


def test_https_is_for_good(office: Office, browser: Desk) -> None:
    office.app.extensions["shared_sessions"] = replace(
        office.tool, settings=replace(office.tool.settings, public_url="https://sessions.example.org")
    )
    assert browser.get("/admin/sign-in").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_page_that_is_not_there_does_not_speak_of_a_course(browser: Desk) -> None:
    answer = browser.get("/admin/nothing")
    assert answer.status_code == 404
    assert "course" not in answer.text
