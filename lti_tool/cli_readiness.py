"""`lti-tool university list --readiness`: the coordinator's board in the shell, in the same words."""

import json
from typing import Any

import click

from config.command_line import Failure, printable, settings_or_exit
from lti_tool.cli_common import open_database
from series.readiness import Finding, Readiness
from series.readiness_words import SIGNS, found_words, path_of, remedy_words, state_name, step_title
from series.sessions import Series
from series.store.database import Connection
from series.store.readiness import readiness, running_series
from series.store.sessions import find_series


def print_readiness(series_slug: str | None, *, as_json: bool) -> None:
    """For one series, or for the newest that runs. Raises NotThere."""
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_database().read() as connection:
        series = _series(connection, series_slug)
        found = readiness(connection, series.series_id if series else None, now=now)
    if as_json:
        rows = [_row(one, series, settings.public_url) for one in found]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not found:
        raise Failure("No university yet; `lti-tool university add --help` shows how.")
    click.echo(
        f"{sum(one.is_ready for one in found)} of {len(found)} ready for {series.title if series else 'nothing'}."
    )
    for one in found:
        for line in _lines(one):
            click.echo(printable(line))


def _series(connection: Connection, slug: str | None) -> Series | None:
    if slug is not None:
        return find_series(connection, slug)
    running = running_series(connection, now=settings_or_exit().clock().now())
    return running[0] if running else None


def _lines(one: Readiness) -> list[str]:
    """A university, and what it lacks."""
    lines = [f"{one.university.slug}  {one.university.name}  {'ready' if one.is_ready else 'not ready'}"]
    for finding in one.findings:
        since = f", {finding.since:%Y-%m-%d}" if finding.since else ""
        line = f"  {SIGNS[finding.state]} {step_title(finding.step)}: {found_words(finding)}{since}"
        lines.append(f"{line}. {remedy_words(finding)}" if finding.is_gap else line)
    return lines


def _row(one: Readiness, series: Series | None, public_url: str) -> dict[str, Any]:
    return {
        "slug": one.university.slug,
        "name": one.university.name,
        "ready": one.is_ready,
        "series": series.slug if series else None,
        "steps": [_step(finding, one, series, public_url) for finding in one.findings],
    }


def _step(finding: Finding, one: Readiness, series: Series | None, public_url: str) -> dict[str, Any]:
    path = path_of(finding, university=one.university.slug, series=series.slug if series else "")
    return {
        "step": finding.step.value,
        "state": finding.state.value,
        "state_in_words": state_name(finding.state),
        "found": found_words(finding),
        "since": finding.since.isoformat(timespec="seconds") if finding.since else None,
        "remedy": remedy_words(finding) or None,
        "page": f"{public_url}{path}" if finding.is_gap else None,
    }
