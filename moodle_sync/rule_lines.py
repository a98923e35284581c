"""What counts, line by line for a terminal, and as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import to_builtins

from series.pooling import protect
from series.rule import Rule, SessionRule, needless_ways
from series.rule_effect import Effect
from series.rule_words import cancellation_sentence, series_sentence, session_sentence
from series.sessions import Series, Session
from series.store.proposals import Proposal
from series.store.rules import RuleChange, RuleInForce, Rules


def rule_lines(series: Series, rules: Rules, sessions: list[Session]) -> Iterator[str]:
    """A sentence stands below each session for which something else counts than for the series."""
    yield f"{series.title}: what counts (version {rules.version})"
    yield from (f"  {sentence}" for sentence in _sentences(rules.series))
    yield f"  {cancellation_sentence()}"
    for number, session in enumerate(sessions, start=1):
        in_force = rules.of_sessions[session.session_id]
        start = session.start_at.astimezone(ZoneInfo(series.time_zone))
        remarks = [*_remarks(in_force), *(["CANCELLED"] if session.is_cancelled else [])]
        yield f"  {number:2}  {start:%a %d %b %Y %H:%M}  {session.title}  {', '.join(remarks)}".rstrip()
        if in_force.is_own or in_force.rule.ways != rules.series.ways:
            yield f"      {session_sentence(in_force.rule)}"


def history_lines(history: list[RuleChange], sessions: list[Session], names: Mapping[str, str]) -> Iterator[str]:
    titles = {session.session_id: session.title for session in sessions}
    for change in history:
        what = f"session “{titles[change.session_id]}”" if change.session_id else "the series"
        by = names.get(change.set_by, change.set_by)
        yield f"{change.version}  {change.set_at:%d %b %Y %H:%M} UTC  {by}: {what}"
        yield from (f"   {sentence}" for sentence in _sentences(change.rule))


def proposal_lines(proposal: Proposal, effect: Effect, sessions: list[Session], smallest_group: int) -> list[str]:
    """What would change, with the same protected numbers of people as on the coordinator's page."""
    if proposal.changes_nothing:
        return ["That is the rule in force already. Nothing was changed."]
    lines = ["Preview. Nothing was changed.", "now:"]
    lines += [f"  {sentence}" for sentence in _sentences(proposal.old)]
    lines += ["then:", *(f"  {sentence}" for sentence in _sentences(proposal.new))]
    lines += [
        f"needless, because another way is enough without it: {session_sentence(SessionRule(ways=(way,)))}"
        for way in needless_ways(proposal.new)
    ]
    now, then = (_people(count, smallest_group) for count in (effect.complete_now, effect.complete_then))
    lines.append(f"people who have all that the series demands: {now} → {then}")
    lines.append(f"{len(proposal.followers)} session(s) would be completed by the new rule")
    lines += [f"  {session.title}" for session in sessions if session.session_id in proposal.followers]
    lines.append(
        f"{len(proposal.own)} keep rules of their own, {len(proposal.frozen)} have started and stay as they are"
    )
    return lines


def rule_as_json(
    series: Series, rules: Rules, sessions: list[Session], history: list[RuleChange] | None
) -> dict[str, Any]:
    """For other programs; `rule` is what --set reads."""
    found: dict[str, Any] = {
        "series": series.slug,
        "version": rules.version,
        "rule": to_builtins(rules.series),
        "sentences": [*_sentences(rules.series), cancellation_sentence()],
        "sessions": [
            {
                "number": number,
                "session_id": str(session.session_id),
                "title": session.title,
                "start_at": session.start_at.isoformat(),
                **_in_force_as_json(rules.of_sessions[session.session_id]),
            }
            for number, session in enumerate(sessions, start=1)
        ],
    }
    if history is not None:
        found["history"] = [
            {
                "version": change.version,
                "session_id": str(change.session_id) if change.session_id else None,
                "rule": to_builtins(change.rule),
                "set_by": change.set_by,
                "set_at": change.set_at.isoformat(),
            }
            for change in history
        ]
    return found


def _in_force_as_json(in_force: RuleInForce) -> dict[str, Any]:
    return {
        "version": in_force.version,
        "is_own": in_force.is_own,
        "is_fixed": in_force.is_frozen,
        "rule": to_builtins(in_force.rule),
    }


def _sentences(rule: SessionRule | None) -> list[str]:
    if rule is None:
        return ["It has no rule of its own any more."]
    return [session_sentence(rule), *([series_sentence(rule)] if isinstance(rule, Rule) else [])]


def _remarks(in_force: RuleInForce) -> list[str]:
    own = ["rule of its own"] if in_force.is_own else []
    fixed = ["fixed"] if in_force.is_frozen else []
    return [*own, *fixed, f"version {in_force.version}"]


def _people(count: int, smallest_group: int) -> str:
    at_least = protect(count, smallest_group=smallest_group).at_least
    return f"fewer than {smallest_group}" if at_least is None else f"at least {at_least}"
