"""lti-tool doctor: whether this installation and the LMSs work, tried now."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from config.command_line import FAILED, Failure, json_option, printable, settings_or_exit
from config.settings import Settings
from series.checks import SIGNS, Outcome, gaps_of
from series.preflight import Trial
from series.preflight_words import found_sentence, remedy_sentence, title_of
from series.store.database import Database
from series.store.platform_checks import save_trials
from series.store.schema import open_current
from series.store.universities import (
    PlatformRow,
    find_university,
    list_platforms,
    platforms_of_university,
    require_platform,
)

if TYPE_CHECKING:  # load all that we say to an LMS
    from lms.guarded import GuardedSession
    from lti_tool.installation import Found


@dataclass(frozen=True, kw_only=True)
class Flown:
    row: PlatformRow
    trials: list[Trial]
    checked_at: datetime


@click.command()
@click.argument("university_slug", metavar="[UNIVERSITY]", required=False)
@click.option("--platform", "platform_slug", help="Only this LMS.")
@click.option(
    "--test-student",
    metavar="ID",
    help="The number of a test student in your LMS; then a real score is written, read back and the column deleted.",
)
@json_option
def doctor(university_slug: str | None, platform_slug: str | None, test_student: str | None, *, as_json: bool) -> None:
    """Try out whether everything works: this installation, and every active LMS.

    Of UNIVERSITY, or with --platform, only the LMS: its keys, login and clock, the service token, the roster, and a
    test score that touches nobody's grade. The pages of the LMS show what was found. Marks: ✓ works, ✗ does not, ?
    please look at it, - not tried. The exit status is 1 if anything does not work.
    """
    if university_slug and platform_slug:
        raise click.UsageError("A university or --platform, not both.")
    if test_student is not None and not (0 < len(test_student) <= 255 and test_student.isascii()):
        raise click.BadParameter("--test-student must be a user id of the LMS, of at most 255 ASCII characters.")
    settings = settings_or_exit()
    say = (lambda _: None) if as_json else (lambda line: click.echo(printable(line)))
    own: list[Found] = []
    if university_slug is None and platform_slug is None:
        from lti_tool.installation import look_at_installation  # noqa: PLC0415 - loads what speaks HTTP

        own = look_at_installation(settings, say)
        if any(found.is_fatal for found in own):
            _print_json(own, [], as_json=as_json)
            raise SystemExit(FAILED)
    database = open_current(settings.database_url)
    rows = _chosen(database, university_slug, platform_slug)
    if test_student is not None and len(rows) != 1:
        raise click.UsageError("--test-student is somebody in one LMS: name that LMS with --platform.")
    flown = _fly_all(settings, database, rows, test_student, say)
    _print_json(own, flown, as_json=as_json)
    if any(found.outcome is Outcome.GAP for found in own) or any(gaps_of(one.trials) for one in flown):
        raise SystemExit(FAILED)


def _chosen(database: Database, university_slug: str | None, platform_slug: str | None) -> list[PlatformRow]:
    """Raises NotThere, and Failure when there is none."""
    with database.read() as connection:
        if platform_slug is not None:
            return [require_platform(connection, platform_slug)]
        if university_slug is None:
            return [row for row in list_platforms(connection) if row.state == "active"]
        home = find_university(connection, university_slug)
        found = [row for row in platforms_of_university(connection, home.university_id) if row.state == "active"]
    if not found:
        raise Failure(f"{home.name} has no active LMS here; `lti-tool platform add --help` shows how to connect one.")
    return found


def _fly_all(
    settings: Settings, database: Database, rows: list[PlatformRow], test_student: str | None, say: Any
) -> list[Flown]:
    from lms.guarded import GuardedSession  # noqa: PLC0415 - a list should not wait for it

    with GuardedSession(allowed_networks=settings.allowed_networks, allow_loopback=settings.on_loopback) as http:
        return [_fly(settings, database, http, row, test_student, say) for row in rows]


def _fly(
    settings: Settings,
    database: Database,
    http: "GuardedSession",
    row: PlatformRow,
    test_student: str | None,
    say: Any,
) -> Flown:
    from lms.preflight import fly  # noqa: PLC0415 - as above

    began_at = settings.clock().now()
    say(f"{row.slug}: {row.issuer} ({row.product}, {row.state})")

    def on_trial(trial: Trial) -> None:
        say(f"  {SIGNS[trial.outcome]} {title_of(trial.code)}: {found_sentence(trial, row.product)}")
        if remedy := remedy_sentence(trial, row.product):
            say(f"      → {remedy}")

    trials = fly(database, settings, http, row, test_user=test_student, on_trial=on_trial)
    now = settings.clock().now()
    with database.write() as connection:
        save_trials(connection, row.platform_id, trials, began_at=began_at, now=now)
    return Flown(row=row, trials=trials, checked_at=now)


def _print_json(own: list["Found"], flown: list[Flown], *, as_json: bool) -> None:
    if not as_json:
        return
    document = {
        "installation": [
            {"code": found.code, "outcome": found.outcome.value, "found": found.found, "remedy": found.remedy or None}
            for found in own
        ],
        "platforms": [
            {
                "slug": one.row.slug,
                "product": one.row.product,
                "state": one.row.state,
                "checked_at": one.checked_at.isoformat(timespec="seconds"),
                "checks": [_as_json(trial, one.row.product) for trial in one.trials],
            }
            for one in flown
        ],
    }
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _as_json(trial: Trial, product: str) -> dict[str, Any]:
    return {
        "code": trial.code.value,
        "outcome": trial.outcome.value,
        "found": found_sentence(trial, product),
        "remedy": remedy_sentence(trial, product) or None,
        "at": trial.at.isoformat(timespec="seconds") if trial.at else None,
        "ms": trial.ms,
    }
