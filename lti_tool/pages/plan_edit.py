"""Edits of single sessions by hand. They win over the calendar until they are released."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.join_link_words import link_log, places_of
from lti_tool.pages.plan import require, series_or_404, session_in
from lti_tool.pages.plan_hosting import hosting_of
from lti_tool.pages.plan_words import field_words, when
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.tool import the_tool
from series import hand_edits
from series.hand_edits import NotPossible
from series.people import University
from series.permissions import Action
from series.sessions import Field, Series, Session
from series.staff import Staff
from series.store.database import Connection
from series.store.hand_edits import EditOutdated, add_by_hand, edit_session, swap_sessions, version_of
from series.store.sessions import sessions_of
from series.store.universities import list_universities

blueprint = Blueprint("plan_edit", __name__, url_prefix="/coordinator/series/<slug>/sessions")
Edit = Callable[[Session], Session]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a form, and what was typed into it."""

    words: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    status: int = 200


NO_FAULT = Fault()


@blueprint.get("/add")
@with_staff
def show_add(staff: Staff, slug: str) -> Response:
    return add_page(staff, slug, NO_FAULT)


@blueprint.post("/add")
@with_staff
def add(staff: Staff, slug: str) -> Response:
    check_form(f"add {slug}")
    require(staff, Action.EDIT_PLAN)
    now = the_tool().clock.now()
    try:
        with the_tool().database.write() as connection:
            made = session_of_form(connection, series_or_404(connection, slug), now=now)
            add_by_hand(connection, made, actor=who(staff), now=now)
    except NotPossible as error:
        return add_page(staff, slug, Fault(words=str(error), typed=request.form.to_dict(), status=422))
    return go_to(f"/coordinator/series/{slug}/?saved=session")


def session_of_form(connection: Connection, series: Series, *, now: datetime, is_rehearsal: bool = False) -> Session:
    """Raises NotPossible."""
    form = request.form
    made = hand_edits.add(
        series.series_id,
        title=form.get("title", ""),
        wall_start=_wall_start(),
        length=_length(),
        zone=series.time_zone,
        host=_host(connection),
        now=now,
        is_rehearsal=is_rehearsal,
    )
    return hand_edits.change_join_url(made, form.get("join_url", ""), places=places_of(series), now=now)


@blueprint.get("/<uuid:session_id>")
@with_staff
def show(staff: Staff, slug: str, session_id: UUID) -> Response:
    return edit_page(staff, slug, session_id, NO_FAULT)


@blueprint.post("/<uuid:session_id>")
@with_staff
def edit(staff: Staff, slug: str, session_id: UUID) -> Response:
    """One of the page's forms: `do` says which."""
    check_form(f"edit {session_id}")
    require(staff, Action.EDIT_PLAN)
    do, version, now = request.form.get("do", ""), request.form.get("version", ""), the_tool().clock.now()
    try:
        with the_tool().database.write() as connection:
            series = series_or_404(connection, slug)
            series_id = series.series_id
            if do == "swap":
                _swap(connection, series_id, session_id, version, staff, now)
            else:
                made, action = _edit_of(do, connection, series, now), f"edit_{do}"
                edit_session(connection, series_id, session_id, version, made, actor=who(staff), action=action, now=now)
    except NotPossible as error:
        fault = Fault(words=str(error), typed=request.form.to_dict(), status=422)
        return edit_page(staff, slug, session_id, fault)
    except EditOutdated:
        return edit_page(staff, slug, session_id, Fault(words="outdated", typed=request.form.to_dict(), status=409))
    return go_to(f"/coordinator/series/{slug}/sessions/{session_id}?saved=session")


def _edit_of(do: str, connection: Connection, series: Series, now: datetime) -> Edit:
    form = request.form
    made: dict[str, Edit] = {}
    if do == "time":
        wall_start, length = _wall_start(), _length()
        made[do] = lambda session: hand_edits.move(session, wall_start=wall_start, length=length, now=now)
    if do == "host":
        host = _host(connection)
        made[do] = lambda session: hand_edits.change_host(session, host, now=now)
    made["words"] = lambda session: hand_edits.rewrite(
        session,
        title=form.get("title", ""),
        description=form.get("description", "").replace("\r\n", "\n"),
        now=now,
    )
    made["people"] = lambda session: hand_edits.change_people(
        session, co_hosts=form.get("co_hosts", ""), speakers=form.get("speakers", ""), now=now
    )
    made["join_url"] = lambda session: hand_edits.change_join_url(
        session, form.get("join_url", ""), places=places_of(series), now=now
    )
    made["cancel"] = lambda session: hand_edits.cancel(session, now=now)
    made["restore"] = lambda session: hand_edits.restore(session, now=now)
    made["release"] = lambda session: hand_edits.release(
        session, [each for each in Field if each.value in form.getlist("field")]
    )
    if do not in made:
        abort(400)
    return made[do]


def _swap(connection: Connection, series_id: UUID, session_id: UUID, version: str, staff: Staff, now: datetime) -> None:
    try:
        other_id = UUID(request.form.get("other", ""))
    except ValueError:
        raise NotPossible("Please choose the session with which to swap.") from None
    swap_sessions(
        connection,
        series_id,
        session_id,
        version,
        other_id,
        lambda one, other: hand_edits.swap_hosts(one, other, now=now),
        actor=who(staff),
        now=now,
    )


def _wall_start() -> datetime:
    try:
        return _typed_time("date", "start")
    except ValueError:
        raise NotPossible("Please give a date and a start time.") from None


def _length() -> timedelta:
    """From the start to the end, which is after midnight where it looks earlier."""
    try:
        return (_typed_time("date", "end") - _typed_time("date", "start")) % timedelta(days=1)
    except ValueError:
        raise NotPossible("Please give an end time.") from None


def _typed_time(date: str, time: str) -> datetime:
    """What these fields of the form say, naive. Raises ValueError."""
    text = f"{request.form.get(date, '')} {request.form.get(time, '')}"
    return datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - a wall time


def _host(connection: Connection) -> University | None:
    wanted = request.form.get("host", "")
    if not wanted:
        return None
    found = next((one for one in list_universities(connection) if str(one.university_id) == wanted), None)
    if found is None:
        raise NotPossible("There is no such university any more.")
    return found


def add_page(staff: Staff, slug: str, fault: Fault, *, is_rehearsal: bool = False) -> Response:
    require(staff, Action.EDIT_PLAN)
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        universities = list_universities(connection)
    page = render_template(
        "plan_add.html",
        staff=staff,
        series=series,
        universities=universities,
        fault=fault,
        is_rehearsal=is_rehearsal,
    )
    return make_response(page, fault.status)


def edit_page(staff: Staff, slug: str, session_id: UUID, fault: Fault) -> Response:
    require(staff, Action.EDIT_PLAN)
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        session = session_in(connection, series, session_id)
        universities = list_universities(connection)
        hosting = hosting_of(connection, session, series.time_zone, now=now)
        changes = link_log(connection, session, series.time_zone)
        others = [
            (other, when(other, series.time_zone))
            for other in sessions_of(connection, series.series_id)
            if other.start_at > now and other.session_id != session_id and not other.is_cancelled
        ]
    page = render_template(
        "plan_session.html",
        staff=staff,
        series=series,
        session=session,
        version=version_of(session),
        when=when(session, session.zone),
        has_begun=session.start_at <= now,
        is_over=session.is_over(now),
        hosting=hosting,
        link_changes=changes,
        link_fits=not session.join_url or places_of(series).allow(session.join_url),
        hosts_saved=request.args.get("hosts", ""),
        wall_end=session.wall_start + (session.end_at - session.start_at),
        by_hand=[(each.value, field_words(each)) for each in session.by_hand],
        universities=universities,
        others=others,
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, fault.status)
