"""Which activities of the own Moodle course count for which session, and what waits where Moodle takes much back."""

import re
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lms.moodle_course import Activity
from lti_tool.pages.activity_words import held_words, kind_words, people_words, problem_words, why_not
from lti_tool.pages.course_contents import Contents, read_contents
from lti_tool.pages.course_forms import NO_FAULT, Fault, NotAccepted, fault_of, instant_of_form, session_or_404
from lti_tool.pages.course_people import Learner, actor, note, read_course, require_course
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import SessionTimes, moment, times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.rule import Kind
from series.sessions import Session
from series.store.course_collects import own_activities
from series.store.database import Connection
from series.store.held_completions import HeldCompletions, accept_held, held_completions, reject_held
from series.store.mapped_activities import AlreadyMapped, MappedActivity, NewMapping, map_activity, mapped_activities
from series.store.rules import rules_of
from series.store.sessions import get_series, get_session, sessions_of
from series.store.unmapping import unmap_activity

blueprint = Blueprint("course_activities", __name__, url_prefix="/visit/<visit_id>/course/activities")
MAX_CMID = 2_147_483_647
CMID = f"int(max={MAX_CMID})"
blueprint.add_app_template_global(people_words, "people_of_activity")
DECISIONS = {"accept": accept_held, "reject": reject_held}


@dataclass(frozen=True, kw_only=True)
class Offered:
    """One activity that does not count yet. `why_not`: why it cannot; empty: it can."""

    activity: Activity
    kind: str
    why_not: str


@dataclass(frozen=True, kw_only=True)
class Counting:
    """One that does. `session_title`: perhaps of another series of the course. `does_count`: by the session's rule."""

    mapped: MappedActivity
    name: str
    kind: str
    session_title: str
    does_count: bool
    problem: str


@dataclass(frozen=True, kw_only=True)
class HeldPeople:
    """Who would lose what, by name as far as the LMS tells it now."""

    what: str
    session_title: str
    people: list[str]


@blueprint.get("/")
@with_visit
def show(visit: Visit) -> Response:
    return _page(visit, NO_FAULT)


@blueprint.post("/")
@with_visit
def save(visit: Visit) -> Response:
    """Moodle is asked once more: only what is there, and tracks completion, can count."""
    check_form("map activity")
    course_id, cmid = _course_to_decide_for(visit), _typed_cmid()
    try:
        session_id = _typed_session()
        contents = read_contents(visit, course_id)
        activity = next((one for one in contents.activities or () if one.cmid == cmid), None)
        if contents.activities is None:
            raise NotAccepted(contents.lacks or gettext("Nothing was saved, because Moodle does not answer right now."))
        if activity is None:
            raise NotAccepted(gettext("This activity is no longer in the course. Please choose another one."))
        _map(visit, course_id, activity, session_id)
    except NotAccepted as error:
        return _page(visit, fault_of(error, do=str(cmid)))
    return _back(visit, "mapped")


@blueprint.get(f"/<{CMID}:cmid>/remove")
@with_visit
def show_removal(visit: Visit, cmid: int) -> Response:
    course_id = require_course(visit)
    with the_tool().database.read() as connection:
        mapped = _find_mapped(connection, course_id, cmid)
        if mapped is None:
            return _back(visit, "")
        session = get_session(connection, mapped.session_id)
        series = get_series(connection, visit.series_id)
    page = render_template("course_activity_remove.html", visit=visit, series=series, mapped=mapped, session=session)
    return make_response(page)


@blueprint.post(f"/<{CMID}:cmid>/remove")
@with_visit
def remove(visit: Visit, cmid: int) -> Response:
    """`do`: keep what it gave, or withdraw it."""
    check_form(f"unmap {cmid}")
    course_id, tool, do = _course_to_decide_for(visit), the_tool(), request.form.get("do", "")
    if do not in {"keep", "withdraw"}:
        abort(400)
    with tool.database.write() as connection:
        queued = unmap_activity(
            connection, course_id, cmid, withdraw=do == "withdraw", by=actor(visit), now=tool.clock.now()
        )
    tool.queue.enqueue_all("deliver", queued or [])
    return _back(visit, "" if queued is None else do)


@blueprint.post("/held/<any(accept, reject):decision>")
@with_visit
def decide(visit: Visit, decision: str) -> Response:
    """Only what the page has shown is decided. Whoever comes too late, or twice, is shown how it stands by now."""
    shown = request.form.get("held_at", "")
    check_form(f"{decision} completions {shown}")
    course_id, tool = _course_to_decide_for(visit), the_tool()
    with tool.database.write() as connection:
        queued = DECISIONS[decision](
            connection, course_id, held_at=instant_of_form(shown), by=actor(visit), now=tool.clock.now()
        )
    tool.queue.enqueue_all("deliver", queued or [])
    return _back(visit, "" if queued is None else decision)


def _course_to_decide_for(visit: Visit) -> int:
    course_id = require_course(visit)
    if visit.is_test_user:
        abort(403)
    return course_id


def _typed_cmid() -> int:
    text = request.form.get("cmid", "")
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > MAX_CMID:
        abort(400)
    return int(text)


def _typed_session() -> UUID:
    """Raises NotAccepted."""
    text = request.form.get("session", "")
    if not text:
        raise NotAccepted(gettext("Please choose the session that it counts for."), "session")
    try:
        return UUID(text)
    except ValueError:
        abort(400)


def _map(visit: Visit, course_id: int, activity: Activity, session_id: UUID) -> None:
    """Raises NotAccepted."""
    tool = the_tool()
    with tool.database.write() as connection:
        session_or_404(connection, session_id, visit.series_id)
        words = why_not(activity, _own_links(connection, course_id))
        if words:
            raise NotAccepted(words)
        new = NewMapping(
            cmid=activity.cmid,
            session_id=session_id,
            module=_stored(activity.module),
            name=_stored(activity.name),
            by=actor(visit),
        )
        try:
            map_activity(connection, course_id, new, now=tool.clock.now())
        except AlreadyMapped:
            raise NotAccepted(gettext("This activity counts for a session already.")) from None


def _stored(text: str) -> str:
    return text.replace("\0", "").strip()


def _own_links(connection: Connection, course_id: int) -> set[str]:
    return {one.resource_link_id for one in own_activities(connection, course_id)}


def _find_mapped(connection: Connection, course_id: int, cmid: int) -> MappedActivity | None:
    return next((one for one in mapped_activities(connection, course_id) if one.cmid == cmid), None)


def _back(visit: Visit, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/activities/?saved={saved}")


def _page(visit: Visit, fault: Fault) -> Response:
    course_id = require_course(visit)
    contents = read_contents(visit, course_id)
    zone = visit.university.time_zone
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        sessions = sessions_of(connection, visit.series_id)
        counting = _counting(connection, visit, course_id, contents)
        own_links = _own_links(connection, course_id)
        held = held_completions(connection, course_id)
    counted = {one.mapped.cmid for one in counting}
    page = render_template(
        "course_activities.html",
        visit=visit,
        series=series,
        contents=contents,
        counting=counting,
        offered=[
            Offered(activity=one, kind=kind_words(one.module), why_not=why_not(one, own_links))
            for one in contents.activities or ()
            if one.cmid not in counted
        ],
        sessions=_choices(sessions, zone),
        held=held,
        held_at=moment(held.held_at, zone) if held else "",
        held_people=_held_people(visit, held) if held else [],
        may_decide=may(visit, Action.SEE_COURSE) and not visit.is_test_user,
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, fault.status)


def _held_people(visit: Visit, held: HeldCompletions) -> list[HeldPeople]:
    """Asks the LMS for names."""
    course = read_course(visit)
    note(visit, "see_held_completions", f"course {require_course(visit)}", people=len(held.subs))
    called = {one.sub: one.called for one in course.learners}
    with the_tool().database.read() as connection:
        found = {thing: get_session(connection, thing.session_id) for thing in held.things}
    return [
        HeldPeople(
            what=held_words(thing),
            session_title=session.title if session else "",
            people=[
                called.get(sub) or Learner(sub=sub, name=course.names.get(sub), person=None).called
                for sub in thing.subs
            ],
        )
        for thing, session in found.items()
    ]


def _choices(sessions: list[Session], zone: str) -> list[tuple[Session, SessionTimes]]:
    """A cancelled session is missing from nobody's count."""
    return [(one, times_of(one, zone)) for one in sessions if not one.is_cancelled]


def _counting(connection: Connection, visit: Visit, course_id: int, contents: Contents) -> list[Counting]:
    now_there = {one.cmid: one for one in contents.activities or ()}
    rules = {visit.series_id: rules_of(connection, visit.series_id)}
    found = []
    for mapped in mapped_activities(connection, course_id):
        session = get_session(connection, mapped.session_id)
        if session is None:
            continue
        if session.series_id not in rules:
            rules[session.series_id] = rules_of(connection, session.series_id)
        there = now_there.get(mapped.cmid)
        found.append(
            Counting(
                mapped=mapped,
                name=there.name if there else mapped.name,
                kind=kind_words(mapped.module),
                session_title=session.title,
                does_count=rules[session.series_id].of_sessions[mapped.session_id].rule.counts(Kind.LMS),
                problem=problem_words(mapped),
            )
        )
    return found
