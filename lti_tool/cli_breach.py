"""lti-tool breach affected: whom a breach touches, for the 72 hours of https://gdpr-info.eu/art-33-gdpr/"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

import click

from config.command_line import settings_or_exit
from config.private_files import new_private_file
from lti_tool.cli_common import opened_database
from series.store.audit import OPERATOR, append_audit
from series.store.breach import Affected, affected_people
from series.store.universities import find_university


@click.group("breach")
def breach_group() -> None:
    """When data have got into wrong hands: the authority wants to know within 72 hours, and so do the universities."""


@breach_group.command("affected")
@click.option("--university", "slug", help="Slug: one list for each university, and for it alone.")
@click.option("--coordinators", is_flag=True, help="The list of the coordinators, and of names of no university.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="UTC: only those of whom something was written, opened or compared with the LMS since then, or nobody knows"
    " when it was. Without it: everybody who is held.",
)
@click.option("--out", "file", type=click.Path(path_type=Path, dir_okay=False), help="A new file, .csv or .json.")
def breach_affected(*, slug: str | None, coordinators: bool, since: datetime | None, file: Path | None) -> None:
    """Whom a breach touches: number in the LMS, courses, and what was held. Without --out: how many.

    A list for each university, and one of the coordinators; nobody is in two of them for the same reason.
    """
    if (slug is None) is not coordinators:
        raise click.UsageError("Say either --university or --coordinators.")
    if file is not None and file.suffix not in {".csv", ".json"}:
        raise click.BadParameter("--out must end with .csv or .json.")
    now = settings_or_exit().clock().now()
    with opened_database() as database:
        with database.read() as connection:
            home = find_university(connection, slug) if slug is not None else None
            from_when = since.replace(tzinfo=UTC) if since else None
            people = list(affected_people(connection, home.university_id if home else None, since=from_when))
        if file is not None:
            _write(people, file)
        with database.write() as connection:
            thing = f"university {home.university_id}" if home else "coordinators"
            append_audit(connection, actor=OPERATOR, action="list_affected", thing=thing, now=now, people=len(people))
    whose = f"of {home.name}" if home else "who coordinate, or are of no university,"
    said = f"{len(people)} people {whose} are touched"
    click.echo(f"{said}; written to {file}." if file else f"{said}. With --out FILE: who they are.")


def _write(people: Iterable[Affected], file: Path) -> None:
    rows = [_row(one) for one in people]
    with new_private_file(file) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as to:
        if file.suffix == ".json":
            json.dump(rows, to, indent=2, ensure_ascii=False)
            return
        writer = csv.DictWriter(to, fieldnames=[field.name for field in fields(Affected)])
        writer.writeheader()
        writer.writerows({name: _no_formula(cell) for name, cell in row.items()} for row in rows)


def _row(one: Affected) -> dict[str, str]:
    last = one.last_at.isoformat(timespec="seconds") if one.last_at else ""
    return {**asdict(one), "last_at": last}


def _no_formula(cell: str) -> str:
    """https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
