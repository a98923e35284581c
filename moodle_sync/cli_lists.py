"""moodle-sync runs, deliveries: what the worker did, and what waits."""

from datetime import datetime

import click

from config.command_line import Failure, json_option, print_rows, settings_or_exit
from series.store import deliveries, runs
from series.store.gradebook_pauses import list_pauses, resume_all
from series.store.schema import open_current
from series.store.universities import find_university


@click.group("runs")
def runs_group() -> None:
    """What the worker did."""


@runs_group.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
def runs_list(limit: int, *, as_json: bool) -> None:
    """The last runs, the newest first."""
    with open_current(settings_or_exit().database_url).read() as connection:
        found = runs.list_runs(connection, limit=limit)
    rows = [
        {
            "started_at": _iso(run.started_at),
            "job": run.job,
            "scope": run.scope,
            "outcome": run.outcome,
            "counts": run.counts,
            "reason": run.reason,
        }
        for run in found
    ]
    print_rows(rows, as_json=as_json, empty="Nothing has run yet; start `moodle-sync worker`.")


@click.group("deliveries")
def deliveries_group() -> None:
    """Scores on their way to gradebooks."""


@deliveries_group.command("list")
@click.option("--state", type=click.Choice(["due", "delivered", "failed", "superseded", "unaddressed"]))
@click.option("--university", "university_slug", help="Only this one.")
@json_option
def deliveries_list(state: str | None, university_slug: str | None, *, as_json: bool) -> None:
    """List deliveries and what came of them, and the gradebooks that are left alone because they do not answer."""
    with open_current(settings_or_exit().database_url).read() as connection:
        if university_slug is not None:
            find_university(connection, university_slug)
        found = deliveries.list_deliveries(connection, state=state, university_slug=university_slug)
        pauses = list_pauses(connection, university_slug=university_slug)
    rows = [
        {
            "id": row.delivery_id,
            "university": row.university,
            "sub": row.sub,
            "version": row.version,
            "score": f"{row.score_given}/{row.score_maximum}",
            "state": row.state,
            "attempts": row.attempts,
            "next_attempt_at": _iso(row.next_attempt_at) if row.state == "due" else None,
            "outcome": row.outcome,
        }
        for row in found
    ]
    print_rows(rows, as_json=as_json, empty="No deliveries.")
    for pause in pauses:  # beside the rows, so that the JSON stays a list of deliveries
        click.echo(
            f"Waits for {pause.platform} until {_iso(pause.until)}, since {_iso(pause.failing_since)}: {pause.reason}",
            err=True,
        )


@deliveries_group.command("retry")
@click.argument("delivery_id", type=int, required=False)
@click.option("--all", "retry_all", is_flag=True, help="All that failed or wait, and ask every gradebook again.")
@click.option("--university", "university_slug", help="With --all: only of this one.")
def deliveries_retry(delivery_id: int | None, university_slug: str | None, *, retry_all: bool) -> None:
    """Try one delivery again now, or --all; the worker takes them up within seconds."""
    if (delivery_id is None) != retry_all:
        raise click.UsageError("Name one delivery, or --all.")
    if university_slug is not None and not retry_all:
        raise click.UsageError("--university goes with --all.")
    settings = settings_or_exit()
    with open_current(settings.database_url).write() as connection:
        if university_slug is not None:
            find_university(connection, university_slug)
        count = deliveries.retry(
            connection, delivery_id=delivery_id, university_slug=university_slug, now=settings.clock().now()
        )
        if retry_all:
            resume_all(connection, university_slug=university_slug)
    if delivery_id is not None and not count:
        raise Failure(f"Delivery {delivery_id} is not waiting and has not failed; `moodle-sync deliveries list`.")
    click.echo(f"{count} due now.")


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
