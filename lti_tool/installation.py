"""Whether this installation itself works: database, keys, public address, worker."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from config.settings import Settings
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.tool_keys import published_keys
from series.checks import SIGNS, Outcome
from series.store.database import Database, DatabaseBusy, DatabaseUnreachable
from series.store.deliveries import due_since
from series.store.keys import WrongEncryptionKey
from series.store.platform_checks import overdue_since
from series.store.runs import last_sign_of_life
from series.store.schema import is_current

OVERDUE = timedelta(minutes=1)
LATELY = timedelta(hours=1)
SCORES_WAIT = timedelta(minutes=15)  # longer than they do at a busy time
WITHIN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """`is_fatal`: nothing else can be looked at."""

    code: str
    outcome: Outcome
    found: str
    remedy: str = ""
    is_fatal: bool = False


@dataclass(kw_only=True)
class _Look:
    settings: Settings
    database: Database
    say: Callable[[str], None]
    found: list[Found] = field(default_factory=list)

    def note(self, found: Found) -> None:
        self.found.append(found)
        self.say(f"  {SIGNS[found.outcome]} {found.found}")
        if found.remedy:
            self.say(f"      → {found.remedy}")


def look_at_installation(settings: Settings, say: Callable[[str], None]) -> list[Found]:
    """In order; what was said by `say` is in the list, too. The settings have been read, so they are right."""
    look = _Look(settings=settings, database=Database(settings.database_url), say=say)
    say(f"This installation: {settings.public_url}")
    look.note(Found(code="settings", outcome=Outcome.OK, found="The settings can be read."))
    try:
        if _look_at_database(look):
            _look_at_keys(look)
            _look_at_address(look)
            _look_at_worker(look)
    finally:
        look.database.dispose()
    return look.found


def _look_at_database(look: _Look) -> bool:
    try:
        current = is_current(look.database)
    except (DatabaseBusy, DatabaseUnreachable) as error:
        remedy = "Check SHARED_SESSIONS_DATABASE_URL, and that the database runs."
        look.note(Found(code="database", outcome=Outcome.GAP, found=str(error), remedy=remedy, is_fatal=True))
        return False
    if not current:
        found = Found(
            code="database",
            outcome=Outcome.GAP,
            found="The database is not up to date.",
            remedy="Run `lti-tool migrate`.",
            is_fatal=True,
        )
        look.note(found)
        return False
    look.note(Found(code="database", outcome=Outcome.OK, found="The database is there and up to date."))
    return True


def _look_at_keys(look: _Look) -> None:
    settings = look.settings
    try:
        keys = published_keys(look.database, encryption_key=settings.encryption_key, now=settings.clock().now())["keys"]
    except WrongEncryptionKey as error:
        look.note(Found(code="keys", outcome=Outcome.GAP, found=str(error), is_fatal=True))
        return
    if keys:
        look.note(Found(code="keys", outcome=Outcome.OK, found=f"Signing keys that are published: {len(keys)}."))
    else:
        remedy = "Run `lti-tool migrate`: it makes the first one."
        found = "There is no signing key."
        look.note(Found(code="keys", outcome=Outcome.GAP, found=found, remedy=remedy, is_fatal=True))


def _look_at_address(look: _Look) -> None:
    settings, url = look.settings, f"{look.settings.public_url}/readyz"
    try:
        with GuardedSession(allowed_networks=settings.allowed_networks, allow_loopback=settings.on_loopback) as http:
            answer = http.get(url, within_s=WITHIN_S)
    except LmsError as error:
        remedy = (
            "Is `lti-tool serve` running, and does the proxy lead to it? If people reach it and only this machine does"
            " not, nothing needs to be done."
        )
        look.note(Found(code="address", outcome=Outcome.UNKNOWN, found=f"{url}: {error}", remedy=remedy))
        return
    if answer.ok:
        look.note(Found(code="address", outcome=Outcome.OK, found="The public address answers, and is ready."))
    else:
        remedy = "The proxy must lead PUBLIC_URL to this tool; `lti-tool serve` must run with these very settings."
        found = f"{url} answers with the status {answer.status}."
        look.note(Found(code="address", outcome=Outcome.GAP, found=found, remedy=remedy))


def _look_at_worker(look: _Look) -> None:
    now = look.settings.clock().now()
    with look.database.read() as connection:
        overdue, alive_at = overdue_since(connection, now=now), last_sign_of_life(connection)
        waiting = due_since(connection, now=now)
    remedy = "Start `moodle-sync worker`, and let the system start it again when it ends."
    if overdue is not None and overdue < now - OVERDUE:
        found = f"No worker runs: what is due since {overdue:%Y-%m-%d %H:%M} UTC is not done."
        look.note(Found(code="worker", outcome=Outcome.GAP, found=found, remedy=remedy))
    elif waiting is not None and waiting < now - SCORES_WAIT:
        found = f"Grades wait since {waiting:%Y-%m-%d %H:%M} UTC: no worker runs, or it has too much to do."
        look.note(Found(code="worker", outcome=Outcome.UNKNOWN, found=found, remedy=remedy))
    elif alive_at is None or abs(now - alive_at) > timedelta(days=1) + LATELY:
        found = "No worker has done anything lately."
        look.note(Found(code="worker", outcome=Outcome.UNKNOWN, found=found, remedy=remedy))
    else:
        found = f"A worker was last at work at {alive_at:%Y-%m-%d %H:%M} UTC, and nothing is overdue."
        look.note(Found(code="worker", outcome=Outcome.OK, found=found))
