"""lti-tool person: the rights of somebody who cannot open an activity any more, and asks the operator instead."""

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from config.command_line import Failure, printable, settings_or_exit
from config.private_files import new_private_file
from lti_tool.cli_common import open_database, opened_database
from series.people import University
from series.store.audit import OPERATOR, append_audit
from series.store.database import Connection, Database
from series.store.erasure import erase_marked, erase_person
from series.store.own_data import read_own_data
from series.store.tombstones import Mark, all_marks, issuers_of, participant_of
from series.store.universities import find_university
from series.tombstones import Whom

_MARKS = msgspec.json.Decoder(list[Mark])
LMS_HELP = "Address (issuer) of the LMS, where the university has had several."


@click.group("person")
def person_group() -> None:
    """What is held about one person, for who cannot open “My data” any more.

    Make sure first that whoever asks is the person: their university can say whose number in the LMS that is.
    """


@person_group.command("export")
@click.argument("university_slug", metavar="UNIVERSITY")
@click.argument("sub", metavar="NUMBER")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--issuer", help=LMS_HELP)
def person_export(university_slug: str, sub: str, file: Path, issuer: str | None) -> None:
    """Write everything that is held about the person with this user id in the university's LMS into FILE, as JSON."""
    now = settings_or_exit().clock().now()
    with opened_database() as database, new_private_file(file) as to:
        to.write(_document(database, university_slug, sub, issuer, now))
    click.echo(f"Wrote {file}. Give it to the person alone.")


@person_group.command("erase")
@click.argument("university_slug", metavar="UNIVERSITY")
@click.argument("sub", metavar="NUMBER")
@click.option("--issuer", help=LMS_HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
def person_erase(university_slug: str, sub: str, issuer: str | None, *, yes: bool) -> None:
    """Erase everything that is held about the person with this user id in the university's LMS. Nobody can undo it.

    Also of somebody who was never here: then no list of the LMS brings them in. Backups keep them until they expire:
    after restoring one, erase them again.
    """
    settings, database = settings_or_exit(), open_database()
    with database.read() as connection:
        home = find_university(connection, university_slug)
        person = _whom(connection, home, sub, issuer)
    asked = f"Erase everything about number {sub} of {home.name}, for good?"
    if not yes and not click.confirm(printable(asked)):
        raise Failure("Nothing was erased.")
    with database.write() as connection:
        rows = erase_person(connection, person, by=OPERATOR, secret_key=settings.secret_key, now=settings.clock().now())
    click.echo(f"Erased {rows} row(s). The LMS's lists do not bring this person back.")


@person_group.command("marks")
def person_marks() -> None:
    """Print the marks of everybody who was erased, to be kept beside the backups.

    A mark tells nobody who it was. After restoring a backup, `lti-tool person erase-marked` erases them once more.
    """
    with open_database().read() as connection:
        marks = all_marks(connection)
    click.echo(msgspec.json.format(msgspec.json.encode(marks), indent=2).decode())


@person_group.command("erase-marked")
@click.argument("file", type=click.File("rb"))
def person_erase_marked(file: BinaryIO) -> None:
    """After a backup was restored, erase everybody once more whose mark is in FILE (of `lti-tool person marks`).

    It may be repeated; do so when an LMS has been replaced once more (`lti-tool platform replace`), if the backup is
    older than that. The installation must have the same secret key as when the marks were made.
    """
    settings = settings_or_exit()
    try:
        marks = _MARKS.decode(file.read())
    except msgspec.DecodeError as error:
        raise Failure(f"{file.name} is no list of marks: {error}") from error
    with open_database().write() as connection:
        erased = erase_marked(connection, marks, secret_key=settings.secret_key, now=settings.clock().now())
    click.echo(f"Of {len(marks)} marked, {erased} were there and are erased.")


def _document(database: Database, slug: str, sub: str, issuer: str | None, now: datetime) -> bytes:
    from lti_tool.pages.my_data_words import as_document  # noqa: PLC0415 - other commands should not wait for it

    with database.write() as connection:
        home = find_university(connection, slug)
        participant_id = participant_of(connection, _whom(connection, home, sub, issuer))
        if participant_id is None:
            raise Failure(f"Nothing is held about a number {sub} of {home.name} as a participant.")
        thing = f"participant {participant_id}"
        append_audit(connection, actor=OPERATOR, action="export_person", thing=thing, now=now)
        own = read_own_data(connection, participant_id, now=now)
    return msgspec.json.format(msgspec.json.encode(as_document(own)), indent=2)


def _whom(connection: Connection, home: University, sub: str, issuer: str | None) -> Whom:
    known = issuers_of(connection, home.university_id, sub)
    if issuer is None and len(known) > 1:
        raise Failure(f"{home.name} has had several LMSs: say which by --issuer, one of {', '.join(known)}.")
    if issuer is None and not known:
        raise Failure(f"{home.name} has no LMS yet, so nothing is held about its people.")
    if issuer is not None and issuer not in known:
        raise Failure(f"{home.name} has no LMS {issuer}; it has {', '.join(known) or 'none'}.")
    return Whom(university_id=home.university_id, issuer=issuer or known[0], sub=sub)
