"""moodle-sync series host, rehearse, join-hosts: who hosts, a session to try all with, and where meetings are."""

from datetime import datetime, timedelta

import click

from config.command_line import Failure, printable, settings_or_exit
from series import hand_edits
from series.hand_edits import NotPossible
from series.join_links import JoinPlaces, NotAJoinHost, read_join_hosts
from series.store.audit import OPERATOR, append_audit
from series.store.hand_edits import add_by_hand
from series.store.join_links import set_join_hosts
from series.store.launches import upsert_participant
from series.store.schema import open_current
from series.store.sessions import find_series, lock_series, name_host, sessions_of
from series.store.tombstones import is_erased, participant_of
from series.store.turns import take_turns
from series.store.universities import NotThere, find_university, platforms_of_university
from series.tombstones import Whom

REHEARSAL_MINUTES = 60


@click.command("host")
@click.argument("slug")
@click.option("--university", "university_slug", required=True, help="Whose sessions the person hosts.")
@click.option("--sub", required=True, help="The person's user id in that university's LMS.")
def series_host(slug: str, university_slug: str, sub: str) -> None:
    """Name a person of the hosting university as host of all its sessions in the series SLUG, rehearsals too."""
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_current(settings.database_url).write() as connection:
        home = find_university(connection, university_slug)
        platforms = platforms_of_university(connection, home.university_id)
        if not platforms:
            raise NotThere(f"{home.name} has no registered LMS yet; `lti-tool platform add --help` shows how.")
        person = Whom(university_id=home.university_id, issuer=platforms[0].issuer, sub=sub)
        known = participant_of(connection, person)
        is_gone = is_erased(connection, person, secret_key=settings.secret_key)
        if is_gone if known is None else not take_turns(connection, [known]):
            raise Failure(f"Number {sub} of {home.name} has had everything erased; they must start again themselves.")
        participant_id = upsert_participant(
            connection, university_id=home.university_id, issuer=platforms[0].issuer, sub=sub, now=now
        )
        hosted = [
            session
            for session in sessions_of(connection, find_series(connection, slug).series_id, with_rehearsals=True)
            if session.hosting_university_id == home.university_id
        ]
        for session in hosted:
            name_host(connection, session_id=session.session_id, participant_id=participant_id)
            thing, whom = f"session {session.session_id}", {"participant": participant_id}
            append_audit(connection, actor=OPERATOR, action="name_host", thing=thing, now=now, **whom)
    click.echo(f"Named as host of {len(hosted)} session(s) of {home.name}.")


@click.command("rehearse")
@click.argument("slug")
@click.option(
    "--starts",
    "starts_at",
    required=True,
    type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    help="On the clocks of the series, as in “2026-11-20 16:00”.",
)
@click.option("--minutes", default=REHEARSAL_MINUTES, show_default=True, type=click.IntRange(1, 720))
@click.option("--hosts", "university_slug", help="The hosting university, by its short name.")
@click.option("--title", default="Rehearsal", show_default=True)
@click.option("--join-link", default="", help="Address of the meeting (https).")
def series_rehearse(
    slug: str, starts_at: datetime, minutes: int, university_slug: str | None, title: str, join_link: str
) -> None:
    """Add a rehearsal to the series SLUG: joining, the check-in code and all else can be tried, and nothing counts.

    It is in nobody's calendar and in no count; students see it on its day alone, marked as a rehearsal. The page of the
    series removes it again.
    """
    settings = settings_or_exit()
    now = settings.clock().now()
    with open_current(settings.database_url).write() as connection:
        series = find_series(connection, slug)
        try:
            made = hand_edits.add(
                series.series_id,
                title=title,
                wall_start=starts_at,
                length=timedelta(minutes=minutes),
                zone=series.time_zone,
                host=find_university(connection, university_slug) if university_slug else None,
                now=now,
                is_rehearsal=True,
            )
            places = JoinPlaces(hosts=series.join_hosts, in_development=settings.on_loopback)
            made = hand_edits.change_join_url(made, join_link, places=places, now=now)
        except NotPossible as error:
            raise Failure(str(error)) from error
        add_by_hand(connection, made, actor=OPERATOR, now=now)
    click.echo(printable(f"{made.title}: {starts_at:%a %d %b %Y %H:%M} ({series.time_zone}). It counts for nothing."))


@click.command("join-hosts")
@click.argument("slug")
@click.argument("hosts", nargs=-1)
@click.option("--anywhere", is_flag=True, help="Take every limit away.")
def series_join_hosts(slug: str, hosts: tuple[str, ...], *, anywhere: bool) -> None:
    """Say where the meetings of the series SLUG are: `join-hosts autumn zoom.us bbb.uni.example`.

    A domain covers its subdomains; a port is written with the host, as in bbb.uni.example:8443. Join links to elsewhere
    are not taken any more, whoever types them; those that there are stay, and are shown. Without HOSTS, this shows what
    is allowed now.
    """
    if hosts and anywhere:
        raise click.UsageError("Name the hosts, or say --anywhere.")
    settings = settings_or_exit()
    database = open_current(settings.database_url)
    with database.write() as connection:
        series = find_series(connection, slug)
        if hosts or anywhere:
            lock_series(connection, series.series_id)
            try:
                wanted = read_join_hosts(hosts)
            except NotAJoinHost as error:
                raise Failure(str(error)) from error
            set_join_hosts(connection, series.series_id, wanted, by=OPERATOR, now=settings.clock().now())
            series = find_series(connection, slug)
        ahead = sessions_of(connection, series.series_id, with_rehearsals=True)
    click.echo(f"Meetings of {slug} may be at: {', '.join(series.join_hosts) or 'any https host'}.")
    places = JoinPlaces(hosts=series.join_hosts, in_development=settings.on_loopback)
    for session in ahead:
        if session.join_url and session.start_at > settings.clock().now() and not places.allow(session.join_url):
            click.echo(printable(f"  “{session.title}” still has a join link to elsewhere."))
