"""The coordinator's page of one session's own rule: what it would change, setting it, and taking it away."""

from uuid import UUID

import msgspec
from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.plan import require, series_or_404, session_in
from lti_tool.pages.redirects import go_to
from lti_tool.pages.rule import REFUSALS, has_started, words_of_others
from lti_tool.pages.rule_form import Filled, NotFilledIn, filled_with, read_ways
from lti_tool.pages.rule_words import refusal_words, remarks_on
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.times import times_of
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.permissions import Action
from series.rule import SessionRule, problem_of
from series.rule_words import session_sentence
from series.sessions import Session
from series.staff import Staff
from series.store.database import Connection
from series.store.proposals import ProposalOutdated, carry_out_for_session
from series.store.rules import RuleFrozen, RuleImpossible, rules_of

blueprint = Blueprint("rule_session", __name__, url_prefix="/coordinator/series/<slug>/rule/<uuid:session_id>")
_SESSION_RULE = msgspec.json.Decoder(SessionRule)


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str, session_id: UUID) -> Response:
    return _session_page(staff, slug, session_id)


@blueprint.post("/")
@with_staff
def answer(staff: Staff, slug: str, session_id: UUID) -> Response:
    """`do`: show what the form says, or what it is to take the session's own rule away; save what was shown; or go back
    to the form with it."""
    check_form(f"rule {session_id}")
    require(staff, Action.EDIT_PLAN)
    form = request.form.to_dict()
    if form.get("do") in {"show", "drop"}:
        return _show_effect(staff, slug, session_id, form)
    rule = _rule_shown()
    if form.get("do") == "again":
        return _session_page(staff, slug, session_id, filled=filled_with(rule) if rule else None)
    if form.get("do") != "save":
        abort(400)
    return _save(staff, slug, session_id, rule)


def _show_effect(staff: Staff, slug: str, session_id: UUID, form: dict[str, str]) -> Response:
    try:
        rule = SessionRule(ways=read_ways(form)) if form["do"] == "show" else None
        return _effect_page(staff, slug, session_id, rule)
    except NotFilledIn as error:
        filled = Filled(texts=form, fault=str(error), faulty=error.name)
    except REFUSALS as error:
        filled = Filled(texts=form, fault=refusal_words(error))
    return _session_page(staff, slug, session_id, filled=filled, status=422)


def _save(staff: Staff, slug: str, session_id: UUID, rule: SessionRule | None) -> Response:
    actor, now, seen = who(staff), the_tool().clock.now(), _versions_shown()
    try:
        try:
            with the_tool().database.write() as connection:
                series_id = _session_or_404(connection, slug, session_id).series_id
                carry_out_for_session(connection, session_id, rule, version=seen[0], actor=actor, by=actor, now=now)
                if rule is None and rules_of(connection, series_id).version != seen[1]:
                    raise ProposalOutdated
        except ProposalOutdated:
            return _effect_page(staff, slug, session_id, rule, is_outdated=True)
    except REFUSALS as error:
        texts = filled_with(rule).texts if rule else {}
        filled = Filled(texts=texts, fault=refusal_words(error))
        return _session_page(staff, slug, session_id, filled=filled, status=422)
    return go_to(f"/coordinator/series/{slug}/rule/{session_id}/?saved=rule")


def _rule_shown() -> SessionRule | None:
    """That of the page before; None: that of the series."""
    text = request.form.get("rule", "")
    try:
        return _SESSION_RULE.decode(text) if text else None
    except msgspec.MsgspecError:
        abort(400)


def _versions_shown() -> list[int]:
    """Of the rule that was in force for the session, and of the series' rule."""
    texts = [request.form.get(name, "") for name in ("version", "series_version")]
    if not all(text.isascii() and text.isdecimal() and len(text) < 10 for text in texts):
        abort(400)
    return [int(text) for text in texts]


def _effect_page(
    staff: Staff, slug: str, session_id: UUID, rule: SessionRule | None, *, is_outdated: bool = False
) -> Response:
    """`rule` None: that of the series. Raises RuleFrozen, RuleImpossible."""
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series, session = series_or_404(connection, slug), _session_or_404(connection, slug, session_id)
        rules = rules_of(connection, series.series_id)
    in_force, new = rules.of_sessions[session_id], rule or rules.series
    if has_started(session, now) or in_force.is_frozen:
        raise RuleFrozen
    if problem := problem_of(new):
        raise RuleImpossible(problem)
    page = render_template(
        "rule_session_effect.html",
        staff=staff,
        series=series,
        session=session,
        times=times_of(session, series.time_zone),
        old_sentence=session_sentence(in_force.rule, WORDS),
        new_sentence=session_sentence(new, WORDS),
        remarks=remarks_on(new, 0),
        is_own=rule is not None,
        changes_nothing=rule == (in_force.rule if in_force.is_own else None),
        version=in_force.version,
        series_version=rules.version,
        rule_json=msgspec.json.encode(rule).decode() if rule else "",
        is_outdated=is_outdated,
    )
    return make_response(page, 409 if is_outdated else 200)


def _session_page(
    staff: Staff, slug: str, session_id: UUID, *, filled: Filled | None = None, status: int = 200
) -> Response:
    require(staff, Action.SEE_PLAN)
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series, session = series_or_404(connection, slug), _session_or_404(connection, slug, session_id)
        rules = rules_of(connection, series.series_id)
    in_force = rules.of_sessions[session_id]
    page = render_template(
        "rule_session.html",
        staff=staff,
        series=series,
        session=session,
        times=times_of(session, series.time_zone),
        in_force=in_force,
        has_started=has_started(session, now) or in_force.is_frozen,
        sentence=session_sentence(in_force.rule, WORDS),
        of_series=session_sentence(rules.series, WORDS),
        filled=filled or filled_with(in_force.rule),
        others=words_of_others(filled_with(in_force.rule)),
        saved=request.args.get("saved", ""),
    )
    return make_response(page, status)


def _session_or_404(connection: Connection, slug: str, session_id: UUID) -> Session:
    session = session_in(connection, series_or_404(connection, slug), session_id)
    if session.is_rehearsal:
        abort(404)
    return session
