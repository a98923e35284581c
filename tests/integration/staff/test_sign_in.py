"""Signing in: who may, how often, and from where."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from series.limits import STAFF_TRIES, STAFF_TRIES_OF_ADDRESS
from series.store.staff import disable_account
from series.store.tables import audit, rate_limit, staff, staff_session
from tests.conftest import PUBLIC_URL
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, PASSWORD, Desk, Office, path_of

NOBODY = "nobody@example.org"
WRONG = "do not fit together"
TOO_MANY = "There were too many tries"


def use_up(browser: Desk, email: str = COORDINATOR, times: int = STAFF_TRIES.burst) -> None:
    for _ in range(times):
        assert browser.sign_in(email, "wrong").status_code == 422


# Who may


@pytest.mark.parametrize("typed", [COORDINATOR, "Maria@Example.ORG", f"  {COORDINATOR} "])
def test_the_right_password_opens_the_pages_of_staff(browser: Desk, typed: str) -> None:
    assert path_of(browser.sign_in(typed)) == "/admin/"
    assert "Maria Borg" in browser.get("/admin/").text


def test_a_password_may_be_typed_in_another_form_of_the_same_signs(office: Office, browser: Desk) -> None:
    path = office.new_link()
    browser.send(path, path, password="caf\u00e9 au lait, s'il vous", again="caf\u00e9 au lait, s'il vous")
    assert browser.sign_in(password="cafe\u0301 au lait, s'il vous").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (COORDINATOR, "wrong"),
        (COORDINATOR, ""),
        (COORDINATOR, PASSWORD + " "),
        (COORDINATOR, "x" * 100_000),
        (COORDINATOR, "\0"),
        (NOBODY, PASSWORD),
        ("", ""),
        ("\0", PASSWORD),
        ("x" * 50_000, PASSWORD),
    ],
)
def test_anything_else_is_told_the_same(browser: Desk, email: str, password: str) -> None:
    answer = browser.sign_in(email, password)
    assert answer.status_code == 422
    assert WRONG in answer.text
    assert 'role="alert"' in answer.text
    assert not browser.is_signed_in()


def test_what_is_said_does_not_tell_who_has_an_account(office: Office, browser: Desk) -> None:
    with office.database.write() as connection:
        connection.execute(sa.update(staff).where(staff.c.email == LMS_ADMIN).values(password_hash=None))
    said = {browser.sign_in(email, "wrong").text.replace(email, "…") for email in (COORDINATOR, NOBODY, LMS_ADMIN)}
    assert len(said) == 1


def test_every_try_costs_one_comparison_whether_or_not_there_is_an_account(
    office: Office, browser: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.take_the_real_passwords()
    compared: list[str] = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
        compared.append(password_hash.rpartition("$")[0].rpartition("$")[0])
        return verify(hasher, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for email in (COORDINATOR, NOBODY, "no e-mail"):
        browser.sign_in(email, "wrong")
    assert len(compared) == 3
    assert compared[1:] == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


def test_a_disabled_account_does_not_sign_in(office: Office, browser: Desk) -> None:
    with office.database.write() as connection:
        disable_account(connection, office.account().staff_id)
    answer = browser.sign_in()
    assert (answer.status_code, WRONG in answer.text) == (422, True)


def test_a_hash_of_older_parameters_is_made_anew(office: Office, browser: Desk) -> None:
    office.take_the_real_passwords()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with office.database.write() as connection:
        connection.execute(sa.update(staff).values(password_hash=weak))
    browser.sign_in(password="wrong")
    assert office.account().password_hash == weak
    browser.sign_in()
    assert str(office.account().password_hash).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert office.new_browser().sign_in().status_code == 303


# The session's secret


def test_the_secret_in_the_cookie_is_not_stored(office: Office, signed_in: Desk) -> None:
    secret = signed_in.get_cookie("staff")
    assert secret
    assert len(secret.value) >= 43
    with office.database.read() as connection:
        assert secret.value not in str(connection.execute(sa.select(staff_session)).all())


def test_a_planted_cookie_is_not_signed_in_by_the_one_who_signs_in(office: Office, browser: Desk) -> None:
    browser.set_cookie("staff", "planted")
    browser.sign_in()
    now = browser.get_cookie("staff")
    assert now
    assert now.value != "planted"
    stranger = office.new_browser()
    stranger.set_cookie("staff", "planted")
    assert not stranger.is_signed_in()


def test_a_second_sign_in_has_a_new_secret_and_ends_the_first(office: Office, signed_in: Desk) -> None:
    first = signed_in.get_cookie("staff")
    signed_in.sign_in()
    second = signed_in.get_cookie("staff")
    assert first
    assert second
    assert first.value != second.value
    stranger = office.new_browser()
    stranger.set_cookie("staff", first.value)
    assert not stranger.is_signed_in()
    assert signed_in.is_signed_in()


@pytest.mark.parametrize("value", ["", "x", "…", "x" * 5_000])
def test_a_made_up_cookie_opens_nothing(browser: Desk, value: str) -> None:
    answer = browser.get("/admin/", headers={"Cookie": f"staff={value}"})
    assert path_of(answer) == "/admin/sign-in"


def test_the_cookie_is_a_plain_one_on_loopback_without_tls(browser: Desk) -> None:
    (cookie,) = [c for c in browser.sign_in().headers.getlist("Set-Cookie") if c.startswith("staff=")]
    assert cookie.partition("; ")[2].split("; ") == ["HttpOnly", "Path=/", "SameSite=Lax"]


def test_the_cookie_is_tied_to_the_host_over_https(office: Office) -> None:
    office.change_settings(public_url="https://sessions.example.org")
    answer = office.new_browser().sign_in(headers={"Origin": "https://sessions.example.org"})
    cookies = answer.headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-staff", "__Host-staff-browser"]
    for cookie in cookies:
        attributes = cookie.split("; ")[1:]
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
        assert "Domain" not in cookie


# From where


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_another_site_cannot_sign_somebody_in(browser: Desk, headers: dict[str, str]) -> None:
    form = {"email": COORDINATOR, "password": PASSWORD}
    assert browser.post("/admin/sign-in", data=form, headers=headers).status_code == 403
    assert not browser.is_signed_in()


@pytest.mark.parametrize("path", ["/admin/password", "/coordinator/series/5e51e500-0000/?week=7&x=a_b%20c"])
def test_the_sign_in_leads_on_to_the_page_that_was_wanted(browser: Desk, path: str) -> None:
    page = browser.get(f"/admin/sign-in?next={path.replace('&', '%26').replace('%20', '%2520')}")
    assert f'name="next" value="{path.replace("&", "&amp;")}"' in page.text
    assert path_of(browser.sign_in(onward=path)) == path


def test_a_closed_page_leads_to_the_sign_in_and_that_back_to_it(browser: Desk) -> None:
    assert path_of(browser.get("/admin/password")) == "/admin/sign-in?next=/admin/password"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/staff/",
        "//evil.example/staff/",
        "/admin//evil.example",
        "/admin/../lti/login",
        "/admin/..%2f",
        "/admin/\\evil.example",
        "/admin/@evil.example",
        "/admin/\r\nSet-Cookie: x=y",
        "/staffing",
        "/visit/x/",
        "javascript:alert(1)",
        "/admin/é",
        "/admin/" + "a" * 50_000 + "!",
    ],
)
def test_the_sign_in_leads_nowhere_else(browser: Desk, path: str) -> None:
    assert path_of(browser.sign_in(onward=path)) == "/admin/"


def test_who_is_signed_in_already_is_led_on(signed_in: Desk) -> None:
    assert path_of(signed_in.get("/admin/sign-in?next=/admin/password")) == "/admin/password"


# How often


@pytest.mark.parametrize("email", [COORDINATOR, NOBODY])
def test_tries_of_an_account_are_limited_whether_or_not_it_is_there(browser: Desk, email: str) -> None:
    use_up(browser, email)
    answer = browser.sign_in(email)
    assert answer.status_code == 429
    assert f"{TOO_MANY}. Please wait {answer.headers['Retry-After']} seconds" in answer.text
    assert 80 <= int(answer.headers["Retry-After"]) <= 90
    assert not browser.is_signed_in()


def test_a_longer_wait_is_said_in_whole_minutes(office: Office, browser: Desk) -> None:
    use_up(browser)
    office.jump(-timedelta(minutes=3))
    assert "Please wait 5 minutes" in browser.sign_in().text


def test_the_right_password_is_not_looked_at_before_the_wait_is_over(office: Office, browser: Desk) -> None:
    use_up(browser)
    assert browser.sign_in().status_code == 429
    office.jump(timedelta(seconds=91))
    assert browser.sign_in().status_code == 303


def test_tries_of_one_account_leave_the_others_alone(browser: Desk) -> None:
    use_up(browser)
    assert browser.sign_in(LMS_ADMIN).status_code == 303


def test_whoever_tries_elsewhere_does_not_keep_out_a_browser_that_was_signed_in_before(
    office: Office, signed_in: Desk
) -> None:
    signed_in.send("/admin/", "/admin/sign-out")
    stranger = office.new_browser()
    use_up(stranger, times=STAFF_TRIES.burst - 1)
    for number in range(STAFF_TRIES_OF_ADDRESS.burst):
        stranger.sign_in(f"{number}@example.org", "")
    assert stranger.sign_in().status_code == 429
    assert signed_in.sign_in().status_code == 303


def test_a_browser_that_was_signed_in_before_has_a_limit_too(signed_in: Desk) -> None:
    use_up(signed_in, times=STAFF_TRIES.burst)
    assert signed_in.sign_in().status_code == 429


def test_a_browser_is_known_for_its_own_account_alone(office: Office, signed_in: Desk) -> None:
    use_up(office.new_browser(), LMS_ADMIN)
    assert signed_in.sign_in(LMS_ADMIN).status_code == 429


@pytest.mark.parametrize("value", ["x", "x.y", ".", "x.…"])
def test_a_made_up_name_of_a_browser_is_not_known(office: Office, value: str) -> None:
    use_up(office.new_browser())
    stranger = office.new_browser()
    assert stranger.sign_in(headers={"Cookie": f"staff-browser={value}"}).status_code == 429


def test_who_has_a_new_link_is_not_kept_out(office: Office) -> None:
    use_up(office.new_browser())
    browser, path = office.new_browser(), office.new_link()
    browser.send(path, path, password="another good password", again="another good password")
    assert browser.sign_in(password="another good password").status_code == 303


def test_one_address_cannot_try_many_accounts(office: Office, browser: Desk) -> None:
    for number in range(STAFF_TRIES_OF_ADDRESS.burst):
        assert browser.sign_in(f"{number}@example.org", "").status_code == 422
    assert browser.sign_in(NOBODY).status_code == 429
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert office.new_browser().sign_in(environ_base=elsewhere).status_code == 303


def test_a_client_cannot_choose_its_address(browser: Desk) -> None:
    for number in range(STAFF_TRIES_OF_ADDRESS.burst):
        browser.sign_in(f"{number}@example.org", "", headers={"X-Forwarded-For": f"192.0.2.{number}"})
    assert browser.sign_in(NOBODY, headers={"X-Forwarded-For": "192.0.2.200"}).status_code == 429


def test_a_trusted_proxy_says_whose_address_it_is(office: Office, browser: Desk) -> None:
    office.change_settings(trusted_proxies=(ip_network("127.0.0.0/8"),))
    browser.sign_in(NOBODY, "", headers={"X-Forwarded-For": "203.0.113.1, 198.51.100.9"})
    with office.database.read() as connection:
        keys = connection.execute(sa.select(rate_limit.c.key)).scalars().all()
    assert "staff address 198.51.100.9" in keys


# What is kept


def test_failed_tries_are_in_the_audit_as_a_sum(office: Office, browser: Desk) -> None:
    for _ in range(3):
        browser.sign_in(password="wrong")
    assert office.account().tries == 3
    browser.sign_in()
    browser.sign_in()
    who = f"staff {office.account().staff_id}"
    assert office.audit() == [(who, "sign_in", '{"failed_before": 3}'), (who, "sign_in", '{"failed_before": 0}')]
    assert office.account().tries == 0


def test_nothing_that_was_typed_is_in_the_log_or_the_database(office: Office, browser: Desk) -> None:
    with capture_logs() as records:
        browser.sign_in("a password in the wrong field", "hunter2-typed")
        browser.sign_in(password="hunter2-typed")
        browser.sign_in()
    assert [record["event"] for record in records] == ["staff_sign_in_failed"] * 2 + ["staff_signed_in"]
    with office.database.read() as connection:
        kept = str([connection.execute(sa.select(table)).all() for table in (audit, rate_limit, staff_session)])
    for secret in ("hunter2", PASSWORD, "wrong field", "Maria", COORDINATOR):
        assert secret not in str(records) + kept


def test_the_sign_in_is_no_form_for_others_to_fill(browser: Desk) -> None:
    assert browser.get("/admin/sign-in").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert browser.post("/admin/sign-in", data={}, headers=OURS).status_code == 422
