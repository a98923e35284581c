"""What the instructor's pages say of facts, of what is missing, and of who has said something."""

from collections.abc import Mapping

from lti_tool.pages.words import WORDS
from series.collecting import Source
from series.people import Visit
from series.rule import Evidence, Kind, Outcome, SessionRule, Span, judge
from series.standing import Standing
from series.store.evidence import Fact

gettext, ngettext = WORDS.gettext, WORDS.ngettext


def fact_words(fact: Fact) -> str:
    """What was recorded, with its amount."""
    amount = fact.evidence.amount
    if fact.source == Source.ACTIVITY:
        return gettext("Activity “%(name)s”", name=fact.reason or "")
    if amount is not None:
        if fact.evidence.kind is Kind.LIVE:
            return ngettext(
                "Presence in the meeting, %(num)s minute", "Presence in the meeting, %(num)s minutes", amount
            )
        if fact.evidence.kind is Kind.RECORDING:
            return gettext("Recording, %(amount)s %% watched", amount=amount)
        if fact.evidence.kind is Kind.REFLECTION:
            return ngettext("Reflection, %(num)s word", "Reflection, %(num)s words", amount)
    return {
        Kind.CODE: gettext("Check-in code"),
        Kind.LIVE: gettext("Presence in the meeting"),
        Kind.RECORDING: gettext("Recording watched"),
        Kind.REFLECTION: gettext("Reflection"),
        Kind.APPROVAL: gettext("Confirmed by a person"),
        Kind.LMS: gettext("Activity in the course"),
        Kind.EXCUSED: gettext("Excused"),
    }[fact.evidence.kind]


def source_words(fact: Fact) -> str:
    """From where it came, as far as that is not what was recorded."""
    return {
        "check-in": gettext("typed in here"),
        "confirmation": gettext("by hand"),
        "excuse": gettext("by hand"),
        "meeting report": gettext("from the meeting's report"),
        "reflection": gettext("written here"),
        "recording": gettext("said by the student"),
        "self-declared": gettext("said by the student"),
        Source.ACTIVITY: gettext("seen complete in Moodle"),
        Source.OVERRIDE: gettext("set by a teacher in Moodle"),
        Source.GRADE: gettext("full grade given by a teacher in Moodle"),
    }.get(fact.source, fact.source)


def does_count(fact: Evidence, rule: SessionRule, span: Span) -> bool:
    """Whether it meets one of the rule's demands, also where more is demanded beside it."""
    if fact.kind is Kind.EXCUSED:
        return True
    demands = {demand for way in rule.ways for demand in way}
    return any(judge([fact], SessionRule(ways=((demand,),)), span).completed_at is not None for demand in demands)


def outcome_words(outcome: Outcome) -> str:
    """Of a session that is over or running."""
    if outcome.completed_at is not None:
        return gettext("completed by recording") if outcome.by_recording else gettext("completed")
    return gettext("excused") if outcome.is_excused else gettext("not completed")


def so_far(found: Standing) -> str:
    return gettext("%(done)s of %(required)s", done=min(found.done, found.required), required=found.required)


def missing_words(found: Standing) -> str:
    """What is missing, and whether it can still be had."""
    if found.is_complete:
        return gettext("nothing is missing")
    number = found.required - found.done
    missing = ngettext("%(num)s is missing", "%(num)s are missing", number)
    chances = [
        words
        for there_are, words in (
            (found.live, gettext("%(n)s live", n=found.live)),
            (found.recording, gettext("%(n)s by recording", n=found.recording)),
            (found.afterwards, gettext("%(n)s in another way afterwards", n=found.afterwards)),
        )
        if there_are
    ]
    if not found.can_be_reached:
        return gettext("%(missing)s; out of reach on their own", missing=missing)
    return gettext("%(missing)s; still possible: %(chances)s", missing=missing, chances=", ".join(chances))


def who_said(by: str | None, visit: Visit, names: Mapping[int, str]) -> str:
    """`by` as in the audit table; `names` of participants of this course's LMS, by id."""
    if by is None:
        return gettext("the student")
    kind, _, number = by.partition(" ")
    if kind == "moodle":
        user_id = number.removeprefix("user ")
        return gettext("No. %(number)s in your LMS", number=user_id) if user_id != number else gettext("your Moodle")
    if kind != "participant":
        return gettext("the coordinators of the series")
    if number == str(visit.participant_id):
        return gettext("you")
    known = names.get(int(number)) if number.isdecimal() else None
    return known or gettext("another teacher, or a host of the session")
