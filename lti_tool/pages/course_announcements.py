"""What the own course is to be told of moved and cancelled sessions: ready to copy, or posted to its Moodle forum."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lms.errors import LmsError
from lms.moodle import Moodle
from lms.moodle_levels import ANNOUNCEMENTS, NEEDS
from lms.turnstile import TooManyWait
from lti_tool.pages.course_forms import session_or_404
from lti_tool.pages.course_people import actor, note, require_course
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import LMS_WITHIN_S, the_tool
from series.announcement_texts.writing import Written, write
from series.announcements import SETTLE, TOLD, Announcement, ChangeKind, State
from series.feed import session_url
from series.moodle_jobs import MoodleJob
from series.people import Visit
from series.permissions import Action, may
from series.store.announcements import (
    ToTell,
    announcements_of,
    announces,
    decide,
    posts_by_itself,
    switch_off,
    switch_on,
    to_tell,
)
from series.store.audit import append_audit
from series.store.course_collects import moodle_course_of
from series.store.database import Connection
from series.store.moodle_connections import MoodleConnection, described_connection
from series.store.moodle_jobs import ask_for
from series.store.sessions import get_series, sessions_of

blueprint = Blueprint("course_announcements", __name__, url_prefix="/visit/<visit_id>/course/announcements")


@dataclass(frozen=True, kw_only=True)
class Forum:
    """Whether we could post to the course's forum. `missing`: the functions that the LMS's admin has to add; `problem`:
    why that is not known, in words."""

    is_connected: bool
    missing: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_open(self) -> bool:
        return self.is_connected and not self.missing and not self.problem


@dataclass(frozen=True, kw_only=True)
class ToTellRow:
    """One change with its text. `is_on_its_way`: the worker posts it."""

    session_id: UUID
    about: str
    kind: ChangeKind
    title: str
    written: Written
    is_on_its_way: bool
    problem: str


@dataclass(frozen=True, kw_only=True)
class ToldRow:
    """What the course has been told. `address`: of the discussion, where we posted it."""

    title: str
    kind: ChangeKind
    is_posted: bool
    at: str
    address: str


@blueprint.get("/")
@with_visit
def show(visit: Visit) -> Response:
    return _page(visit)


@blueprint.post("/switch")
@with_visit
def switch(visit: Visit) -> Response:
    """Whether such changes are posted by themselves, in this course."""
    check_form("announcements switch")
    course_id, tool = _course_to_speak_for(visit), the_tool()
    wanted, now = request.form.get("announces", ""), tool.clock.now()
    if wanted not in {"on", "off"}:
        abort(400)
    if wanted == "on" and not _forum(visit, course_id).is_open:
        return _page(visit, status=409)
    with tool.database.write() as connection:
        changed = switch_on(connection, course_id, now=now) if wanted == "on" else switch_off(connection, course_id)
        if changed:
            if wanted == "on":  # whether the account may post, and students see the forum
                ask_for(connection, visit.university.university_id, MoodleJob.CHECK, at=now)
            _audit(connection, visit, "switch_announcements", f"course {course_id}", now, announces=wanted)
    return _back(visit, wanted)


@blueprint.post("/<uuid:session_id>")
@with_visit
def deal_with(visit: Visit, session_id: UUID) -> Response:
    """`do`: told (by the teacher), or post. Only what the page has shown is dealt with."""
    check_form(f"announcement {session_id}")
    course_id, tool = _course_to_speak_for(visit), the_tool()
    do, about, now = request.form.get("do", ""), request.form.get("about", ""), tool.clock.now()
    if do not in {"told", "post"}:
        abort(400)
    if do == "post" and not _forum(visit, course_id).is_open:
        return _page(visit, status=409)
    with tool.database.write() as connection:
        session_or_404(connection, session_id, visit.series_id)
        shown = _find(to_tell(connection, [course_id], now=now, series_id=visit.series_id), session_id, about)
        if shown is None:
            return _back(visit, "changed")
        state = State.SET_ASIDE if do == "told" else State.DUE
        if not decide(connection, shown, state, by=actor(visit), now=now):
            return _back(visit, "changed")
        action = "tell_change" if do == "told" else "post_change"
        _audit(connection, visit, action, f"course {course_id}", now, session=str(session_id), about=about)
        if do == "post":
            ask_for(connection, visit.university.university_id, MoodleJob.ANNOUNCE, at=now)
    return _back(visit, do)


def _course_to_speak_for(visit: Visit) -> int:
    course_id = require_course(visit)
    if not may(visit, Action.ANNOUNCE):
        abort(403)
    return course_id


def _find(found: list[ToTell], session_id: UUID, about: str) -> ToTell | None:
    return next((one for one in found if (one.session.session_id, one.change.about) == (session_id, about)), None)


def _audit(connection: Connection, visit: Visit, action: str, thing: str, now: datetime, **detail: str) -> None:
    append_audit(connection, actor=actor(visit), action=action, thing=thing, now=now, **detail)


def _back(visit: Visit, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/announcements/?saved={saved}")


def _page(visit: Visit, *, status: int = 200) -> Response:
    course_id, tool = require_course(visit), the_tool()
    note(visit, "see_announcements", f"course {course_id}")
    now = tool.clock.now()
    with tool.database.read() as connection:
        series = get_series(connection, visit.series_id)
        titles = {one.session_id: one.title for one in sessions_of(connection, visit.series_id)}
        untold = to_tell(connection, [course_id], now=now, series_id=visit.series_id)
        rows = announcements_of(connection, [course_id], series_id=visit.series_id)
        is_on = announces(connection, course_id)
        by_itself = posts_by_itself(connection, course_id)
        connected = _connected(connection, visit)
    base_url = connected.base_url if connected else ""
    told = [row for row in rows if row.state in TOLD]
    page = render_template(
        "course_announcements.html",
        visit=visit,
        series=series,
        untold=[_untold(visit, one, by_itself=by_itself, is_on=is_on) for one in untold],
        told=[_told(visit, row, titles.get(row.session_id, ""), base_url) for row in reversed(told)],
        is_on=is_on,
        forum=Forum(is_connected=True) if by_itself and not untold else _forum(visit, course_id),
        settle_minutes=int(SETTLE.total_seconds() // 60),
        saved=request.args.get("saved", "") if status == 200 else "",
    )
    return make_response(page, status)


def _untold(visit: Visit, one: ToTell, *, by_itself: bool, is_on: bool) -> ToTellRow:
    url = session_url(one.session, the_tool().settings.public_url)
    return ToTellRow(
        session_id=one.session.session_id,
        about=one.change.about,
        kind=one.change.kind,
        title=one.session.title,
        written=write(one.change, one.session, university=visit.university, url=url),
        is_on_its_way=one.is_on_its_way(is_on=is_on) or (by_itself and one.row is None),
        problem=(one.row.problem or "") if one.row else "",
    )


def _told(visit: Visit, row: Announcement, title: str, base_url: str) -> ToldRow:
    address = f"{base_url.rstrip('/')}/mod/forum/discuss.php?d={row.discussion_id}" if row.discussion_id else ""
    return ToldRow(
        title=title,
        kind=ChangeKind(row.about.partition(" ")[0]),
        is_posted=row.state is State.POSTED,
        at=moment(row.done_at or row.made_at, visit.university.time_zone),
        address=address if base_url else "",
    )


def _connected(connection: Connection, visit: Visit) -> MoodleConnection | None:
    """None also where its token cannot be read any more, of which /readyz tells who runs the tool."""
    key = the_tool().settings.encryption_key
    found = described_connection(connection, visit.university.slug, encryption_key=key)
    return found if found and found.token else None


def _forum(visit: Visit, course_id: int) -> Forum:
    """Asks the course's Moodle what our token may do there: somebody may just have added it."""
    tool = the_tool()
    with tool.database.read() as connection:
        connected = _connected(connection, visit)
        moodle_course_id = moodle_course_of(connection, course_id)
    if connected is None or moodle_course_id is None:
        return Forum(is_connected=False)
    if connected.failures:
        return Forum(is_connected=True, problem=connected.reason or "")
    moodle = Moodle(http=tool.http, base_url=connected.base_url, token=connected.token, within_s=LMS_WITHIN_S)
    try:
        with tool.turnstile.place(visit.platform_id):
            functions = moodle.site_info().functions
    except (LmsError, TooManyWait) as error:
        return Forum(is_connected=True, problem=str(error))
    wanted = (function.value for function in NEEDS[ANNOUNCEMENTS].functions)
    return Forum(is_connected=True, missing=tuple(name for name in wanted if name not in functions))
