"""The coordinator's plan of a series: its sessions, how its calendar is read, and what waits for a yes."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.join_link_words import places_of
from lti_tool.pages.plan_words import change_words, reason_words
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.times import moment, times_of
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.join_links import NotAJoinHost, read_join_hosts
from series.permissions import Action, may
from series.rule_words import series_sentence, session_sentence
from series.sessions import MAX_PASSPHRASE_CHARS, MIN_PASSPHRASE_CHARS, Series, Session
from series.staff import Staff
from series.store.audit import append_audit
from series.store.calendar_sources import source_of
from series.store.database import Connection
from series.store.held_plans import NothingHeld, PlanOutdated, accept, find_held, find_rejected, reject
from series.store.join_links import set_join_hosts
from series.store.rules import rule_of
from series.store.runs import list_runs_of
from series.store.sessions import find_series, get_session, lock_series, passphrase_of, sessions_of, set_passphrase
from series.store.universities import NotThere
from series.store.uploads import TABLE_SOURCE

blueprint = Blueprint("plan", __name__, url_prefix="/coordinator/series/<slug>")


def series_or_404(connection: Connection, slug: str) -> Series:
    try:
        return find_series(connection, slug)
    except NotThere:
        abort(404)


def session_in(connection: Connection, series: Series, session_id: UUID) -> Session:
    """Also a rehearsal; 404 for what is not there or not of this series."""
    session = get_session(connection, session_id)
    if session is None or session.series_id != series.series_id:
        abort(404)
    return session


def require(staff: Staff, action: Action) -> None:
    if not may(staff, action):
        abort(403)


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> str:
    return _plan_page(staff, slug)


def _plan_page(staff: Staff, slug: str, *, passphrase_fault: bool = False, hosts_fault: str = "") -> str:
    require(staff, Action.SEE_PLAN)
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        sessions = sessions_of(connection, series.series_id, with_rehearsals=True)
        held, rejected = find_held(connection, series.series_id), find_rejected(connection, series.series_id)
        source = source_of(connection, series.series_id, series.source) if series.source else None
        rule = rule_of(connection, series.series_id)
        runs = list_runs_of(connection, "calendar", series.slug, limit=5)
        passphrase = passphrase_of(connection, series.series_id, the_tool().settings.encryption_key)
    return render_template(
        "plan.html",
        staff=staff,
        series=series,
        sessions=[(session, times_of(session, series.time_zone)) for session in sessions],
        rule=[session_sentence(rule, WORDS), series_sentence(rule, WORDS)],
        held=held,
        rejected=rejected,
        source=source,
        uploaded_name=(series.source or "").partition(TABLE_SOURCE)[2],
        read_at=moment(source.read_at, series.time_zone) if source and source.read_at else None,
        failing_since=moment(source.failing_since, series.time_zone) if source and source.failing_since else None,
        runs=[(run, moment(run.started_at, series.time_zone)) for run in runs],
        now=now,
        saved=request.args.get("saved", ""),
        passphrase=request.form.get("passphrase", "") if passphrase_fault else passphrase or "",
        passphrase_fault=passphrase_fault,
        misplaced=_misplaced(series, sessions, now),
        join_hosts=request.form.get("join_hosts", "") if hosts_fault else "\n".join(series.join_hosts),
        hosts_fault=hosts_fault,
    )


@blueprint.post("/passphrase")
@with_staff
def set_fallback(staff: Staff, slug: str) -> Response:
    """An empty one takes the way by the public page away."""
    check_form(f"passphrase {slug}")
    require(staff, Action.EDIT_PLAN)
    tool, typed = the_tool(), " ".join(request.form.get("passphrase", "").split())
    if typed and not (MIN_PASSPHRASE_CHARS <= len(typed) <= MAX_PASSPHRASE_CHARS and typed.isprintable()):
        return make_response(_plan_page(staff, slug, passphrase_fault=True), 422)
    with tool.database.write() as connection:
        series_id = series_or_404(connection, slug).series_id
        set_passphrase(connection, series_id, typed or None, tool.settings.encryption_key)
        append_audit(
            connection,
            actor=who(staff),
            action="set_passphrase" if typed else "drop_passphrase",
            thing=f"series {series_id}",
            now=tool.clock.now(),
        )
    return go_to(f"/coordinator/series/{slug}/?saved=passphrase")


def _misplaced(series: Series, sessions: list[Session], now: datetime) -> list[Session]:
    """Sessions to come with a link to where, by now, no meeting of the series may be."""
    places = places_of(series)
    return [one for one in sessions if one.join_url and not one.is_over(now) and not places.allow(one.join_url)]


@blueprint.post("/join-hosts")
@with_staff
def set_places(staff: Staff, slug: str) -> Response:
    """Where the meetings may be. Links that there are stay, and are shown."""
    check_form(f"join-hosts {slug}")
    require(staff, Action.EDIT_PLAN)
    try:
        hosts = read_join_hosts(request.form.get("join_hosts", "")[:10_000].split())
    except NotAJoinHost as error:
        return make_response(_plan_page(staff, slug, hosts_fault=str(error)), 422)
    with the_tool().database.write() as connection:
        series_id = series_or_404(connection, slug).series_id
        lock_series(connection, series_id)
        set_join_hosts(connection, series_id, hosts, by=who(staff), now=the_tool().clock.now())
    return go_to(f"/coordinator/series/{slug}/?saved=join-hosts#join-hosts-title")


@blueprint.get("/held")
@with_staff
def show_held(staff: Staff, slug: str) -> Response:
    return _held_page(staff, slug)


def _held_page(staff: Staff, slug: str, *, fault: str = "", status: int = 200) -> Response:
    require(staff, Action.SEE_PLAN)
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        held = find_held(connection, series.series_id) or find_rejected(connection, series.series_id)
    page = render_template(
        "plan_held.html",
        staff=staff,
        series=series,
        held=held,
        held_at=moment(held.held_at, series.time_zone) if held else None,
        reasons=[reason_words(reason) for reason in held.reasons] if held else [],
        changes=[change_words(change, series.time_zone) for change in held.changes] if held else [],
        changes_apart=[change_words(change, series.time_zone) for change in held.changes_apart] if held else [],
        fault=fault,
    )
    return make_response(page, status)


@blueprint.post("/held")
@with_staff
def answer_held(staff: Staff, slug: str) -> Response:
    """Yes or no to exactly what was shown."""
    check_form(f"held {slug}")
    require(staff, Action.EDIT_PLAN)
    answer, digest, now = request.form.get("answer", ""), request.form.get("digest", ""), the_tool().clock.now()
    if answer not in {"yes", "apart", "no"}:
        abort(400)
    try:
        with the_tool().database.write() as connection:
            series_id: UUID = series_or_404(connection, slug).series_id
            if answer == "no":
                reject(connection, series_id, digest, actor=who(staff), now=now)
            else:
                accept(connection, series_id, digest, apart=answer == "apart", actor=who(staff), now=now)
    except NothingHeld:
        return _held_page(staff, slug, fault="other", status=409)
    except PlanOutdated:
        return _held_page(staff, slug, fault="outdated", status=409)
    return go_to(f"/coordinator/series/{slug}/?saved={'rejected' if answer == 'no' else 'accepted'}")
