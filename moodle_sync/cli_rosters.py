"""moodle-sync run rosters: read who is in the courses, by hand, and say yes to what is held."""

from functools import partial
from typing import TYPE_CHECKING

import click

from config.command_line import Failure, printable
from moodle_sync.cli_common import run_now, services_or_exit
from series.rosters import held_in_words
from series.store.audit import OPERATOR, append_audit
from series.store.rosters import accept_roster
from series.store.universities import find_university, list_universities

if TYPE_CHECKING:
    from moodle_sync.refresh_rosters import CourseReading
    from moodle_sync.services import Services


@click.command("rosters")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Ask the LMSs, say what would change, write nothing.")
@click.option(
    "--accept",
    "course_id",
    metavar="COURSE",
    type=click.IntRange(1, 2**31),
    help="Instead, say yes to the list that is held for this course.",
)
def run_rosters(university_slug: str | None, course_id: int | None, *, dry_run: bool) -> None:
    """Read who is in the courses, from the LMSs."""
    if course_id is not None and (dry_run or university_slug is not None):
        raise click.UsageError("--accept goes with no other option.")

    from moodle_sync import jobs  # noqa: PLC0415 - other commands should not wait for it

    services = services_or_exit()
    if course_id is not None:
        _accept(services, course_id)
        return
    problems: list[str] = []
    for slug in _chosen(services, university_slug):
        if dry_run:
            problems += _print_preview(services, slug)
        else:
            problems += run_now(services, "rosters", slug, partial(jobs.run_rosters, only_due=False))
    if problems:
        raise Failure(" ".join(problems))


def _chosen(services: "Services", university_slug: str | None) -> list[str]:
    """Raises NotThere for a university that there is not."""
    with services.database.read() as connection:
        if university_slug is not None:
            return [find_university(connection, university_slug).slug]
        return [university.slug for university in list_universities(connection)]


def _print_preview(services: "Services", university_slug: str) -> list[str]:
    from moodle_sync.refresh_rosters import preview_university  # noqa: PLC0415 - other commands should not wait for it

    problems = []
    for reading in preview_university(services, university_slug):
        if reading.problem:
            problems.append(f"{university_slug}, course {reading.course.course_id}: {reading.problem}")
        else:
            click.echo(printable(_line(university_slug, reading)))
    return problems


def _line(university_slug: str, reading: "CourseReading") -> str:
    changes = reading.changes
    assert changes is not None
    name = f"{university_slug}, course {reading.course.course_id} “{reading.course.title}”"
    if changes.is_held:
        return f"{name}: would be held: {held_in_words(changes)}"
    counts = {"new": changes.new, "back": changes.back, "suspended": changes.suspended, "gone": changes.gone}
    said = ", ".join(f"{len(subs)} {what}" for what, subs in counts.items() if subs)
    return f"{name}: {said or 'nothing new'}"


def _accept(services: "Services", course_id: int) -> None:
    now = services.clock.now()
    with services.database.write() as connection:
        changes = accept_roster(connection, course_id, now=now)
        if changes is not None:
            append_audit(
                connection,
                actor=OPERATOR,
                action="accept_roster",
                thing=f"course {course_id}",
                now=now,
                gone=len(changes.gone),
                of=changes.of,
            )
    if changes is None:
        raise Failure(f"Nothing is held for a course {course_id}; `moodle-sync run rosters` names those where it is.")
    click.echo(f"Course {course_id}: {len(changes.gone)} of {changes.of} are no longer in the course.")
