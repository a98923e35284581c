"""moodle-sync run announce: what the announcements forums of courses are to be told."""

import click

from config.command_line import printable
from moodle_sync.cli_common import chosen_connections, run_at_moodles, services_or_exit
from series.moodle_jobs import MoodleJob


@click.command("announce")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be posted, call nothing.")
def run_announce(university_slug: str | None, *, dry_run: bool) -> None:
    """Post moved and cancelled sessions to the Moodle forums of the courses that want it."""
    from moodle_sync.moodle_runs import access_to  # noqa: PLC0415 - other commands should not wait for it
    from moodle_sync.post_announcements import planned  # noqa: PLC0415 - as above

    services = services_or_exit()
    if not dry_run:
        run_at_moodles(services, MoodleJob.ANNOUNCE, university_slug)
        return
    for connected in chosen_connections(services, university_slug):
        wanted = planned(services, access_to(services, connected))
        for course, written in wanted:
            subject = printable(written.subject)
            click.echo(f"{connected.university_slug}, course {course.moodle_course_id}: {subject}")
        if not wanted:
            click.echo(f"{connected.university_slug}: nothing to post")
