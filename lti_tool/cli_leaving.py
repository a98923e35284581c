"""lti-tool university export, leave, certificate: a university takes its data along, and is deleted here."""

import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import click

from config.command_line import Failure, json_option, print_rows, settings_or_exit
from config.private_files import new_private_file
from config.settings import Settings
from lti_tool.cli_common import opened_database
from series.certificates import Certificate, certificate_text
from series.people import University
from series.store.audit import OPERATOR, append_audit
from series.store.database import Connection, Database
from series.store.deletion_certificates import find_certificate, list_certificates
from series.store.leaving import Leaving, close_doors, count_what_goes, delete_all
from series.store.universities import find_university
from series.store.university_export import rows_of_university

REST_S = 0.15  # after as much work: who waits for SQLite looks again each tenth of a second
READ_ME = """All that is held about one university, one file for each table, one row in JSON on each line.
What the tables and their columns mean: /privacy/data/ of the installation. Times are UTC.
Left out: sealed tokens and hashes of secrets, which open something or say nothing.
In place of the numbers of people of other universities: "somebody else"; of the coordinators: "a coordinator".
"""


@click.command("export")
@click.argument("slug")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def university_export(slug: str, file: Path) -> None:
    """Write all data of the university SLUG into the zip FILE, for that university alone.

    It holds personal data. Hand it over by a way that you trust, and delete your copy.
    """
    now = settings_or_exit().clock().now()
    with opened_database() as database, new_private_file(file) as to:
        with database.read() as connection:
            home = find_university(connection, slug)
            rows = _write_zip(connection, home, to)
        with database.write() as connection:
            thing = f"university {home.university_id}"
            append_audit(connection, actor=OPERATOR, action="export_university", thing=thing, now=now, rows=rows)
    click.echo(f"Wrote {rows} rows of {home.name} to {file}. It holds personal data.")


@click.command("leave")
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
def university_leave(slug: str, *, yes: bool) -> None:
    """Delete everything about the university SLUG and its people, and print the certificate. There is no way back.

    Numbers that were published before stay; nobody can be told from them. Export first: `lti-tool university export`.
    Nothing new of it comes in from the first moment; everybody else works on meanwhile. It may be broken off anywhere:
    run it again, and it goes on. The certificate comes at the end.
    """
    settings = settings_or_exit()
    with opened_database() as database:
        with database.read() as connection:
            home = find_university(connection, slug)
        if not yes:
            click.echo(f"This deletes all data about {home.name} and its people, for good. Its LMSs come in no more.")
            if click.prompt("To go on, type its short name", default="", show_default=False) != slug:
                raise Failure("Nothing was changed.")
        certificate = _leave(database, settings, home)
    click.echo(_text(certificate, settings), nl=False)


@click.command("certificate")
@click.argument("number", type=int, required=False)
@json_option
def university_certificate(*, number: int | None, as_json: bool) -> None:
    """Print a certificate of deletion, or without NUMBER the list of all."""
    settings = settings_or_exit()
    with opened_database() as database, database.read() as connection:
        found = None if number is None else find_certificate(connection, number)
        all_of_them = list_certificates(connection)
    if number is None:
        print_rows([_row(one) for one in all_of_them], as_json=as_json, empty="No university has left.")
    elif found is None:
        raise Failure(f"There is no certificate {number}; `lti-tool university certificate` lists all.")
    else:
        click.echo(json.dumps(_row(found)) if as_json else _text(found, settings), nl=as_json)


def _leave(database: Database, settings: Settings, home: University) -> Certificate:
    leaving = Leaving(home=home, by=OPERATOR, secret_key=settings.secret_key, clock=settings.clock().now)
    with database.write() as connection:
        begins = close_doors(connection, leaving)
    if not begins:
        click.echo(f"{home.name} has begun to leave before; this goes on.", err=True)
    with database.read() as connection:
        rows = count_what_goes(connection, leaving)
    try:
        with click.progressbar(length=rows, label="Deleting", file=sys.stderr) as progress:
            return delete_all(database, leaving, on_batch=partial(_after_batch, progress.update, _Pace()))
    except KeyboardInterrupt as broken_off:
        again = f"lti-tool university leave {home.slug}"
        raise Failure(f"Broken off: what is deleted is deleted, and `{again}` goes on with it.") from broken_off


class _Pace:
    """Rests now and then, so that everybody else comes in who waits for the database."""

    def __init__(self) -> None:
        self._rested_at_s = time.monotonic()

    def keep(self) -> None:
        if time.monotonic() >= self._rested_at_s + REST_S:
            time.sleep(REST_S)
            self._rested_at_s = time.monotonic()


def _after_batch(show: Callable[[int], object], pace: _Pace, rows: int) -> None:
    show(rows)
    pace.keep()


def _write_zip(connection: Connection, home: University, to: BinaryIO) -> int:
    """The number of rows."""
    rows = 0
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", READ_ME)
        for table, of_table in groupby(rows_of_university(connection, home.university_id), key=lambda one: one[0]):
            with archive.open(f"{table}.jsonl", "w") as member:
                for line in _lines(row for _, row in of_table):
                    member.write(line)
                    rows += 1
    return rows


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n"


def _text(certificate: Certificate, settings: Settings) -> str:
    check_at = f"{settings.public_url}/privacy/certificates/{certificate.number}/{certificate.proof}/"
    return certificate_text(certificate, check_at=check_at)


def _row(one: Certificate) -> dict[str, Any]:
    return {
        "number": one.number,
        "university": one.deletion.university_name,
        "deleted_at": one.deletion.at.isoformat(timespec="seconds"),
        "rows": sum(one.deletion.counts.values()),
        "proof": one.proof,
    }
