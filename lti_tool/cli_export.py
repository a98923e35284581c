"""lti-tool export: rows of persons under pseudonyms. And lti-tool pseudonyms: making them anew."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from config.command_line import Failure, settings_or_exit
from config.private_files import new_private_file
from lti_tool.cli_common import open_database, opened_database
from lti_tool.csv_files import Cell, csv_pieces  # not by way of openpyxl, which would cost every command its time
from series.people import University
from series.store.audit import OPERATOR, append_audit
from series.store.borders import may_be_shown_in, shown_at_the_centre
from series.store.completion_rows import CompletionRow, completion_rows
from series.store.database import Connection
from series.store.pseudonyms import key_of, rotate_pseudonyms
from series.store.sessions import find_series
from series.store.taking_part import have_left
from series.store.universities import find_university, list_universities

COLUMNS = tuple(each.name for each in fields(CompletionRow))


@click.group("export")
def export_group() -> None:
    """Files with rows of persons; each export stands in the audit."""


@export_group.command("completions")
@click.argument("series_slug", metavar="SERIES")
@click.option("--university", "university_slug", help="Only of this one.")
@click.option("--to", "reader_slug", metavar="UNIVERSITY", help="Who gets it; without, it stays with the coordinators.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    help="A new file, for you alone to read; without, standard output.",
)
def export_completions(
    series_slug: str, university_slug: str | None, reader_slug: str | None, form: str, output: Path
) -> None:
    """Write who has completed which session of SERIES, each person under a pseudonym.

    These are personal data still: pass them on as such. Whoever has objected is left out, and so are universities
    whose data may not cross the border to the reader; they are named on stderr.
    """
    settings = settings_or_exit()
    now = settings.clock().now()
    with opened_database() as database, _opened(output) as to:
        with database.write() as connection:
            series = find_series(connection, series_slug)
            chosen, left_out = _chosen(connection, university_slug, reader_slug, settings.country, now)
            keys = {
                one.university_id: key_of(
                    connection, one.university_id, encryption_key=settings.encryption_key, now=now
                )
                for one in chosen
            }
            append_audit(
                connection,
                actor=OPERATOR,
                action="export_completions",
                thing=f"series {series.series_id}",
                now=now,
                universities=len(chosen),
                to=reader_slug or "",
                form=form,
            )
        for one in left_out:
            click.echo(f"Left out: {one.name}. The coordinator first records what lets its named data cross.", err=True)
        with database.read() as connection:
            rows = completion_rows(connection, series.series_id, keys)
            for piece in _csv(rows) if form == "csv" else _json(rows):
                to.write(piece)


@click.group("pseudonyms")
def pseudonyms_group() -> None:
    """What stands for people in exports."""


@pseudonyms_group.command("rotate")
@click.argument("university_slug", metavar="UNIVERSITY")
def pseudonyms_rotate(university_slug: str) -> None:
    """Give all people of UNIVERSITY new pseudonyms. Nobody can tell any more whom the old ones meant."""
    now = settings_or_exit().clock().now()
    with open_database().write() as connection:
        home = find_university(connection, university_slug)
        rotate_pseudonyms(connection, home.university_id, by=OPERATOR, now=now)
    click.echo(
        f"People of {home.name} have new pseudonyms from now on; earlier exports cannot be joined with new ones."
    )


def _chosen(
    connection: Connection, university_slug: str | None, reader_slug: str | None, centre: str, now: datetime
) -> tuple[list[University], list[University]]:
    """Those whose rows may be written, and those whose rows may not. `centre`: the country of the
    coordinators, who read it when no university does. Raises Failure when none may."""
    every = [find_university(connection, university_slug)] if university_slug else list_universities(connection)
    left = have_left(connection)
    every = [one for one in every if one.university_id not in left]
    if reader_slug is None:
        free = shown_at_the_centre(connection, country=centre, today=now.date())
    else:
        reader = find_university(connection, reader_slug).university_id
        ids = [one.university_id for one in every]
        free = frozenset(one for one in ids if may_be_shown_in(connection, of=one, to=reader, today=now.date()))
    chosen = [one for one in every if one.university_id in free]
    if not chosen:
        raise Failure("No university's rows may be written: named data may not cross this border yet.")
    return chosen, [one for one in every if one.university_id not in free]


def _opened(output: Path) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if str(output) == "-" else new_private_file(output)


def _csv(rows: Iterable[CompletionRow]) -> Iterator[bytes]:
    def cells() -> Iterator[tuple[Cell, ...]]:
        yield COLUMNS
        for row in rows:
            yield tuple(_text(value) for value in asdict(row).values())

    return csv_pieces(cells())


def _json(rows: Iterable[CompletionRow]) -> Iterator[bytes]:
    """A list, one row a line."""
    yield b"["
    for number, row in enumerate(rows):
        yield (b",\n" if number else b"\n") + json.dumps(asdict(row), default=str, ensure_ascii=False).encode()
    yield b"\n]\n"


def _text(value: Any) -> Cell:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
