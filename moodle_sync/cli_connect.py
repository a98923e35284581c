"""moodle-sync connect: a university's Moodle, from its role files to its end."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

import click

from config.command_line import Failure, printable
from moodle_sync.cli_common import services_or_exit
from series.check_words import check_line
from series.checks import Check, Code, Outcome
from series.moodle_jobs import Level
from series.moodle_typed import FRONT_PAGE, Mistyped, typed_address, typed_token
from series.people import University
from series.sessions import Series
from series.store.audit import OPERATOR
from series.store.connecting import (
    CourseOfAnother,
    choose_course,
    connect_moodle,
    disconnect_moodle,
    untie_course,
)
from series.store.course_ties import events_there, shown_series
from series.store.database import Connection
from series.store.moodle_accounts import last_address
from series.store.moodle_connections import NewConnection, described_connection
from series.store.sessions import find_series
from series.store.universities import find_university

if TYPE_CHECKING:  # loads all that we say to an LMS; --help should not wait for that
    from lms.moodle import Course, Moodle, SiteInfo

LEVELS = click.Choice([level.value for level in Level])


@dataclass(frozen=True, kw_only=True)
class _Given:
    """The options, as click hands them over."""

    url: str | None
    level_name: str | None
    course_id: int | None
    slug: str | None
    token_file: IO[str] | None
    disconnect: bool
    yes: bool
    untie: int | None
    same_site: bool
    role_file: str | None
    system: bool
    announcements: bool


@click.command()
@click.argument("university_slug", metavar="[UNIVERSITY]", required=False)
@click.option("--url", help="Address of the Moodle, as it stands before all of its own pages' addresses.")
@click.option(
    "--level",
    "level_name",
    type=LEVELS,
    help="What its account may do: write course calendars, or read completions, too. Without it, the level stays as it"
    " is; at first it is calendar.",
)
@click.option(
    "--course", "course_id", type=click.IntRange(1, 2**31 - 1), help="Number of the course that shows the series."
)
@click.option("--series", "slug", help="The series that the course shows.")
@click.option("--token-file", type=click.File(), help="File with the service account's token; - reads it.")
@click.option("--disconnect", is_flag=True, help="Forget the token, and leave the Moodle alone from now on.")
@click.option(
    "--untie", type=click.IntRange(1, 2**31 - 1), help="Number of a course that shall not show the --series any more."
)
@click.option("--yes", is_flag=True, help="Do not ask before disconnecting or untying.")
@click.option("--same-site", is_flag=True, help="The same Moodle has moved to this address, with its courses.")
@click.option("--role-file", type=LEVELS, help="Print the role that its account needs, for Moodle to import.")
@click.option("--system", is_flag=True, help="With --role-file: the other role, for the whole site.")
@click.option("--announcements", is_flag=True, help="With --role-file: also to post announcements.")
def connect(university_slug: str | None, **options: Any) -> None:
    """Connect a university's Moodle by a web service token, and show a series in one of its courses.

    The Moodle's administrator imports two roles (Site administration > Users > Permissions > Define roles > Add a new
    role > Use role preset), gives them to an account with the time zone UTC, and makes a token for it. The page
    /admin/moodle/UNIVERSITY/connection of the tool lists each click. Without --course, the courses that the token may
    see are listed. Afterwards, `moodle-sync doctor UNIVERSITY` tries out what the token can do.

    \b
        moodle-sync connect --role-file completions > role.xml
        moodle-sync connect --role-file completions --system > web-services.xml
        moodle-sync connect malta --url https://moodle.example --level completions --token-file token.txt
        moodle-sync connect malta --url https://moodle.example --level completions --token-file token.txt \\
            --course 42 --series spring
        moodle-sync connect malta --untie 42 --series spring
        moodle-sync connect malta --disconnect

    At another address than before, the number of a course is that of another course: it is chosen anew, unless
    --same-site says that the Moodle has moved.
    """
    given = _Given(**options)
    if given.role_file is not None:
        _print_role(Level(given.role_file), system=given.system, announcements=given.announcements)
        return
    if given.system or given.announcements:
        raise click.UsageError("--system and --announcements go with --role-file.")
    if university_slug is None:
        raise click.UsageError("Say which UNIVERSITY; `lti-tool university list` shows all.")
    if given.disconnect:
        _disconnect(university_slug, sure=given.yes)
        return
    if given.untie is not None:
        _untie(university_slug, given)
        return
    if given.url is None or given.token_file is None:
        raise click.UsageError("To connect a Moodle, give --url and --token-file.")
    if (given.course_id is None) != (given.slug is None):
        raise click.UsageError("--course and --series go together.")
    try:
        address, token = typed_address(given.url), typed_token(_text_of(given.token_file))
    except Mistyped as error:
        raise Failure(str(error)) from None
    _connect(university_slug, address, token, given)


def _print_role(level: Level, *, system: bool, announcements: bool) -> None:
    from lms.moodle_role import RoleKind, role_xml  # noqa: PLC0415 - as above

    kind = RoleKind.SYSTEM if system else RoleKind.COURSE
    click.echo(role_xml(kind, level, announcements=announcements), nl=False)


def _text_of(token_file: IO[str]) -> str:
    try:
        return token_file.read(10_000)
    except UnicodeDecodeError:
        raise Failure("The token file holds something else than a token.") from None


def _connect(university_slug: str, address: str, token: str, given: _Given) -> None:
    from lms.moodle import Moodle  # noqa: PLC0415 - as above

    services = services_or_exit()
    with services.database.read() as connection:
        university = find_university(connection, university_slug)
        shown = find_series(connection, given.slug) if given.slug is not None else None
        has_course = bool(shown_series(connection, university.university_id))
        before = last_address(connection, university.university_id)
        key = services.settings.encryption_key
        known = described_connection(connection, university.slug, encryption_key=key)
    level_before = known.level if known else Level.CALENDAR
    level = Level(given.level_name) if given.level_name else level_before
    site = _introduced(Moodle(http=services.http, base_url=address, token=token), level)
    address = site.site_url
    moodle = Moodle(http=services.http, base_url=address, token=token)
    course = _chosen_course(moodle, site, given.course_id) if given.course_id is not None else None
    is_elsewhere = before not in (None, address) and not given.same_site
    if course is None and (is_elsewhere or not has_course):
        if is_elsewhere and has_course:
            click.echo(f"This is not {before}: courses are chosen anew, or give --same-site if it has moved.", err=True)
        _print_courses(moodle, site)
        return
    now = services.clock.now()
    with services.database.write() as connection:
        new = NewConnection(
            university_id=university.university_id,
            base_url=address,
            token=token,
            moodle_user_id=site.user_id,
            level=level,
            site_name=site.site_name.replace("\0", ""),
            is_same_site=given.same_site,
        )
        left = connect_moodle(connection, new, encryption_key=key, actor=OPERATOR, now=now)
        if course is not None and shown is not None:
            _choose(connection, university, shown, course, now)
    said = f"Connected {site.site_name} ({level.value})"
    if course is not None and shown is not None:
        said += f": “{shown.title}” is mirrored into “{course.fullname}”"
    if left.courses:
        said += (
            ". This is another address than before, where numbers may mean others: choose each other course anew"
            " (--course and --series), and instructors the activities that count"
        )
    elif left.to_others and course is None:
        said += ", without its course, in which another university shows a series meanwhile; give --course"
    if level is not level_before and level is Level.CALENDAR:
        said += f". It was connected for {level_before.value}: what students complete is not collected any more"
    click.echo(printable(f"{said}. `moodle-sync doctor {university_slug}` tries out what the token can do."))


def _choose(connection: Connection, university: University, shown: Series, course: "Course", now: datetime) -> None:
    """Raises Failure, so that nothing at all is stored."""
    try:
        choose_course(
            connection,
            university,
            shown,
            moodle_course_id=course.course_id,
            title=course.fullname,
            actor=OPERATOR,
            now=now,
        )
    except CourseOfAnother as error:
        raise Failure(f"Nothing was stored. {error}") from None


def _introduced(moodle: "Moodle", level: Level) -> "SiteInfo":
    """Raises Failure, LmsError."""
    from lms.moodle_introduction import FunctionsMissing, introduce  # noqa: PLC0415 - as above

    try:
        return introduce(moodle, level)
    except FunctionsMissing as error:
        gap = Check(code=Code.FUNCTIONS, outcome=Outcome.GAP, facts={"functions": ", ".join(error.functions)})
        lower = f" Or connect it at a lower level: --level {Level.CALENDAR}." if level is Level.COMPLETIONS else ""
        raise Failure(f"Nothing was stored. {check_line(gap)}{lower}") from None
    except Mistyped as error:
        raise Failure(printable(f"Nothing was stored. {error}")) from None


def _chosen_course(moodle: "Moodle", site: "SiteInfo", course_id: int) -> "Course":
    """Raises Failure, LmsError."""
    if course_id == FRONT_PAGE:
        raise Failure("Course 1 is Moodle's front page, where everybody would see the events: choose another.")
    found = next(iter(moodle.courses_by_field("id", course_id)), None)
    if found is None or not found.is_open:
        raise Failure(
            printable(f"{site.site_name} shows this account no course {course_id}: check the number and its rights.")
        )
    return found


def _print_courses(moodle: "Moodle", site: "SiteInfo") -> None:
    """Raises Failure when there is none."""
    courses = moodle.courses()
    if not courses:
        raise Failure(
            printable(
                f"The token is right, but {site.site_name} shows this account no course: give it its role in the"
                " course or in its category. Nothing was stored."
            )
        )
    for course in courses:
        click.echo(printable(f"{course.course_id}  {course.shortname}  {course.fullname}"))
    click.echo(
        "Nothing was stored yet. Choose the course with --course NUMBER, and the series that it shows with --series.",
        err=True,
    )


def _untie(university_slug: str, given: _Given) -> None:
    if given.slug is None:
        raise click.UsageError("--untie and --series go together.")
    services = services_or_exit()
    with services.database.read() as connection:
        university = find_university(connection, university_slug)
        known = shown_series(connection, university.university_id)
    shown = next((one for one in known if (one.moodle_course_id, one.series_slug) == (given.untie, given.slug)), None)
    if shown is None:
        raise Failure(f"{university.name} does not show this series in a course {given.untie} of its Moodle.")
    what = f"“{shown.series_title}” in “{shown.course_title}”"
    if not given.yes and not click.confirm(printable(f"Show {what} no more, and delete its events there?")):
        raise Failure("Nothing was changed.")
    with services.database.write() as connection:
        untie_course(connection, university, shown, actor=OPERATOR, now=services.clock.now())
    click.echo(printable(f"Not shown any more: {what}. The worker deletes its events there."))


def _disconnect(university_slug: str, *, sure: bool) -> None:
    services = services_or_exit()
    with services.database.read() as connection:
        university = find_university(connection, university_slug)
        known = described_connection(connection, university_slug, encryption_key=services.settings.encryption_key)
        events = events_there(connection, university.university_id)
    if known is None:
        raise Failure(f"The Moodle of {university.name} is not connected.")
    there = f" {events} events of ours stay there; --untie deletes them first." if events else ""
    if not sure and not click.confirm(f"Forget the token of {known.base_url}?{there}"):
        raise Failure("Nothing was changed.")
    with services.database.write() as connection:
        disconnect_moodle(connection, university.university_id, actor=OPERATOR, now=services.clock.now())
    click.echo(f"Disconnected. What stands in the Moodle of {university.name} stays there.")
