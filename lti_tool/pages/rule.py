"""The coordinator's page of the series' rule: what counts, what another rule would change, and setting it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.plan import require, series_or_404
from lti_tool.pages.redirects import go_to
from lti_tool.pages.rule_form import Filled, NotFilledIn, filled_with, read_rule
from lti_tool.pages.rule_words import (
    by_words,
    change_line,
    people_words,
    refusal_words,
    remarks_on,
    rule_sentences,
    session_line,
)
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.times import moment, times_of
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.permissions import Action
from series.rule import Rule, SessionRule, is_harder
from series.rule_words import session_sentence
from series.sessions import Session
from series.staff import Staff
from series.store.database import Connection
from series.store.pooled_settings import smallest_group_of
from series.store.proposals import (
    ProposalOutdated,
    carry_out,
    effect_of,
    proposal_of,
)
from series.store.rules import RuleFrozen, RuleImpossible, RuleTooHard, history_of, rules_of
from series.store.sessions import sessions_of
from series.store.staff import list_staff

blueprint = Blueprint("rule", __name__, url_prefix="/coordinator/series/<slug>/rule")
REFUSALS = (RuleFrozen, RuleImpossible, RuleTooHard)
_RULE = msgspec.json.Decoder(Rule)


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _rule_page(staff, slug)


@blueprint.post("/")
@with_staff
def answer(staff: Staff, slug: str) -> Response:
    """`do`: show what the form would change, save what was shown, or go back to the form with it."""
    check_form(f"rule {slug}")
    require(staff, Action.EDIT_PLAN)
    do = request.form.get("do", "")
    if do == "show":
        return _show_effect(staff, slug)
    rule = _rule_shown()
    if do == "again":
        return _rule_page(staff, slug, filled=filled_with(rule))
    if do != "save":
        abort(400)
    return _save(staff, slug, rule)


def _show_effect(staff: Staff, slug: str) -> Response:
    form = request.form.to_dict()
    try:
        return _effect_page(staff, slug, read_rule(form))
    except NotFilledIn as error:
        filled = Filled(texts=form, fault=str(error), faulty=error.name)
    except REFUSALS as error:
        filled = Filled(texts=form, fault=refusal_words(error))
    return _rule_page(staff, slug, filled=filled, status=422)


def _save(staff: Staff, slug: str, rule: Rule) -> Response:
    actor, digest, now = who(staff), request.form.get("digest", ""), the_tool().clock.now()
    try:
        try:
            with the_tool().database.write() as connection:
                series_id = series_or_404(connection, slug).series_id
                carry_out(connection, series_id, rule, digest=digest, actor=actor, by=actor, now=now)
        except ProposalOutdated:
            return _effect_page(staff, slug, rule, is_outdated=True)
    except REFUSALS as error:
        return _rule_page(staff, slug, filled=replace(filled_with(rule), fault=refusal_words(error)), status=422)
    return go_to(f"/coordinator/series/{slug}/rule/?saved=rule")


def _rule_shown() -> Rule:
    """That of the page of its effect, which carries it in a hidden field."""
    try:
        return _RULE.decode(request.form.get("rule", ""))
    except msgspec.MsgspecError:
        abort(400)


def _rule_page(staff: Staff, slug: str, *, filled: Filled | None = None, status: int = 200) -> Response:
    require(staff, Action.SEE_PLAN)
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        sessions, rules = sessions_of(connection, series.series_id), rules_of(connection, series.series_id)
        history = history_of(connection, series.series_id)
        names = _names(connection)
    set_last = next(change for change in history if change.version == rules.version)
    titles = {session.session_id: session.title for session in sessions}
    page = render_template(
        "rule.html",
        staff=staff,
        series=series,
        sentences=rule_sentences(rules.series),
        version=rules.version,
        set_at=moment(set_last.set_at, series.time_zone),
        set_by=by_words(set_last.set_by, names),
        lines=[
            session_line(
                session,
                rules.of_sessions[session.session_id],
                rules.series,
                has_started=has_started(session, now) or rules.of_sessions[session.session_id].is_frozen,
            )
            for session in sessions
        ],
        history=[change_line(change, titles, names, series.time_zone) for change in history],
        filled=filled or filled_with(rules.series),
        others=words_of_others(filled_with(rules.series)),
        saved=request.args.get("saved", ""),
    )
    return make_response(page, status)


def _effect_page(staff: Staff, slug: str, rule: Rule, *, is_outdated: bool = False) -> Response:
    """Raises RuleImpossible, RuleTooHard."""
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = series_or_404(connection, slug)
        proposal = proposal_of(connection, series.series_id, rule, now=now)
        effect = effect_of(connection, series.series_id, proposal, now=now)
        sessions = sessions_of(connection, series.series_id)
        smallest_group = smallest_group_of(connection, series.series_id)
    there_are = sum(not session.is_cancelled for session in sessions)
    page = render_template(
        "rule_effect.html",
        staff=staff,
        series=series,
        proposal=proposal,
        rule_json=msgspec.json.encode(rule).decode(),
        old_sentences=rule_sentences(proposal.old)[:2],
        new_sentences=rule_sentences(rule)[:2],
        remarks=remarks_on(rule, there_are),
        complete_now=people_words(effect.complete_now, smallest_group),
        complete_then=people_words(effect.complete_then, smallest_group),
        is_harder=is_harder(rule, proposal.old),
        followers=_chosen([each for each in sessions if not each.is_cancelled], proposal.followers),
        own=_chosen(sessions, proposal.own),
        frozen=_chosen(sessions, proposal.frozen),
        is_outdated=is_outdated,
    )
    return make_response(page, 409 if is_outdated else 200)


def has_started(session: Session, now: datetime) -> bool:
    return session.start_at <= now


def words_of_others(filled: Filled) -> str:
    """In words: what the rule in force says and the form cannot."""
    return session_sentence(SessionRule(ways=filled.others), WORDS) if filled.others else ""


def _names(connection: Connection) -> dict[str, str]:
    return {f"staff {account.staff_id}": account.name for account in list_staff(connection)}


def _chosen(sessions: list[Session], ids: frozenset[UUID]) -> list[tuple[Session, str]]:
    return [(session, times_of(session, session.zone).series.day) for session in sessions if session.session_id in ids]
