"""A rule as a form of check boxes with numbers, and back."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext

from series.rule import MAX_AMOUNT, MAX_DAYS, MAX_REQUIRED, Demand, Kind, Rule, SessionRule, Way

DEFAULTS = {
    "code_live_percent": "75",
    "live_percent": "75",
    "recording_percent": "80",
    "recording_days": "14",
    "recording_words": "100",
    "reflection_words": "100",
    "reflection_days": "14",
}
PLAIN = {"code": Kind.CODE, "lms": Kind.LMS, "approval": Kind.APPROVAL}
MAX_CHARS = 10


class NotFilledIn(Exception):
    """What was typed is no rule. `name`: of the field that is to be mended, if it is one."""

    def __init__(self, words: str, name: str = "") -> None:
        super().__init__(words)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What stands in the form: a text for each field, the ticked boxes with any. `others`: ways of the rule in force
    that it cannot say."""

    texts: Mapping[str, str]
    others: tuple[Way, ...] = ()
    fault: str = ""
    faulty: str = ""


def filled_with(rule: SessionRule) -> Filled:
    """The form as it says `rule`."""
    texts, others = dict(DEFAULTS), []
    for way in rule.ways:
        name = _box_of(way)
        if name is None or name in texts:  # there is one box of each
            others.append(way)
        else:
            texts |= {name: "on", **_numbers_of(name, way)}
    if isinstance(rule, Rule):
        texts |= {"required": str(rule.required), "recordings": _text(rule.at_most_by_recording)}
    return Filled(texts=texts, others=tuple(others))


def read_ways(form: Mapping[str, str]) -> tuple[Way, ...]:
    """Raises NotFilledIn."""
    ways: list[Way] = []
    for name in ("code", "code_live", "live", "recording", "reflection", "lms", "approval"):
        if form.get(name):
            ways.append(_way(name, form))
    if not ways:
        raise NotFilledIn(gettext("Please choose at least one way to complete a session."), "code")
    return tuple(ways)


def read_rule(form: Mapping[str, str]) -> Rule:
    """Raises NotFilledIn."""
    required = _number(form, "required", lowest=1, highest=MAX_REQUIRED)
    if required is None:
        raise NotFilledIn(gettext("Please say how many sessions complete the series."), "required")
    return Rule(
        ways=read_ways(form),
        required=required,
        at_most_by_recording=_number(form, "recordings", lowest=0, highest=MAX_REQUIRED),
    )


def _way(name: str, form: Mapping[str, str]) -> Way:
    if name in PLAIN:
        return (Demand(kind=PLAIN[name]),)
    if name == "reflection":
        return (_reflection(form, words="reflection_words", days="reflection_days"),)
    if name == "recording":
        percent, days = _percent(form, "recording_percent"), _days(form, "recording_days")
        recording = Demand(kind=Kind.RECORDING, at_least=percent, within_days=days)
        if not form.get("with_reflection"):
            return (recording,)
        return (recording, _reflection(form, words="recording_words", days="recording_days"))
    live = Demand(kind=Kind.LIVE, at_least=_percent(form, f"{name}_percent"))
    return (live,) if name == "live" else (Demand(kind=Kind.CODE), live)


def _reflection(form: Mapping[str, str], *, words: str, days: str) -> Demand:
    at_least = _number(form, words, lowest=1, highest=MAX_AMOUNT)
    return Demand(kind=Kind.REFLECTION, at_least=at_least, within_days=_days(form, days))


def _percent(form: Mapping[str, str], name: str) -> int | None:
    return _number(form, name, lowest=1, highest=100)


def _days(form: Mapping[str, str], name: str) -> int | None:
    return _number(form, name, lowest=1, highest=MAX_DAYS)


def _number(form: Mapping[str, str], name: str, *, lowest: int, highest: int) -> int | None:
    """None where nothing was typed. Raises NotFilledIn."""
    typed = form.get(name, "").strip()
    if not typed:
        return None
    if typed.isascii() and typed.isdecimal() and len(typed) <= MAX_CHARS and lowest <= int(typed) <= highest:
        return int(typed)
    words = gettext(
        "“%(typed)s” cannot be taken: please give a whole number from %(lowest)s to %(highest)s, or nothing.",
        typed=typed[:MAX_CHARS].replace("\0", ""),
        lowest=lowest,
        highest=highest,
    )
    raise NotFilledIn(words, name)


def _box_of(way: Way) -> str | None:
    kinds = {demand.kind for demand in way}
    if len(kinds) < len(way) or _says_more(way):
        return None
    boxes: list[tuple[str, set[Kind]]] = [
        *((name, {kind}) for name, kind in PLAIN.items()),
        ("code_live", {Kind.CODE, Kind.LIVE}),
        ("live", {Kind.LIVE}),
        ("recording", {Kind.RECORDING}),
        ("recording", {Kind.RECORDING, Kind.REFLECTION}),
        ("reflection", {Kind.REFLECTION}),
    ]
    return next((name for name, of_box in boxes if of_box == kinds), None)


def _says_more(way: Way) -> bool:
    """A recording and its reflection have one field for the days in the form."""
    return len(way) > 1 and len({demand.within_days for demand in way}) > 1


def _numbers_of(name: str, way: Way) -> dict[str, str]:
    by_kind = {demand.kind: demand for demand in way}
    if name in PLAIN:
        return {}
    if name == "reflection":
        demand = by_kind[Kind.REFLECTION]
        return {"reflection_words": _text(demand.at_least), "reflection_days": _text(demand.within_days)}
    if name != "recording":
        return {f"{name}_percent": _text(by_kind[Kind.LIVE].at_least)}
    recording, reflection = by_kind[Kind.RECORDING], by_kind.get(Kind.REFLECTION)
    texts = {"recording_percent": _text(recording.at_least), "recording_days": _text(recording.within_days)}
    if reflection is not None:
        texts |= {"with_reflection": "on", "recording_words": _text(reflection.at_least)}
    return texts


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
