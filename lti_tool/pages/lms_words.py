"""How an LMS does, in plain words."""

from collections.abc import Sequence

from lti_tool.pages.words import WORDS
from series.checks import Outcome, gaps_of
from series.preflight import Code, Trial

gettext, ngettext = WORDS.gettext, WORDS.ngettext
STEPS = {Code.DEPLOYMENT, Code.LAUNCH}  # of connecting it


def product_in_words(product: str) -> str:
    return gettext("An LMS that we do not know") if product == "generic" else product.capitalize()


def state_in_words(state: str) -> str:
    return {
        "active": gettext("connected"),
        "disabled": gettext("switched off"),
        "pending": gettext("waits for the coordinator's approval"),
        "rejected": gettext("turned down"),
    }.get(state, state)


def verdict_in_words(state: str, trials: Sequence[Trial]) -> str:
    """The whole pre-flight in a few words."""
    closed = {
        "disabled": gettext("Switched off: its launches are refused, and its grades wait."),
        "pending": gettext("It waits for the coordinator's approval."),
        "rejected": gettext("The coordinator has turned it down: its launches are refused."),
    }
    if state in closed:
        return closed[state]
    if not trials:
        return gettext("Not checked yet.")
    gaps = len(gaps_of(trials))
    if gaps:
        return ngettext("%(num)s thing to do", "%(num)s things to do", gaps)
    unknown = sum(trial.outcome is Outcome.UNKNOWN for trial in trials)
    if unknown:
        return ngettext("It works, with %(num)s thing to look at", "It works, with %(num)s things to look at", unknown)
    return gettext("Everything works")


def sign_of(trial: Trial) -> tuple[str, str]:
    """A sign for the eye, and what it says. Of a new LMS nothing is broken: it was not opened yet."""
    if trial.outcome is Outcome.GAP and trial.code in STEPS:
        return "✗", gettext("to do")
    return {
        Outcome.OK: ("✓", gettext("works")),
        Outcome.GAP: ("✗", gettext("does not work")),
        Outcome.UNKNOWN: ("?", gettext("please look at it")),
        Outcome.SKIPPED: ("–", gettext("not tried")),
    }[trial.outcome]


def took_in_words(ms: int) -> str:
    return gettext("%(seconds)s s", seconds=f"{ms / 1000:.1f}") if ms >= 100 else gettext("under 0.1 s")


def role_in_words(role: str) -> str:
    return {
        "teacher": gettext("teacher"),
        "learner": gettext("student"),
        "administrator": gettext("administrator"),
        "test user": gettext("test user of the LMS"),
    }.get(role, gettext("somebody else"))


def deployment_in_words(state: str) -> str:
    return {
        "approved": gettext("attached"),
        "pending": gettext("waits to be attached: its launches are refused"),
        "disabled": gettext("switched off: its launches are refused"),
    }.get(state, state)
