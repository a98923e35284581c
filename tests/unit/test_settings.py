"""Settings: what stops a start, and that an operator learns of everything at once."""

import base64
from pathlib import Path

import pytest

from config.mail_server import Encryption, MailServer
from config.settings import Settings, SettingsError, read_settings

SECRET_KEY = "a test's secret key, long enough for all"
ENCRYPTION_KEY = base64.b64encode(b"k" * 32).decode()
VALID = {
    "SHARED_SESSIONS_PUBLIC_URL": "https://sessions.example.org",
    "SHARED_SESSIONS_SECRET_KEY": SECRET_KEY,
    "SHARED_SESSIONS_ENCRYPTION_KEY": ENCRYPTION_KEY,
}


def read(**changes: str) -> Settings:
    return read_settings({**VALID, **{f"SHARED_SESSIONS_{name}": value for name, value in changes.items()}})


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read(**changes)
    return refused.value.problems


def test_three_settings_are_enough() -> None:
    settings = read()
    assert settings.public_url == "https://sessions.example.org"
    assert settings.database_url == "sqlite:///shared-sessions.db"
    assert settings.secret_key == SECRET_KEY.encode()
    assert base64.urlsafe_b64decode(settings.encryption_key) == b"k" * 32
    assert not settings.on_loopback
    assert settings.clock().offset_file is None


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"SHARED_SESSIONS_DATABASE_URL": "mysql://db", "SHARED_SESSIONS_MIRROR_INTERVAL_S": "soon"})
    named = [problem.split()[0].removeprefix("SHARED_SESSIONS_") for problem in refused.value.problems]
    assert named == ["PUBLIC_URL", "DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEY", "MIRROR_INTERVAL_S"]
    assert "SHARED_SESSIONS_SECRET_KEY is missing (`openssl rand -base64 32` makes one)." in refused.value.problems


@pytest.mark.parametrize("name", ["PUBLIC_URL", "DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEY", "ALLOWED_NETWORKS"])
def test_each_setting_can_be_read_from_a_file(name: str, tmp_path: Path) -> None:
    values = {
        "PUBLIC_URL": "https://other.example",
        "DATABASE_URL": "sqlite:///elsewhere.db",
        "SECRET_KEY": "another secret key, of forty characters.",
        "ENCRYPTION_KEY": base64.b64encode(b"z" * 32).decode(),
        "ALLOWED_NETWORKS": "10.0.0.0/8",
    }
    file = tmp_path / "value"
    file.write_text(values[name] + "\n")
    by_variable = {**VALID, f"SHARED_SESSIONS_{name}": values[name]}
    by_file = {key: value for key, value in VALID.items() if key != f"SHARED_SESSIONS_{name}"}
    by_file[f"SHARED_SESSIONS_{name}_FILE"] = str(file)
    assert read_settings(by_file) == read_settings(by_variable)


def test_a_file_that_is_not_there_is_named_by_its_variable(tmp_path: Path) -> None:
    (problem,) = problems(ALLOWED_NETWORKS_FILE=str(tmp_path / "missing"))
    assert problem.startswith("SHARED_SESSIONS_ALLOWED_NETWORKS cannot be read from the file that")
    assert "SHARED_SESSIONS_ALLOWED_NETWORKS_FILE" in problem


def test_a_file_that_is_no_text_is_named_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (problem,) = problems(ALLOWED_NETWORKS_FILE=str(tmp_path / "bytes"))
    assert "cannot be read" in problem


def test_a_setting_that_is_set_twice_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(SECRET_KEY_FILE=str(tmp_path / "key"))
    assert "set twice" in problem


def test_an_unknown_variable_is_named() -> None:
    (problem,) = problems(PUBLIC_ULR="https://sessions.example.org")
    assert problem == "SHARED_SESSIONS_PUBLIC_ULR is not a setting of ours: is it misspelt?"


def test_other_programs_variables_are_none_of_our_business() -> None:
    assert read_settings({**VALID, "PATH": "/usr/bin", "DATABASE_URL": "mysql://x"}) == read()


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "http://127.8.8.8:1", "http://[::1]:80"])
def test_http_is_enough_on_loopback(url: str) -> None:
    assert read(PUBLIC_URL=url).on_loopback


@pytest.mark.parametrize("url", ["http://sessions.example.org", "http://localhost.example.org", "http://10.0.0.1"])
def test_pitfall_8_https_is_demanded_elsewhere(url: str) -> None:
    (problem,) = problems(PUBLIC_URL=url)
    assert "must begin with https://" in problem


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sessions.example.org",
        "ftp://sessions.example.org",
        "https://",
        "https://sessions.example.org/tool",
        "https://sessions.example.org?x=1",
        "https://me@sessions.example.org",
        "https://sessions.example.org:port",
        "https://sessions.example.org:99999",
        "https://sessions .example.org",
        "https://übung.example.org",
        "https://[::1",
    ],
)
def test_a_public_url_that_is_no_plain_address_is_refused(url: str) -> None:
    (problem,) = problems(PUBLIC_URL=url)
    assert problem.startswith("SHARED_SESSIONS_PUBLIC_URL ")


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Sessions.Example.org:443", "https://sessions.example.org"),
        ("https://sessions.example.org:8443/", "https://sessions.example.org:8443"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_url_is_written_as_browsers_write_an_origin(given: str, origin: str) -> None:
    assert read(PUBLIC_URL=given).public_url == origin


def test_a_slash_at_the_end_of_the_public_url_does_not_matter() -> None:
    assert read(PUBLIC_URL="https://sessions.example.org/") == read()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_a_postgresql_address_is_understood(scheme: str) -> None:
    settings = read(DATABASE_URL=f"{scheme}://me:pw@db.example/sessions")
    assert settings.database_url == "postgresql+psycopg://me:pw@db.example/sessions"


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "x.db", "mysql://db", "postgresql://db:port/sessions"]
)
def test_a_database_that_cannot_be_used_is_refused(url: str) -> None:
    (problem,) = problems(DATABASE_URL=url)
    assert problem.startswith("SHARED_SESSIONS_DATABASE_URL ")


@pytest.mark.parametrize("key", ["", "short", "x" * 43, base64.b64encode(b"k" * 31).decode()])
def test_an_encryption_key_of_another_length_is_refused(key: str) -> None:
    (problem,) = problems(ENCRYPTION_KEY=key)
    assert "must be 32 bytes in base64" in problem


def test_an_encryption_key_may_be_written_for_urls() -> None:
    key = b"\xfb\xff" * 16
    assert read(ENCRYPTION_KEY=base64.b64encode(key).decode()) == read(
        ENCRYPTION_KEY=base64.urlsafe_b64encode(key).decode()
    )


def test_a_short_secret_key_is_refused() -> None:
    (problem,) = problems(SECRET_KEY="x" * 31)
    assert "at least 32 characters" in problem


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "86401", "soon", "", "²"])
def test_an_interval_is_whole_seconds_of_at_most_a_day(value: str) -> None:
    (problem,) = problems(MIRROR_INTERVAL_S=value)
    assert "must be whole seconds from 1 to 86400" in problem


def test_networks_and_origins_are_lists_by_comma_or_space() -> None:
    settings = read(ALLOWED_NETWORKS="10.0.0.0/8, fd00::/8", FRAME_ANCESTORS="https://a.example https://b.example:8443")
    assert [str(network) for network in settings.allowed_networks] == ["10.0.0.0/8", "fd00::/8"]
    assert settings.trusted_proxies == ()
    assert settings.frame_ancestors == ("https://a.example", "https://b.example:8443")


def test_a_proxy_may_be_one_address() -> None:
    settings = read(TRUSTED_PROXIES="127.0.0.1 2001:db8::/64")
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32", "2001:db8::/64"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_NETWORKS", "10.0.0.1/8"),
        ("ALLOWED_NETWORKS", "campus"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "*"),
        ("FRAME_ANCESTORS", "lms.example"),
        ("FRAME_ANCESTORS", "https://lms.example/course"),
        ("FRAME_ANCESTORS", "https://lms.example;script-src"),
        ("FRAME_ANCESTORS", "*"),
    ],
)
def test_a_bad_entry_of_a_list_is_named(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"SHARED_SESSIONS_{name} ")


def test_a_clock_file_moves_the_time_on_loopback(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = read(PUBLIC_URL="http://localhost:8000", CLOCK_FILE=str(file)).clock()
    assert clock.offset().total_seconds() == 0
    file.write_text("-3600\n")
    assert clock.offset().total_seconds() == -3600


def test_a_clock_file_is_refused_elsewhere(tmp_path: Path) -> None:
    (problem,) = problems(CLOCK_FILE=str(tmp_path / "clock"))
    assert problem.startswith("SHARED_SESSIONS_CLOCK_FILE ")


def test_secrets_are_not_in_the_settings_repr() -> None:
    settings = read(DATABASE_URL="postgresql://me:the-password@db.example/sessions")
    shown = repr(settings)
    assert "https://sessions.example.org" in shown
    for secret in (SECRET_KEY, ENCRYPTION_KEY, settings.encryption_key.decode(), "the-password"):
        assert secret not in shown


def test_problems_do_not_quote_secrets() -> None:
    shown = " ".join(problems(SECRET_KEY="hunter2", ENCRYPTION_KEY="hunter3", DATABASE_URL="mysql://me:hunter4@db"))
    assert "hunter" not in shown


MAIL = {"SMTP_URL": "smtp://user:p%40ss@mail.example.org:2525", "MAIL_FROM": "sessions@example.org"}


def test_without_a_mail_server_nobody_is_mailed() -> None:
    settings = read()
    assert (settings.smtp_url, settings.mail_from) == (None, None)


def test_a_mail_server_is_read_from_one_address_and_its_password_is_not_shown() -> None:
    settings = read(**MAIL)
    assert settings.smtp_url == MailServer(
        host="mail.example.org", port=2525, encryption=Encryption.STARTTLS, user="user", password="p@ss"
    )
    assert settings.mail_from == "sessions@example.org"
    assert "p@ss" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "port", "encryption"),
    [
        ("smtp://mail.example.org", 587, Encryption.STARTTLS),
        ("smtps://mail.example.org", 465, Encryption.TLS),
        ("smtp://localhost:25", 25, Encryption.NONE),
        ("smtp://[::1]:25", 25, Encryption.NONE),
        ("smtps://127.0.0.1", 465, Encryption.TLS),
    ],
)
def test_mail_goes_encrypted_but_to_this_very_machine(url: str, port: int, encryption: Encryption) -> None:
    server = read(**MAIL | {"SMTP_URL": url}).smtp_url
    assert server is not None
    assert (server.port, server.encryption) == (port, encryption)


@pytest.mark.parametrize("name", ["SMTP_URL", "MAIL_FROM"])
def test_one_half_of_mail_is_a_problem(name: str) -> None:
    (problem,) = problems(**{name: MAIL[name]})
    other = ({"SMTP_URL", "MAIL_FROM"} - {name}).pop()
    assert problem.startswith(f"SHARED_SESSIONS_{other} is missing: mail to staff needs both")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://user@mail.example.org",
        "smtp://mail.example.org:port",
        "smtp://mail.example.org/path",
        "smtp://mail.example.org?x=1",
        "smtp://mail example.org",
    ],
)
def test_a_mail_server_that_cannot_be_one_is_named_without_its_password(url: str) -> None:
    (problem,) = problems(**MAIL | {"SMTP_URL": url})
    assert problem.startswith("SHARED_SESSIONS_SMTP_URL ")


@pytest.mark.parametrize("address", ["sessions", "a@", "@b", "Sessions <a@b.org>", "a@b.org, c@d.org", "ä@b.org"])
def test_a_sender_is_one_plain_address(address: str) -> None:
    (problem,) = problems(**MAIL | {"MAIL_FROM": address})
    assert problem.startswith("SHARED_SESSIONS_MAIL_FROM must be one plain address")
