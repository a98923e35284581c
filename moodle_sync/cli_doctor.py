"""moodle-sync doctor: what each token can and cannot do, tried now."""

import json
from typing import TYPE_CHECKING, Any

import click

from config.command_line import FAILED, json_option, printable
from moodle_sync.cli_common import chosen_connections, services_or_exit
from series.check_words import found_sentence, remedy_sentence
from series.checks import SIGNS, Check, decode_checks, gaps_of
from series.moodle_jobs import MoodleJob
from series.store.moodle_connections import MoodleConnection
from series.store.runs import slot_by_hand

if TYPE_CHECKING:
    from moodle_sync.services import Services


@click.command()
@click.argument("university_slug", metavar="[UNIVERSITY]", required=False)
@json_option
def doctor(university_slug: str | None, *, as_json: bool) -> None:
    """Try out what the connected Moodles let us do, and say which setting to change where they do not.

    Each capability is tried by its effect: an event that students do not see is made, changed, found and deleted;
    people and activities are compared with what we know to be there. Marks: ✓ works, ✗ does not, ? cannot be told.
    The exit status is 1 if anything does not work.
    """
    services = services_or_exit()
    chosen = chosen_connections(services, university_slug)
    examined = [(one, *_examine(services, one)) for one in chosen]
    if as_json:
        rows = [_as_json(one, checks, problem) for one, checks, problem in examined]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for one, checks, problem in examined:
            _print_checks(one, checks, problem)
    if any(problem or gaps_of(checks) for _, checks, problem in examined):
        raise SystemExit(FAILED)


def _examine(services: "Services", connected: MoodleConnection) -> tuple[list[Check], str]:
    """What was found, or a sentence on why nothing was."""
    from moodle_sync import moodle_runs  # noqa: PLC0415 - loads all that we say to an LMS

    run_id = moodle_runs.begin(services, connected, MoodleJob.CHECK, slot=slot_by_hand())
    if run_id is None:
        return [], "A run is under way there; try again in a moment."
    came = moodle_runs.run_job(services, MoodleJob.CHECK, run_id, keep_quiet_runs=True)
    if not came.counts:
        return [], " ".join(came.problems)
    after = moodle_runs.connection_of(services, connected.university_slug)
    return decode_checks(after.checks if after else None), ""


def _print_checks(connected: MoodleConnection, checks: list[Check], problem: str) -> None:
    click.echo(printable(f"{connected.university_slug}: {connected.base_url} ({connected.level.value})"))
    if problem:
        click.echo(printable(f"  ✗ {problem}"))
    course: object = None
    for check in checks:
        if check.facts.get("course") != course:
            course = check.facts.get("course")
            click.echo(printable(f"  Course {check.facts.get('course_id')} “{course}”"))
        click.echo(printable(f"  {SIGNS[check.outcome]} {found_sentence(check)}"))
        remedy = remedy_sentence(check)
        if remedy:
            click.echo(printable(f"      → {remedy}"))


def _as_json(connected: MoodleConnection, checks: list[Check], problem: str) -> dict[str, Any]:
    return {
        "university": connected.university_slug,
        "address": connected.base_url,
        "level": connected.level.value,
        "problem": problem or None,
        "checks": [
            {
                "code": check.code.value,
                "outcome": check.outcome.value,
                "course": check.facts.get("course_id"),
                "found": found_sentence(check),
                "remedy": remedy_sentence(check) or None,
                "ms": check.ms,
            }
            for check in checks
        ],
    }
