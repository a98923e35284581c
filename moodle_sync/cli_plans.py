"""moodle-sync series accept, reject: what the calendar would change, and waits for a yes."""

import click

from config.command_line import Failure, settings_or_exit
from moodle_sync.plan_words import REASONS, change_in_words
from series.plans import Change
from series.sessions import Series
from series.store import held_plans
from series.store.audit import OPERATOR
from series.store.database import Database
from series.store.held_plans import HeldPlan, NothingHeld, PlanOutdated
from series.store.schema import open_current
from series.store.sessions import find_series


def show_held(shown: Series, held: HeldPlan | None, rejected: HeldPlan | None) -> None:
    if held is None and rejected is None:
        click.echo(f"Nothing is held for {shown.slug}.")
    if held is not None:
        click.echo("Held: nothing was changed.")
        for reason in held.reasons:
            click.echo(f"  because {REASONS[reason]}")
        _show_plan(held, shown)
        click.echo(f"moodle-sync series reject {shown.slug} {held.digest}")
    if rejected is not None:
        click.echo("Rejected; the calendar still says it:")
        _show_plan(rejected, shown)


def _show_plan(held: HeldPlan, shown: Series) -> None:
    click.echo(f"\nWhat would change ({shown.time_zone}):")
    _show(held.changes, shown)
    if held.apart is not None:
        click.echo("\nOr, if these are not the same sessions (--apart):")
        _show(held.changes_apart, shown)
    click.echo(f"\nmoodle-sync series accept {shown.slug} {held.digest}" + (" [--apart]" if held.apart else ""))


@click.command()
@click.argument("slug")
@click.argument("digest")
@click.option("--apart", is_flag=True, help="What was guessed is wrong: the new entries are other sessions.")
def accept(slug: str, digest: str, *, apart: bool) -> None:
    """Carry out what `series show SLUG --held` has shown under DIGEST, exactly that and nothing else.

    The worker brings it into the course calendars within minutes.
    """
    settings = settings_or_exit()
    database = open_current(settings.database_url)
    series = _find(database, slug)
    try:
        with database.write() as connection:
            held = held_plans.accept(
                connection, series.series_id, digest, apart=apart, actor=OPERATOR, now=settings.clock().now()
            )
    except NothingHeld as error:
        raise _not_held(slug, digest) from error
    except PlanOutdated as error:
        raise Failure(
            "The sessions have changed since, or one of them has begun. Nothing was changed;"
            f" `moodle-sync series import` reads the calendar again, `series show {slug} --held` shows what is left."
        ) from error
    click.echo(f"Done: {len(held.changes_apart if apart and held.apart else held.changes)} session(s).")


@click.command()
@click.argument("slug")
@click.argument("digest")
def reject(slug: str, digest: str) -> None:
    """Say no to what `series show SLUG --held` has shown: nothing changes until the calendar says something else.

    It can still be accepted later.
    """
    settings = settings_or_exit()
    database = open_current(settings.database_url)
    series = _find(database, slug)
    try:
        with database.write() as connection:
            held_plans.reject(connection, series.series_id, digest, actor=OPERATOR, now=settings.clock().now())
    except NothingHeld as error:
        raise _not_held(slug, digest) from error
    click.echo("Rejected. Nothing was changed.")


def _find(database: Database, slug: str) -> Series:
    with database.read() as connection:
        return find_series(connection, slug)


def _show(changes: list[Change], shown: Series) -> None:
    for change in changes:
        click.echo(f"  {change_in_words(change, shown.time_zone)}")


def _not_held(slug: str, digest: str) -> Failure:
    return Failure(f"{digest!r} is not what is held for {slug}; `moodle-sync series show {slug} --held` shows that.")
