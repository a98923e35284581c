"""How a university's Moodle is connected, what its token can and cannot do, and the end of it.

For whoever runs that LMS, and the coordinator.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext

from lti_tool.pages.moodle_connection_words import level_words
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.check_words import found_sentence, remedy_sentence
from series.checks import Check, Outcome, decode_checks
from series.moodle_jobs import Level, MoodleJob
from series.people import University
from series.permissions import Action
from series.staff import Staff
from series.store.audit import append_audit
from series.store.connecting import disconnect_moodle
from series.store.course_ties import events_there, shown_series
from series.store.database import Connection
from series.store.moodle_connections import MoodleConnection, described_connection
from series.store.moodle_jobs import ask_for

blueprint = Blueprint("moodle_connection", __name__, url_prefix="/admin/moodle/<slug>/connection")


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    sign: str
    outcome: str
    found: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class CheckedThing:
    """The site, or one course."""

    title: str
    lines: list[CheckLine]


def connected_moodle(connection: Connection, university: University) -> MoodleConnection | None:
    """With its token: for calls, and for no page. Empty where it cannot be read any more."""
    return described_connection(connection, university.slug, encryption_key=the_tool().settings.encryption_key)


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> str:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
        connected = connected_moodle(connection, university)
        shown = shown_series(connection, university.university_id) if connected else []
        events = events_there(connection, university.university_id) if connected else 0
    zone = university.time_zone
    return render_template(
        "moodle_connection.html",
        staff=staff,
        university=university,
        back=url_for("moodle.show", slug=university.slug),
        connected=connected,
        level=level_words(connected.level) if connected else level_words(None),
        levels=[level_words(level) for level in (None, *Level)],
        shown=shown,
        leaving=events if not shown else 0,
        checked=_checked(decode_checks(connected.checks)) if connected else [],
        checked_at=moment(connected.checked_at, zone) if connected and connected.checked_at else None,
        failing_since=moment(connected.failing_since, zone) if connected and connected.failing_since else None,
        saved=request.args.get("saved", ""),
    )


@blueprint.post("/check")
@with_staff
def check_again(staff: Staff, slug: str) -> Response:
    check_form(f"check-moodle {slug}")
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        if not ask_for(connection, university.university_id, MoodleJob.CHECK, at=now):
            abort(409)
        thing = f"university {university.university_id}"
        append_audit(connection, actor=who(staff), action="check_moodle", thing=thing, now=now)
    return go_to(f"/admin/moodle/{slug}/connection/?saved=check")


@blueprint.get("/disconnect")
@with_staff
def show_disconnect(staff: Staff, slug: str) -> str | Response:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        connected = connected_moodle(connection, university)
        events = events_there(connection, university.university_id)
        is_shown = bool(shown_series(connection, university.university_id))
    if connected is None:
        return go_to(f"/admin/moodle/{slug}/connection/")
    return render_template(
        "moodle_disconnect.html",
        staff=staff,
        university=university,
        connected=connected,
        events=events,
        is_shown=is_shown,
    )


@blueprint.post("/disconnect")
@with_staff
def disconnect(staff: Staff, slug: str) -> Response:
    check_form(f"disconnect-moodle {slug}")
    with the_tool().database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        if connected_moodle(connection, university) is not None:  # else somebody else was faster
            now = the_tool().clock.now()
            disconnect_moodle(connection, university.university_id, actor=who(staff), now=now)
    return go_to(f"/admin/moodle/{slug}/connection/?saved=disconnected")


def _checked(checks: Iterable[Check]) -> list[CheckedThing]:
    things: dict[str, list[CheckLine]] = {}
    for check in checks:
        course = check.facts.get("course")
        title = gettext("Course “%(title)s”", title=course) if course else gettext("The whole site")
        things.setdefault(title, []).append(_line(check))
    return [CheckedThing(title=title, lines=lines) for title, lines in things.items()]


def _line(check: Check) -> CheckLine:
    sign, outcome = {
        Outcome.OK: ("✓", gettext("works")),
        Outcome.GAP: ("✗", gettext("does not work")),
        Outcome.UNKNOWN: ("?", gettext("please look at it")),
        Outcome.SKIPPED: ("–", gettext("not tried")),
    }[check.outcome]
    return CheckLine(
        sign=sign, outcome=outcome, found=found_sentence(check, WORDS), remedy=remedy_sentence(check, WORDS)
    )
