"""What is recorded for a participant, in words for themselves: what, from where, when, by whom, what was withdrawn."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.afterwards import SELF_DECLARED
from series.collecting import Source
from series.people import Visit
from series.rule import Evidence, Kind
from series.store.evidence import Fact

gettext, ngettext = WORDS.gettext, WORDS.ngettext


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One line. `note`: a person's words to it. `withdrawn`: when and by whom, or empty while it stands."""

    what: str
    source: str
    at: str
    note: str
    is_self_declared: bool
    withdrawn: str = ""
    withdrawn_note: str = ""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads it, and who hosts which session: so much has to be known to say who somebody is without a name."""

    visit: Visit
    hosts: Collection[tuple[UUID, int]]

    @property
    def zone(self) -> str:
        return self.visit.university.time_zone

    def recorded(self, fact: Fact) -> Recorded:
        retraction = fact.retraction
        by_oneself = retraction is not None and self._is_me(retraction.by)
        is_reflection = fact.evidence.kind is Kind.REFLECTION
        return Recorded(
            what=self._what(fact),
            source=_source(fact.source),
            at=moment(fact.evidence.observed_at, self.zone),
            note="" if fact.source == Source.ACTIVITY else fact.reason or "",  # which is its name
            is_self_declared=fact.source == SELF_DECLARED,
            withdrawn=self._withdrawn(fact) if retraction else "",
            # With what a reflection was returned stands beside it.
            withdrawn_note=(retraction.reason or "") if retraction and not (by_oneself or is_reflection) else "",
        )

    def role_of(self, by: str | None, session_id: UUID) -> str:
        """`by` as in the audit table."""
        kind, _, number = (by or "").partition(" ")
        if kind == "participant" and number.isdecimal():
            if (session_id, int(number)) in self.hosts:
                return gettext("a host of the session")
            return gettext("a teacher of your course")
        if kind == "staff":
            return gettext("the coordinators of the series")
        if kind == "moodle":
            return gettext("your course in Moodle")
        return gettext("the operators of this tool")

    def _what(self, fact: Fact) -> str:
        if fact.evidence.kind is Kind.LMS and fact.source in _OF_MOODLE:
            return activity_words(fact)
        if fact.recorded_by is None or self._is_me(fact.recorded_by):
            return _kind(fact.evidence)
        role = self.role_of(fact.recorded_by, fact.session_id)
        if fact.evidence.kind is Kind.APPROVAL:
            return gettext("Confirmed by %(role)s", role=role)
        if fact.evidence.kind is Kind.EXCUSED:
            return gettext("Excused by %(role)s", role=role)
        return gettext("%(what)s, entered by %(role)s", what=_kind(fact.evidence), role=role)

    def _withdrawn(self, fact: Fact) -> str:
        if fact.retraction is None:
            return ""
        at = moment(fact.retraction.at, self.zone)
        if self._is_me(fact.retraction.by):
            return gettext("taken back by you on %(at)s", at=at)
        role = self.role_of(fact.retraction.by, fact.session_id)
        if fact.evidence.kind is Kind.REFLECTION:
            return gettext("returned to you on %(at)s by %(role)s", at=at, role=role)
        return gettext("withdrawn on %(at)s by %(role)s", at=at, role=role)

    def _is_me(self, by: str | None) -> bool:
        return by == f"participant {self.visit.participant_id}"


_OF_MOODLE = frozenset(Source)


def activity_words(fact: Fact) -> str:
    """Of what was collected from Moodle."""
    if fact.source == Source.OVERRIDE:
        return gettext("Set to complete by a teacher in your course")
    if fact.source == Source.GRADE:
        return gettext("Full grade given by a teacher in your course")
    if fact.recorded_by is not None:
        return gettext("Activity “%(name)s” in your course, set to complete by a teacher", name=fact.reason or "")
    return gettext("Activity “%(name)s” in your course", name=fact.reason or "")


def _kind(evidence: Evidence) -> str:
    amount = evidence.amount
    if amount is not None and evidence.kind is Kind.LIVE:
        return ngettext(
            "Present in the meeting for %(num)s minute", "Present in the meeting for %(num)s minutes", amount
        )
    if amount is not None and evidence.kind is Kind.RECORDING:
        return gettext("Recording watched, at least %(amount)s %% of it", amount=amount)
    if amount is not None and evidence.kind is Kind.REFLECTION:
        return ngettext("Reflection handed in, %(num)s word", "Reflection handed in, %(num)s words", amount)
    return {
        Kind.CODE: gettext("Checked in with the code"),
        Kind.LIVE: gettext("Present in the meeting"),
        Kind.RECORDING: gettext("Recording watched"),
        Kind.REFLECTION: gettext("Reflection handed in"),
        Kind.APPROVAL: gettext("Confirmed by a person"),
        Kind.LMS: gettext("Done in your course"),
        Kind.EXCUSED: gettext("Excused"),
    }[evidence.kind]


def _source(source: str) -> str:
    """Empty where what was recorded says it already."""
    return {
        "check-in": gettext("typed in by you"),
        "reflection": gettext("written by you"),
        SELF_DECLARED: gettext("self-declared"),
        "confirmation": "",
        "excuse": "",
        "meeting report": gettext("from the report of the meeting"),
        Source.ACTIVITY: gettext("seen complete in Moodle"),
        Source.OVERRIDE: gettext("seen in Moodle"),
        Source.GRADE: gettext("seen in Moodle's gradebook"),
    }.get(source, source)
