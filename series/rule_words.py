"""What counts, in one plain sentence: the same on every page and in the CLI."""

from collections.abc import Callable
from dataclasses import dataclass

from series.rule import Demand, Kind, Rule, SessionRule, Way
from series.standing import Standing

Gettext = Callable[..., str]  # (text, **values), and for numbers (one, many, num, **values)


def _english(text: str, **values: object) -> str:
    return text % values if values else text


def _english_numbers(one: str, many: str, num: int, **values: object) -> str:
    return (one if num == 1 else many) % {"num": num, **values}


@dataclass(frozen=True, kw_only=True)
class Words:
    """How to translate: flask_babel's functions on pages, English in the CLI."""

    gettext: Gettext = _english
    ngettext: Gettext = _english_numbers


ENGLISH = Words()


def N_(text: str) -> str:  # noqa: N802 - the name by which tools find what is to be translated
    """Of a text that is translated only when it is shown."""
    return text


def session_sentence(rule: SessionRule, words: Words = ENGLISH) -> str:
    """What completes one session."""
    ways = [_way(way, words) for way in rule.ways]
    return words.gettext("A session is completed by %(ways)s.", ways=words.gettext(", or by ").join(ways))


def series_sentence(rule: Rule, words: Words = ENGLISH) -> str:
    """How many sessions complete the series."""
    number = words.ngettext(
        "%(num)s session completes the series", "%(num)s sessions complete the series", rule.required
    )
    if rule.at_most_by_recording is None or not rule.counts(Kind.RECORDING):
        return words.gettext("%(number)s.", number=number)
    if rule.at_most_by_recording == 0:
        return words.gettext("%(number)s, none of them by its recording alone.", number=number)
    limit = words.ngettext(
        "at most %(num)s of them by its recording alone",
        "at most %(num)s of them by their recordings alone",
        rule.at_most_by_recording,
    )
    return words.gettext("%(number)s, %(limit)s.", number=number, limit=limit)


def cancellation_sentence(words: Words = ENGLISH) -> str:
    """What a cancellation does to the numbers."""
    return words.gettext(
        "A cancelled session is missing from nobody's count: if fewer are left than are needed, all that are left are"
        " enough, and what was completed stays."
    )


def standing_sentence(found: Standing, words: Words = ENGLISH) -> str:
    """“7 of 10; 3 can still be done live, 1 by recording”."""
    so_far = words.gettext("%(done)s of %(required)s", done=min(found.done, found.required), required=found.required)
    if found.is_complete:
        return words.gettext("%(so_far)s: that is all you need", so_far=so_far)
    if not (found.live or found.recording or found.afterwards):
        return words.gettext("%(so_far)s; nothing more can be done by yourself", so_far=so_far)
    chances = ", ".join(_chances(found, words))
    if not found.can_be_reached:
        return words.gettext("%(so_far)s; %(chances)s, which is not enough by itself", so_far=so_far, chances=chances)
    return words.gettext("%(so_far)s; %(chances)s", so_far=so_far, chances=chances)


def _chances(found: Standing, words: Words) -> list[str]:
    """“3 can still be done live”, “1 by recording”: the first of them has the verb."""
    live, recording, afterwards = found.live, found.recording, found.afterwards
    chances = []
    if live:
        chances.append(words.gettext("%(n)s can still be done live", n=live))
    if recording and chances:
        chances.append(words.gettext("%(n)s by recording", n=recording))
    elif recording:
        chances.append(words.gettext("%(n)s can still be done by recording", n=recording))
    if afterwards and chances:
        chances.append(words.gettext("%(n)s in another way afterwards", n=afterwards))
    elif afterwards:
        chances.append(words.gettext("%(n)s can still be done in another way afterwards", n=afterwards))
    return chances


def _way(way: Way, words: Words) -> str:
    return words.gettext(" together with ").join(_demand(demand, words) for demand in way)


def _demand(demand: Demand, words: Words) -> str:
    phrase = _with_amount(demand, words) if demand.at_least is not None else _plain(demand.kind, words)
    if demand.within_days is None:
        return phrase
    window = words.ngettext("within %(num)s day of its end", "within %(num)s days of its end", demand.within_days)
    return words.gettext("%(phrase)s %(window)s", phrase=phrase, window=window)


def _plain(kind: Kind, words: Words) -> str:
    return {
        Kind.CODE: words.gettext("its check-in code"),
        Kind.LIVE: words.gettext("presence in the meeting"),
        Kind.RECORDING: words.gettext("watching its recording"),
        Kind.REFLECTION: words.gettext("a reflection"),
        Kind.APPROVAL: words.gettext("the confirmation of a person"),
        Kind.LMS: words.gettext("an activity in the course that stands for it"),
        Kind.EXCUSED: words.gettext("being excused"),
    }[kind]


def _with_amount(demand: Demand, words: Words) -> str:
    amount = demand.at_least or 0
    if demand.kind is Kind.LIVE:
        return words.gettext("presence for at least %(amount)s %% of its time", amount=amount)
    if demand.kind is Kind.RECORDING:
        return words.gettext("watching at least %(amount)s %% of its recording", amount=amount)
    return words.ngettext("a reflection of at least %(num)s word", "a reflection of at least %(num)s words", amount)
