"""moodle-sync runs, deliveries: what the worker did, and what waits."""

from datetime import datetime

import click

from config.command_line import Failure, json_option, print_rows, settings_or_exit
from series.moodle_jobs import MoodleJob
from series.store import deliveries, runs
from series.store.gradebook_pauses import list_pauses, resume_all
from series.store.moodle_overview import connected_states, state_of
from series.store.schema import open_current
from series.store.universities import find_university


@click.group("runs")
def runs_group() -> None:
    """What the worker did."""


@runs_group.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--university", "university_slug", help="Only what was done for this one.")
@click.option("--job", type=click.Choice([*runs.OTHER_JOBS, *(job.value for job in MoodleJob)]), help="Only this job.")
@json_option
def runs_list(limit: int, university_slug: str | None, job: str | None, *, as_json: bool) -> None:
    """The last runs, the newest first. At a Moodle, those that found nothing to do are not listed."""
    with open_current(settings_or_exit().database_url).read() as connection:
        if university_slug is not None:
            find_university(connection, university_slug)
        found = runs.list_runs(connection, limit=limit, job=job, university_slug=university_slug)
    rows = [
        {
            "started_at": _iso(run.started_at),
            "job": run.job,
            "scope": run.scope,
            "outcome": run.outcome,
            "seconds": _seconds(run.started_at, run.finished_at),
            "calls": run.calls,
            "counts": run.counts,
            "reason": run.reason,
        }
        for run in found
    ]
    is_chosen = university_slug is not None or job is not None
    empty = "No such run is kept; `moodle-sync runs next` shows what is planned."
    print_rows(rows, as_json=as_json, empty=empty if is_chosen else "Nothing has run yet; start `moodle-sync worker`.")


@runs_group.command("next")
@click.option("--university", "university_slug", help="Only this one.")
@json_option
def runs_next(university_slug: str | None, *, as_json: bool) -> None:
    """What is planned at the connected Moodles: when it is next done, failures in a row, and until when a site that
    does not work is left alone."""
    with open_current(settings_or_exit().database_url).read() as connection:
        if university_slug is None:
            found = connected_states(connection)
        else:
            found = [state_of(connection, find_university(connection, university_slug).university_id)]
    rows = [
        {
            "next_at": _iso(state.next_at(job)),
            "university": state.university.slug,
            "job": job.job.value,
            "ran_at": _iso(job.ran_at) if job.ran_at else None,
            "failures": job.failures,
            "paused_until": _iso(state.site.paused_until) if state.site and state.site.paused_until else None,
            "reason": (state.site.reason if state.site else None) or job.problem,
        }
        for state in found
        for job in state.jobs.values()
    ]
    rows.sort(key=lambda row: str(row["next_at"]))
    print_rows(rows, as_json=as_json, empty="No Moodle is connected; `moodle-sync connect --help` shows how.")


def _seconds(began_at: datetime, ended_at: datetime | None) -> float | None:
    return None if ended_at is None else round((ended_at - began_at).total_seconds(), 1)


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
