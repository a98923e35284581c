"""moodle-sync run collect: completions from the connected Moodles, or what they would change."""

from typing import TYPE_CHECKING

import click

from config.command_line import Failure, printable
from moodle_sync.cli_common import calls_in_words, chosen_connections, run_at_moodles, services_or_exit
from series.moodle_jobs import MoodleJob

if TYPE_CHECKING:
    from moodle_sync.read_completions import CourseReading
    from moodle_sync.services import Services
    from series.collecting import Said
    from series.store.moodle_connections import MoodleConnection


@click.command("collect")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--all", "of_all", is_flag=True, help="Ask about everybody, not only about who has been active.")
@click.option(
    "--dry-run", is_flag=True, help="Read from Moodle, say what would be recorded or taken back, write nothing."
)
def run_collect(university_slug: str | None, *, of_all: bool, dry_run: bool) -> None:
    """Collect completions from the connected Moodles."""
    services = services_or_exit()
    if not dry_run:
        run_at_moodles(services, MoodleJob.RECOLLECT if of_all else MoodleJob.COLLECT, university_slug)
        return
    problems: list[str] = []
    for connected in chosen_connections(services, university_slug):
        problems += _preview(services, connected, of_all=of_all)
    if problems:
        raise Failure(" ".join(problems))


def _preview(services: "Services", connected: "MoodleConnection", *, of_all: bool) -> list[str]:
    """The problems. People are named by their number in their Moodle."""
    from lms.errors import LmsError  # noqa: PLC0415 - other commands should not wait for it
    from moodle_sync.collect_completions import readings  # noqa: PLC0415 - as above
    from moodle_sync.moodle_runs import access_to  # noqa: PLC0415 - as above

    access, problems = access_to(services, connected), []
    for reading in readings(services, access, of_all=of_all):
        click.echo(printable(f"{connected.university_slug}, {reading.course.title}:"))
        try:
            problems += [f"{connected.university_slug}: {words}" for words in _print(services, reading)]
        except LmsError as error:
            problems.append(f"{connected.university_slug}: {error}")
            if error.of_platform:
                break
    click.echo(f"{connected.university_slug}: {calls_in_words(access.calls)}, nothing written")
    return problems


def _print(services: "Services", reading: "CourseReading") -> list[str]:
    """What there is to look at."""
    from moodle_sync.collect_completions import problems_of  # noqa: PLC0415 - as above
    from series.store.held_completions import preview_held  # noqa: PLC0415 - as above

    by_person = dict(reading.changes())
    if reading.is_to_be_widened({sub: changes.taken_back for sub, changes in by_person.items()}):
        reading = reading.of_everybody()
        by_person = dict(reading.changes())
    for sub, changes in by_person.items():
        for said in changes.completed:
            click.echo(f"  record     {_thing(said)} for No. {sub}")
    taken = {sub: changes.taken_back for sub, changes in by_person.items() if changes.taken_back}
    standing = {sub: changes.standing for sub, changes in by_person.items()}
    with services.database.read() as connection:
        free = preview_held(connection, reading.course.course_id, taken, standing, now=services.clock.now())
    for sub, some in taken.items():
        for said in some:
            is_free = said in free.get(sub, ())
            click.echo(f"  {'take back' if is_free else 'hold back'}  {_thing(said)} of No. {sub}")
    return problems_of(reading)


def _thing(said: "Said") -> str:
    number, source = said.key
    return f"{source.value} {number}"
