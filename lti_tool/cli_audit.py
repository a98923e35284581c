"""lti-tool audit: who saw and did what, and whether the record of it is whole."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from config.command_line import FAILED, json_option, print_rows, settings_or_exit
from lti_tool.cli_common import open_database
from series.audit_lines import AuditLine
from series.audit_words import finding_sentence
from series.store.audit import Wanted, list_audit
from series.store.audit_seals import Verified, seals_in_short, verify

MOST_SHOWN = 100


@click.group("audit")
def audit_group() -> None:
    """Who saw, changed and exported what."""


@audit_group.command("list")
@click.option("--actor", default="", help="Only what they did: 'staff 2', 'participant 7', operator, worker.")
@click.option("--action", default="", help="Only this: see_record, retention, …")
@click.option("--about", default="", help="Only what they did or what was done to them: 'participant 7', 'course 3'.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@json_option
def audit_list(*, actor: str, action: str, about: str, limit: int, as_json: bool) -> None:
    """List the newest lines first: number, time, who, what, to what, details."""
    with open_database().read() as connection:
        lines = list_audit(connection, Wanted(actor=actor, action=action, about=about), limit=limit)
    print_rows([_row(line, as_json=as_json) for line in lines], as_json=as_json, empty="Nothing of this is there.")


@audit_group.command("verify")
@click.option("--head", default="", metavar="SEAL", help="A seal that you have noted down: it must still be there.")
@json_option
def audit_verify(*, head: str, as_json: bool) -> None:
    """Check that no line of the audit was changed, removed, put in or moved since the worker has sealed it.

    That the end was cut off together with its seals shows only with --head: note down the last seal that this prints,
    or look for `audit_sealed` in the log of the worker. The exit status is 1 when anything is wrong.
    """
    settings = settings_or_exit()
    database = open_database()
    with database.read() as connection:
        seals = seals_in_short(connection).seals
    progress = click.progressbar(length=seals, label="Checking", file=sys.stderr)
    with database.read() as connection, progress:
        done = verify(
            connection,
            secret_key=settings.encryption_key,
            now=settings.clock().now(),
            known_head=head.strip().lower(),
            on_seal=lambda _: progress.update(1),
        )
    click.echo(_as_json(done) if as_json else _in_words(done))
    if done.findings:
        raise SystemExit(FAILED)


def _in_words(done: Verified) -> str:
    said = [finding_sentence(finding) for finding in done.findings[:MOST_SHOWN]]
    if len(done.findings) > MOST_SHOWN:
        said.append(f"And {len(done.findings) - MOST_SHOWN} more; --json lists all.")
    if done.no_seal_holds:
        said.append("No seal holds at all: was SHARED_SESSIONS_ENCRYPTION_KEY changed?")
    verdict = "Looked through" if said else "All holds:"
    said.append(f"{verdict} {done.lines} lines under {done.seals} seals.")
    if done.purged:
        said.append(f"The lines of {done.purged} seals have been deleted because their time was over.")
    if done.untried:
        said.append(f"{done.untried} lines of erased people were not compared with everybody who is still there.")
    if done.unsealed_since is not None:
        since = done.unsealed_since.isoformat(timespec="seconds")
        said.append(f"{done.unsealed} lines since {since} wait to be sealed by the worker.")
    if done.head:
        said.append(f"Last seal: {done.head}")
    return "\n".join(said)


def _as_json(done: Verified) -> str:
    findings = [{**asdict(finding), "sentence": finding_sentence(finding)} for finding in done.findings]
    return json.dumps({**asdict(done), "findings": findings}, indent=2, default=_text)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _row(line: AuditLine, *, as_json: bool) -> dict[str, Any]:
    return {
        "line": line.line_id,
        "at": line.at.isoformat(timespec="seconds"),
        "actor": line.actor,
        "action": line.action,
        "object": line.thing,
        "detail": line.details if as_json else line.detail,
    }
