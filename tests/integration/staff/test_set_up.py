"""The one-time link by which a password is chosen."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from lti_tool.pages.visit_proof import hash_proof
from series.staff import LINK_LIFE
from series.store.staff import disable_account
from series.store.tables import staff, staff_link
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, PASSWORD, Desk, Office, path_of

NEW = "tomorrow we go to the beach"
OVER = "lti-tool admin reset EMAIL"


@pytest.fixture
def path(office: Office) -> str:
    return office.new_link()


def choose(browser: Desk, path: str, password: str = NEW, again: str | None = None) -> str:
    """The page that answers, or where it leads."""
    answer = browser.send(path, path, password=password, again=password if again is None else again)
    return path_of(answer) if answer.status_code == 303 else answer.text


def test_a_link_says_for_whom_it_is_and_asks_twice(browser: Desk, path: str) -> None:
    page = browser.get(path).text
    assert "Maria Borg" in page
    assert f'value="{COORDINATOR}" autocomplete="username"' in page
    assert page.count('autocomplete="new-password"') == 2


def test_a_link_sets_a_password_once(browser: Desk, path: str) -> None:
    assert choose(browser, path) == "/admin/sign-in?done=password"
    assert "Your password is set" in browser.get("/admin/sign-in?done=password").text
    assert not browser.is_signed_in()
    for answer in (browser.get(path), browser.post(path, data={}, headers=OURS)):
        assert answer.status_code in {403, 410}
    assert OVER in browser.get(path).text
    assert browser.sign_in(password=NEW).status_code == 303


def test_a_spent_link_takes_no_form_that_was_opened_before(office: Office, browser: Desk, path: str) -> None:
    other = office.new_browser()
    token = browser.get(path).text.partition('name="form_token" value="')[2].partition('"')[0]
    choose(other, path)
    form = {"form_token": token, "password": "some other password", "again": "some other password"}
    answer = browser.post(path, data=form, headers=OURS)
    assert (answer.status_code, OVER in answer.text) == (410, True)
    assert browser.sign_in(password=NEW).status_code == 303


def test_looking_spends_nothing(browser: Desk, path: str) -> None:
    for _ in range(3):
        assert browser.get(path).status_code == 200
        assert browser.head(path).status_code == 200
    assert choose(browser, path) == "/admin/sign-in?done=password"


@pytest.mark.parametrize(
    ("password", "again", "fault"),
    [
        ("too short", "too short", "at least 12 characters"),
        ("maria@example.org", "maria@example.org", "something else than your name"),
        (NEW, "", "The two fields differ"),
    ],
)
def test_a_password_that_will_not_do_spends_nothing(
    browser: Desk, path: str, password: str, again: str, fault: str
) -> None:
    assert fault in choose(browser, path, password, again)
    assert choose(browser, path) == "/admin/sign-in?done=password"


def test_a_link_ends_every_sign_in(office: Office, path: str) -> None:
    signed_in = office.new_browser()
    signed_in.sign_in()
    choose(office.new_browser(), path)
    assert not signed_in.is_signed_in()
    assert signed_in.sign_in(password=PASSWORD).status_code == 422


def test_a_link_works_for_a_day(office: Office, browser: Desk, path: str) -> None:
    office.jump(LINK_LIFE - timedelta(minutes=1))
    assert browser.get(path).status_code == 200
    office.jump(LINK_LIFE + timedelta(seconds=1))
    assert browser.get(path).status_code == 410


def test_a_newer_link_takes_the_place_of_an_older_one(office: Office, browser: Desk, path: str) -> None:
    office.new_link("other-persons", LMS_ADMIN)
    assert browser.get(path).status_code == 200
    newer = office.new_link("newer")
    assert (browser.get(path).status_code, browser.get(newer).status_code) == (410, 200)


def test_a_link_of_a_disabled_account_is_over(office: Office, browser: Desk, path: str) -> None:
    with office.database.write() as connection:
        disable_account(connection, office.account().staff_id)
    assert browser.get(path).status_code == 410


@pytest.mark.parametrize("secret", ["x", "%00", "é", "x" * 5_000])
def test_a_made_up_link_is_over(browser: Desk, secret: str) -> None:
    answer = browser.get(f"/admin/set-up/{secret}")
    assert (answer.status_code, OVER in answer.text) == (410, True)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, OURS])
def test_a_form_from_elsewhere_or_without_its_token_spends_nothing(
    browser: Desk, path: str, headers: dict[str, str]
) -> None:
    form = {"password": NEW, "again": NEW}
    if headers != OURS:
        form["form_token"] = browser.get(path).text.partition('name="form_token" value="')[2].partition('"')[0]
    assert browser.post(path, data=form, headers=headers).status_code == 403
    assert browser.get(path).status_code == 200


def test_the_secret_of_a_link_is_neither_stored_nor_logged(office: Office, browser: Desk) -> None:
    path = office.new_link("the-secret-of-a-link")
    with capture_logs() as records:
        choose(browser, path)
        browser.get(path)
    with office.database.read() as connection:
        kept = str(connection.execute(sa.select(staff)).all()) + str(office.audit())
    assert "the-secret" not in kept + str(records)
    assert NEW not in kept + str(records)
    assert hash_proof("the-secret-of-a-link") not in kept
    assert ("set_password", '{"by": "link"}') in [(action, detail) for _, action, detail in office.audit()]


def test_the_hash_of_a_link_is_what_is_stored(office: Office, path: str) -> None:
    with office.database.read() as connection:
        assert connection.execute(sa.select(staff_link.c.id)).scalars().all() == [hash_proof("a-secret")]
