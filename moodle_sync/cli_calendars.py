"""moodle-sync run mirror and sweep: the calendars of connected Moodle courses, by hand."""

from typing import TYPE_CHECKING

import click

from config.command_line import Failure, printable
from moodle_sync.cli_common import chosen_connections, run_at_moodles, services_or_exit
from series.moodle_jobs import MoodleJob

if TYPE_CHECKING:
    from moodle_sync.heal_calendar import Healing
    from moodle_sync.mirror_sessions import CoursePlan
    from moodle_sync.plan_mirrors import Plan, WantedEvent
    from moodle_sync.services import Services
    from series.store.moodle_connections import MoodleConnection


@click.command("mirror")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, call nothing.")
def run_mirror(university_slug: str | None, *, dry_run: bool) -> None:
    """Bring the connected Moodle calendars up to date."""
    from moodle_sync.mirror_sessions import plan_university  # noqa: PLC0415 - other commands should not wait for it

    services = services_or_exit()
    if not dry_run:
        run_at_moodles(services, MoodleJob.MIRROR, university_slug)
        return
    for connected in chosen_connections(services, university_slug):
        for course_plan in plan_university(services, connected):
            _print_course(connected, course_plan)
            _print_lines(_planned(course_plan.plan))


@click.command("sweep")
@click.option("--university", "university_slug", help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Look and say what would be put right, write nothing.")
def run_sweep(university_slug: str | None, *, dry_run: bool) -> None:
    """Compare the connected Moodle calendars with the plan, whole, and put them right."""
    services = services_or_exit()
    if not dry_run:
        run_at_moodles(services, MoodleJob.SWEEP, university_slug)
        return
    problems: list[str] = []
    for connected in chosen_connections(services, university_slug):
        problems += _look(services, connected)
    if problems:
        raise Failure(" ".join(problems))


def _look(services: "Services", connected: "MoodleConnection") -> list[str]:
    """Prints what each course needs; the problems."""
    from lms.errors import LmsError  # noqa: PLC0415 - as above
    from moodle_sync.mirror_sessions import plan_university  # noqa: PLC0415 - as above
    from moodle_sync.moodle_runs import access_to  # noqa: PLC0415 - as above
    from moodle_sync.sweep_calendars import look_at  # noqa: PLC0415 - as above

    access, problems = access_to(services, connected), []
    for course_plan in plan_university(services, connected):
        try:
            healing = look_at(services, access, course_plan)
        except LmsError as error:
            problems.append(f"{connected.university_slug}, course {course_plan.course.moodle_course_id}: {error}")
            if error.of_platform:
                break
        else:
            _print_course(connected, course_plan)
            _print_lines(_healed(healing))
    return problems


def _print_course(connected: "MoodleConnection", course_plan: "CoursePlan") -> None:
    click.echo(f"{connected.university_slug}, course {course_plan.course.moodle_course_id}:")


def _print_lines(lines: list[str]) -> None:
    for line in lines or ["nothing to do"]:
        click.echo(f"  {printable(line)}")


def _planned(plan: "Plan") -> list[str]:
    return [
        *(f"create  {_event(wanted)}" for wanted in plan.create),
        *(f"look for, or create  {wanted.draft.name}" for wanted in plan.look_for),
        *(f"update event {update.event_id}: {_event(update.wanted)}" for update in plan.update),
        *(f"delete {_named(mirror.event_id)}" for mirror in plan.delete),
    ]


def _healed(healing: "Healing") -> list[str]:
    return [
        *(f"create  {_event(wanted)}" for wanted in healing.create),
        *(f"take over event {mirror.event_id}" for mirror in healing.right),
        *(
            f"put right event {one.event.event_id}: {_event(one.wanted)}{_why(one.differences)}"
            for one in healing.repair
        ),
        *(f"delete event {event_id}, a double" for event_id in healing.doubles),
        *(f"delete event {event_id}" for event_id in healing.delete),
        *(f"forget session {session_id}" for session_id in healing.forget),
        *(f"wait until {until:%H:%M} UTC for a call that was given up" for until in healing.waiting),
        *(f"leave event {event.event_id} alone, which has lost our link: {event.name}" for event in healing.rewritten),
    ]


def _event(wanted: "WantedEvent") -> str:
    return f"{wanted.draft.start_at:%Y-%m-%d %H:%M} UTC  {wanted.draft.name}"


def _why(differences: tuple[str, ...]) -> str:
    return f" ({', '.join(differences)})" if differences else ""


def _named(event_id: int | None) -> str:
    return "an event that has yet to be found" if event_id is None else f"event {event_id}"
