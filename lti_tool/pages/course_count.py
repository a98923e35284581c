"""How many sessions this course demands for its own grade, and of which."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import NO_FAULT, Fault, NotAccepted, fault_of, typed_number
from lti_tool.pages.course_people import actor, require_course
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.course_counts import CountProblem, Effect, effect_of, has_begun
from series.people import Visit
from series.rule import MAX_REQUIRED
from series.rule_words import cancellation_sentence, series_sentence
from series.standing import CourseCount
from series.store.counts import people_of_course
from series.store.course_counts import (
    CountChanged,
    CountRefused,
    check_count,
    count_in_force,
    digest_of_count,
    set_count,
)
from series.store.database import Connection
from series.store.records import records_of
from series.store.rules import course_count_of, rule_of
from series.store.sessions import get_series, sessions_of

blueprint = Blueprint("course_count", __name__, url_prefix="/visit/<visit_id>/course/count")


@blueprint.get("")
@with_visit
def show(visit: Visit) -> Response:
    return _page(visit, NO_FAULT)


@blueprint.post("")
@with_visit
def change(visit: Visit) -> Response:
    """First show what it would change; then (`do` is save) change it."""
    check_form("count")
    course_id, tool = require_course(visit), the_tool()
    do, now = request.form.get("do", ""), tool.clock.now()
    if visit.is_test_user:
        abort(403)
    if do not in {"show", "save"}:
        abort(400)
    try:
        new = _typed_count()
        if do == "show":
            return _page(visit, NO_FAULT, wanted=[new])
        if not _save(visit, course_id, new, now):
            return _page(visit, NO_FAULT, wanted=[new], is_outdated=True)
    except CountRefused as error:
        return _page(visit, fault_of(NotAccepted(_words_of(error.problem))))
    except NotAccepted as error:
        return _page(visit, fault_of(error))
    return go_to(f"/visit/{visit.visit_id}/course/count?saved=1")


def _words_of(problem: CountProblem) -> str:
    words: dict[CountProblem, str] = {
        CountProblem.SESSION_GONE: gettext(
            "One of the chosen sessions is not in this series any more: please choose once more."
        ),
        CountProblem.NOTHING_CHOSEN: gettext("Please choose at least one session."),
        CountProblem.NOTHING_DEMANDED: gettext("At least one session has to be completed."),
        CountProblem.MORE_THAN_CHOSEN: gettext(
            "Fewer sessions are chosen than are demanded: please demand fewer, or choose more of them."
        ),
        CountProblem.HARDER: gettext(
            "One of these sessions has started, so people rely on what was said: fewer sessions may be demanded now,"
            " and more of them counted, but not the other way round."
        ),
    }
    return words[problem]


def _save(visit: Visit, course_id: int, new: CourseCount | None, now: datetime) -> bool:
    """Whether what is in force was what they have seen. Raises CountRefused."""
    seen = request.form.get("seen", "")
    try:
        with the_tool().database.write() as connection:
            set_count(connection, course_id, visit.series_id, new, seen=seen, by=actor(visit), now=now)
    except CountChanged:
        return False
    return True


def _typed_count() -> CourseCount | None:
    """None: as the series. Raises NotAccepted."""
    if request.form.get("whose") == "series":
        return None
    missing = gettext("Please give the number of sessions as a whole number from 1 to %(most)s.", most=MAX_REQUIRED)
    required = typed_number("required", least=1, most=MAX_REQUIRED, missing=missing)
    if request.form.get("which") != "chosen":
        return CourseCount(required=required)
    try:
        ids = frozenset(UUID(text) for text in request.form.getlist("session"))
    except ValueError:
        abort(400)
    return CourseCount(required=required, session_ids=ids)


def _page(
    visit: Visit, fault: Fault, wanted: list[CourseCount | None] | None = None, *, is_outdated: bool = False
) -> Response:
    """`wanted`: the one count whose effect is shown. Raises CountRefused."""
    course_id, now = require_course(visit), the_tool().clock.now()
    effect, in_form = None, None
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        sessions = sessions_of(connection, visit.series_id)
        rule = rule_of(connection, visit.series_id)
        own = course_count_of(connection, course_id, visit.series_id)
        in_force = count_in_force(connection, course_id, visit.series_id)
        seen = digest_of_count(connection, course_id, visit.series_id)
        if wanted:
            (in_form,) = wanted
            check_count(connection, course_id, visit.series_id, in_form, now=now)
            effect = _effect(connection, visit, course_id, in_form)
    shown = (in_form or CourseCount(required=rule.required)) if wanted else in_force
    page = render_template(
        "course_count.html",
        visit=visit,
        series=series,
        rule_sentence=series_sentence(rule, WORDS),
        cancellation=cancellation_sentence(WORDS),
        own=own,
        in_force=in_force,
        shown=shown,
        is_own=(in_form is not None) if wanted else own is not None,
        chosen=_chosen(fault, shown),
        sessions=[(one, times_of(one, visit.university.time_zone)) for one in sessions],
        has_begun=has_begun(in_force, sessions, now),
        effect=effect,
        seen=seen,
        is_outdated=is_outdated,
        fault=fault,
        saved="saved" in request.args,
        most=MAX_REQUIRED,
    )
    return make_response(page, 409 if is_outdated else fault.status)


def _chosen(fault: Fault, shown: CourseCount) -> set[str] | None:
    """The sessions with a tick, as they were typed where that was not accepted; None: all of them."""
    if fault.words:
        return set(request.form.getlist("session"))
    return None if shown.session_ids is None else set(map(str, shown.session_ids))


def _effect(connection: Connection, visit: Visit, course_id: int, new: CourseCount | None) -> Effect:
    """Of the own course's people alone."""
    people = [person.participant_id for person in people_of_course(connection, course_id)]
    rule = rule_of(connection, visit.series_id)
    return effect_of(
        records_of(connection, people, visit.series_id).values(),
        rule,
        the_tool().clock.now(),
        course_count_of(connection, course_id, visit.series_id),
        new or CourseCount(required=rule.required),
    )
