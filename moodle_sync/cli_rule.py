"""moodle-sync series rule: what counts, in words; another rule, and what it would change."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

import click

from config.command_line import Failure, json_option, printable, settings_or_exit
from moodle_sync.rule_lines import history_lines, proposal_lines, rule_as_json, rule_lines
from series.rule import MAX_REQUIRED, Rule, SessionRule
from series.rule_input import NoRule, read_rule, read_session_rule
from series.rule_words import session_sentence
from series.sessions import Series, Session
from series.store.audit import OPERATOR
from series.store.database import Connection, Database
from series.store.pooled_settings import smallest_group_of
from series.store.proposals import COMMAND_LINE, carry_out, carry_out_for_session, effect_of, proposal_of
from series.store.rules import RuleFrozen, RuleImpossible, RuleTooHard, history_of, rule_of, rules_of
from series.store.schema import open_current
from series.store.sessions import find_series, sessions_of
from series.store.staff import list_staff

MAX_BYTES = 64 * 1024
ANY = "any"
REFUSALS = (NoRule, RuleFrozen, RuleImpossible, RuleTooHard)
WORKED_OUT = "The worker works out all scores anew within a minute; nobody loses what they have."


def _recordings(_context: click.Context, _option: click.Parameter, typed: str | None) -> int | str | None:
    """A number, or ANY. Raises click.BadParameter."""
    if typed is None or typed == ANY:
        return typed
    if typed.isascii() and typed.isdecimal() and len(typed) < 4 and int(typed) <= MAX_REQUIRED:
        return int(typed)
    raise click.BadParameter(f"{typed[:20]!r} is neither a number from 0 to {MAX_REQUIRED} nor {ANY}.")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of one call."""

    file: BinaryIO | None
    session: str | None
    as_series: bool
    required: int | None
    recordings: int | str | None
    preview: bool
    history: bool
    as_json: bool

    @property
    def sets_series(self) -> bool:
        return self.session is None and (self.file, self.required, self.recordings) != (None, None, None)

    def check(self) -> None:
        """Raises click.UsageError for options that do not go together."""
        if self.session is not None and (self.required is not None or self.recordings is not None):
            raise click.UsageError("--required and --recordings are of the whole series, not of one --session.")
        if self.as_series and (self.session is None or self.file is not None):
            raise click.UsageError("--as-series takes the own rule of one --session away, and sets no other.")
        if self.session is not None and self.file is None and not self.as_series:
            raise click.UsageError("Say what to do with the --session: --set FILE, or --as-series.")
        sets = self.sets_series or self.session is not None
        if self.preview and not sets:
            raise click.UsageError("--preview shows what --set, --required or --recordings would change.")
        if sets and (self.as_json or self.history):
            raise click.UsageError("--json and --history show; they do not go with what sets a rule.")


@click.command("rule")
@click.argument("slug")
@click.option("--set", "file", type=click.File("rb"), metavar="FILE", help="Set the rule in this JSON; - reads it.")
@click.option("--required", type=click.IntRange(1, MAX_REQUIRED), help="Set how many sessions complete the series.")
@click.option(
    "--recordings",
    metavar="N|any",
    callback=_recordings,
    help="Set how many of them may be done by recording alone.",
)
@click.option("--session", metavar="N|UUID", help="Of this session alone, by its number in the list.")
@click.option("--as-series", is_flag=True, help="Take the --session's own rule away.")
@click.option("--preview", is_flag=True, help="Show what it would change; change nothing.")
@click.option("--history", is_flag=True, help="Show all versions, the newest first.")
@json_option
def series_rule(slug: str, **options: Any) -> None:
    """Show what counts in the series SLUG, or set it.

    A session is completed by any one of several ways, each with all of its demands. Kinds of evidence: code (the
    check-in code), live (presence; at_least is % of the session's time), recording (at_least: %), reflection
    (at_least: words), lms (an activity of the course), approval (a person's word). A recording and a reflection may
    have an end: within_days after the session's. What the JSON leaves out stays as it is:

    \b
    {"ways": [[{"kind": "code"}, {"kind": "live", "at_least": 75}],
              [{"kind": "recording", "at_least": 80, "within_days": 14}],
              [{"kind": "approval"}]],
     "required": 10, "at_most_by_recording": 3}

    A session that has started keeps the rule with which it did. Once somebody has done anything by them, --required
    can only be lowered and --recordings only be raised. A --session may have "ways" of its own until it starts.
    """
    asked = Asked(**options)
    asked.check()
    settings = settings_or_exit()
    database, now = open_current(settings.database_url), settings.clock().now()
    with database.read() as connection:
        series = find_series(connection, slug)
        sessions = sessions_of(connection, series.series_id)
    try:
        if asked.session is not None:
            _set_of_session(database, series, _chosen(sessions, asked.session, slug), asked, now)
        elif asked.sets_series:
            _set_of_series(database, series, asked, now)
        else:
            _show(database, series, sessions, asked)
    except REFUSALS as error:
        raise Failure(f"{error} Nothing was changed.") from error


def _show(database: Database, series: Series, sessions: list[Session], asked: Asked) -> None:
    with database.read() as connection:
        rules, history = rules_of(connection, series.series_id), history_of(connection, series.series_id)
        names = {f"staff {account.staff_id}": account.name for account in list_staff(connection)}
    if asked.as_json:
        found = rule_as_json(series, rules, sessions, history if asked.history else None)
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    lines = history_lines(history, sessions, names) if asked.history else rule_lines(series, rules, sessions)
    for line in lines:
        click.echo(printable(line))


def _set_of_series(database: Database, series: Series, asked: Asked, now: datetime) -> None:
    text = _read(asked.file) if asked.file else b"{}"
    if asked.preview:
        _preview(database, series, text, asked, now)
        return
    with database.write() as connection:
        new = _new_rule(connection, series, text, asked)
        is_new = carry_out(connection, series.series_id, new, digest=None, actor=OPERATOR, by=COMMAND_LINE, now=now)
    click.echo(f"Saved. {WORKED_OUT}" if is_new else "That is the rule in force already. Nothing was changed.")


def _preview(database: Database, series: Series, text: bytes, asked: Asked, now: datetime) -> None:
    with database.read() as connection:
        new = _new_rule(connection, series, text, asked)
        proposal = proposal_of(connection, series.series_id, new, now=now)
        effect = effect_of(connection, series.series_id, proposal, now=now)
        sessions = sessions_of(connection, series.series_id)
        smallest_group = smallest_group_of(connection, series.series_id)
    for line in proposal_lines(proposal, effect, sessions, smallest_group):
        click.echo(printable(line))


def _new_rule(connection: Connection, series: Series, text: bytes, asked: Asked) -> Rule:
    """What the file says, and the options over it."""
    flags: dict[str, int | None] = {}
    if asked.required is not None:
        flags["required"] = asked.required
    if asked.recordings is not None:
        flags["at_most_by_recording"] = None if asked.recordings == ANY else int(asked.recordings)
    old = rule_of(connection, series.series_id)
    return read_rule(json.dumps(flags), read_rule(text, old))


def _set_of_session(database: Database, series: Series, session: Session, asked: Asked, now: datetime) -> None:
    rule: SessionRule | None = read_session_rule(_read(asked.file)) if asked.file else None
    if asked.preview:
        with database.read() as connection:
            rules = rules_of(connection, series.series_id)
        in_force = rules.of_sessions[session.session_id]
        if in_force.is_frozen or session.start_at <= now:
            raise RuleFrozen
        click.echo(printable(f"{session.title}: nothing was changed."))
        click.echo(f"  now:  {session_sentence(in_force.rule)}")
        click.echo(f"  then: {session_sentence(rule or rules.series)}")
        return
    with database.write() as connection:
        is_new = carry_out_for_session(
            connection, session.session_id, rule, version=None, actor=OPERATOR, by=COMMAND_LINE, now=now
        )
    click.echo("Saved." if is_new else "So it is already. Nothing was changed.")


def _chosen(sessions: list[Session], wanted: str, slug: str) -> Session:
    """By its number in the list, or its id."""
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 and 1 <= int(wanted) <= len(sessions):
        return sessions[int(wanted) - 1]
    try:
        session_id = UUID(wanted)
    except ValueError:
        session_id = None
    found = next((session for session in sessions if session.session_id == session_id), None)
    if found is None:
        raise Failure(f"{slug} has no session {wanted[:40]!r}; `moodle-sync series rule {slug}` numbers them.")
    return found


def _read(file: BinaryIO) -> bytes:
    text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise NoRule(f"That is no rule: it has more than {MAX_BYTES} bytes.")
    return text
