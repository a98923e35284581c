"""Typed settings, read once at start from `SHARED_SESSIONS_…` variables or the files that `…_FILE` names.

A start with missing or malformed settings stops with all problems named at once, so that an operator mends them in
one go.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.clock import Clock
from config.mail_server import MailServer, read_mail_address, read_mail_server

PREFIX = "SHARED_SESSIONS_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ORIGIN = re.compile(r"https?://[A-Za-z0-9.*:\[\]-]+")  # nothing that would end or begin a part of a CSP header


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    public_url: str  # no trailing slash
    database_url: str = field(repr=False)  # as SQLAlchemy wants it: sqlite:///… or postgresql+psycopg://…:password@…
    secret_key: bytes = field(repr=False)  # 32 bytes or more; seals states, tickets and forms
    encryption_key: bytes = field(repr=False)  # 32 bytes in base64; keys and tokens at rest
    allowed_networks: tuple[Network, ...] = ()  # private networks that outgoing calls may reach
    frame_ancestors: tuple[str, ...] = ()  # more origins that may frame us
    trusted_proxies: tuple[Network, ...] = ()  # whose X-Forwarded-For is believed, at the sign-in of staff alone
    clock_file: Path | None = None
    calendar_interval_s: int = 900
    mirror_interval_s: int = 300
    sweep_interval_s: int = 21_600
    collect_interval_s: int = 300
    recollect_interval_s: int = 86_400
    roster_interval_s: int = 21_600
    smtp_url: MailServer | None = None  # tells staff what waits; none: only the pages do
    mail_from: str | None = None
    operator: str = ""  # who runs this installation, name and place: for the privacy notice, as the next two
    privacy_contact: str = ""  # whom people and data-protection officers ask
    country: str = ""  # two letters: where coordinators and operator work; empty: not said
    hosting: str = ""  # by whom and in which country the data are kept

    @property
    def on_loopback(self) -> bool:
        return is_loopback_host(urlsplit(self.public_url).hostname or "")

    def clock(self) -> Clock:
        return Clock(offset_file=self.clock_file)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises SettingsError with every problem, not only the first."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, variable in _VARIABLES.items():
        try:
            values[name.lower()] = variable.parse(_text(environ, name, variable.default))
        except ValueError as problem:
            advice = f" ({variable.hint})" if variable.hint else ""
            problems.append(f"{PREFIX}{name} {problem}{advice}.")
    problems += _unknown(environ)
    if not problems:
        settings = Settings(**values)
        problems = _problems_between(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def is_loopback_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, kw_only=True)
class _Variable:
    """How one variable is read; without a default it must be set."""

    parse: Callable[[str], object]
    default: str | None = None
    hint: str = ""


def _text(environ: Mapping[str, str], name: str, default: str | None) -> str:
    variable, file_variable = PREFIX + name, f"{PREFIX}{name}_FILE"
    if variable in environ and file_variable in environ:
        raise ValueError(f"is set twice, also by {file_variable}: keep one")
    if file_variable in environ:
        try:
            return Path(environ[file_variable]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise ValueError(f"cannot be read from the file that {file_variable} names") from problem
    if variable in environ:
        return environ[variable].strip()
    if default is None:
        raise ValueError("is missing")
    return default


def _problems_between(settings: Settings) -> list[str]:
    if settings.clock_file and not settings.on_loopback:
        return [f"{PREFIX}CLOCK_FILE moves time and is taken only while PUBLIC_URL is on loopback."]
    if (settings.smtp_url is None) != (settings.mail_from is None):
        missing = "SMTP_URL" if settings.smtp_url is None else "MAIL_FROM"
        return [f"{PREFIX}{missing} is missing: mail to staff needs both SMTP_URL and MAIL_FROM, or neither."]
    return []


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = {PREFIX + name + ending for name in _VARIABLES for ending in ("", "_FILE")}
    return [
        f"{variable} is not a setting of ours: is it misspelt?"
        for variable in sorted(environ)
        if variable.startswith(PREFIX) and variable not in known
    ]


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in text or not _has_valid_port(text):
        raise ValueError("is not a web address")
    if parts.scheme == "http" and not is_loopback_host(parts.hostname):
        raise ValueError("must begin with https://, because cookies in an LMS frame need it")
    if not parts.hostname.isascii():
        raise ValueError("must be written as browsers send it, in ASCII (xn--...)")
    if parts.query or parts.fragment or parts.path.strip("/") or parts.username:
        raise ValueError("must be scheme and host alone, without a path, a query or a name")
    # As browsers write an origin, because it is compared with theirs: https://www.rfc-editor.org/rfc/rfc6454#section-6.1
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if parts.port in {None, default} else f":{parts.port}")


def _database_url(text: str) -> str:
    if text.startswith("sqlite:///"):
        if text.removeprefix("sqlite:///").partition("?")[0] in {"", ":memory:"}:
            raise ValueError("must name a file after sqlite:///, because tool and worker share it")
        return text
    for scheme in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if text.startswith(scheme):
            if not _has_valid_port(f"//{text.removeprefix(scheme).rpartition('@')[2]}"):
                raise ValueError("has a port that is no number")
            return "postgresql+psycopg://" + text.removeprefix(scheme)
    raise ValueError("must begin with sqlite:/// or postgresql://")


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _secret_key(text: str) -> bytes:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text.encode()


def _encryption_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ValueError("must be 32 bytes in base64") from problem
    if len(key) != 32:
        raise ValueError("must be 32 bytes in base64")
    return base64.urlsafe_b64encode(key)


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part) for part in _parts(text))


def _origins(text: str) -> tuple[str, ...]:
    for part in _parts(text):
        if not ORIGIN.fullmatch(part) or not _has_valid_port(part):
            raise ValueError(f"must list origins such as https://lms.example.org, not {part!r}")
    return tuple(_parts(text))


def _parts(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _country(text: str) -> str:
    if text and (len(text) != 2 or not (text.isascii() and text.isalpha())):
        raise ValueError("must be the two letters of a country")
    return text.upper()


def _sentence(text: str) -> str:
    if len(text) > 500 or not text.isprintable():
        raise ValueError("must be at most 500 characters on one line")
    return text


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 86_400:
        raise ValueError("must be whole seconds from 1 to 86400")
    return int(text)


_VARIABLES = {
    "PUBLIC_URL": _Variable(parse=_public_url, hint="the address people reach, https://sessions.example.org"),
    "DATABASE_URL": _Variable(parse=_database_url, default="sqlite:///shared-sessions.db"),
    "SECRET_KEY": _Variable(parse=_secret_key, hint="`openssl rand -base64 32` makes one"),
    "ENCRYPTION_KEY": _Variable(parse=_encryption_key, hint="`openssl rand -base64 32` makes one"),
    "ALLOWED_NETWORKS": _Variable(parse=_networks, default=""),
    "FRAME_ANCESTORS": _Variable(parse=_origins, default=""),
    "TRUSTED_PROXIES": _Variable(parse=_networks, default=""),
    "CLOCK_FILE": _Variable(parse=_path, default=""),
    "CALENDAR_INTERVAL_S": _Variable(parse=_seconds, default="900"),
    "MIRROR_INTERVAL_S": _Variable(parse=_seconds, default="300"),
    "SWEEP_INTERVAL_S": _Variable(parse=_seconds, default="21600"),
    "COLLECT_INTERVAL_S": _Variable(parse=_seconds, default="300"),
    "RECOLLECT_INTERVAL_S": _Variable(parse=_seconds, default="86400"),
    "ROSTER_INTERVAL_S": _Variable(parse=_seconds, default="21600"),
    "SMTP_URL": _Variable(parse=read_mail_server, default="", hint="smtp://user:password@mail.example.org:587"),
    "MAIL_FROM": _Variable(parse=read_mail_address, default=""),
    "OPERATOR": _Variable(parse=_sentence, default=""),
    "PRIVACY_CONTACT": _Variable(parse=_sentence, default=""),
    "COUNTRY": _Variable(parse=_country, default="", hint="two letters, MT: where the series is coordinated"),
    "HOSTING": _Variable(parse=_sentence, default=""),
}
