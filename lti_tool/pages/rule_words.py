"""What counts, and what another rule would change, in words for the coordinator's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext, ngettext

from lti_tool.pages.times import moment, times_of
from lti_tool.pages.words import WORDS
from series.pooling import protect
from series.rule import Rule, SessionRule, needless_ways
from series.rule_words import cancellation_sentence, series_sentence, session_sentence
from series.sessions import Session
from series.store.proposals import COMMAND_LINE
from series.store.rules import RuleChange, RuleFrozen, RuleImpossible, RuleInForce, RuleTooHard


@dataclass(frozen=True, kw_only=True)
class SessionLine:
    """One session and what counts for it. `sentence` is empty where it is that of the series."""

    session: Session
    day: str
    in_force: RuleInForce
    has_started: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    """One row of the history."""

    version: int
    what: str
    sentences: list[str]
    at: str
    by: str


def refusal_words(refused: RuleFrozen | RuleImpossible | RuleTooHard) -> str:
    """Why a rule is not set."""
    words = {
        RuleFrozen: gettext("This session has started, so what counts for it can no longer be changed."),
        RuleTooHard: gettext(
            "People rely on these numbers by now: the number of sessions may only be lowered now, and the number of"
            " recordings only be raised."
        ),
        RuleImpossible: gettext("By that rule nobody could complete a session, so it is not set. Please change it."),
    }
    return str(words[type(refused)])


def rule_sentences(rule: Rule) -> list[str]:
    """All that it says."""
    return [session_sentence(rule, WORDS), series_sentence(rule, WORDS), cancellation_sentence(WORDS)]


def session_line(session: Session, in_force: RuleInForce, of_series: Rule, *, has_started: bool) -> SessionLine:
    differs = in_force.is_own or in_force.rule.ways != of_series.ways
    return SessionLine(
        session=session,
        day=times_of(session, session.zone).series.day,
        in_force=in_force,
        has_started=has_started,
        sentence=session_sentence(in_force.rule, WORDS) if differs else "",
    )


def change_line(change: RuleChange, titles: Mapping[UUID, str], names: Mapping[str, str], zone: str) -> ChangeLine:
    return ChangeLine(
        version=change.version,
        what=titles.get(change.session_id, "") if change.session_id else gettext("The series"),
        sentences=_sentences(change.rule),
        at=moment(change.set_at, zone),
        by=by_words(change.set_by, names),
    )


def by_words(set_by: str, names: Mapping[str, str]) -> str:
    """`names` by what stands in the history: staff 7."""
    return gettext("the command line") if set_by == COMMAND_LINE else names.get(set_by, set_by)


def people_words(count: int, smallest_group: int) -> str:
    """A number of people, protected."""
    at_least = protect(count, smallest_group=smallest_group).at_least
    if at_least is None:
        return str(gettext("fewer than %(n)s", n=smallest_group))
    return str(gettext("at least %(n)s", n=at_least))


def _sentences(rule: SessionRule | None) -> list[str]:
    if rule is None:
        return [gettext("It has no rule of its own any more.")]
    said = [session_sentence(rule, WORDS)]
    return [*said, series_sentence(rule, WORDS)] if isinstance(rule, Rule) else said


def remarks_on(rule: SessionRule, there_are: int) -> list[str]:
    """What somebody may not have meant. `there_are`: sessions that take place."""
    found = []
    for way in needless_ways(rule):
        said = session_sentence(SessionRule(ways=(way,)), WORDS)
        found.append(gettext("this way changes nothing, because another one is enough without it: %(said)s", said=said))
    if isinstance(rule, Rule) and 0 < there_are < rule.required:
        found.append(
            ngettext(
                "there is only %(num)s session, so it is enough.",
                "there are only %(num)s sessions, so all of them would be needed, and no more.",
                there_are,
            )
        )
    return found
