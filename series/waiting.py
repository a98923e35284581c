"""What waits for a person, as values. Nothing in it is about a single student."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from series.rule_words import ENGLISH, Words

SOURCE_FAILS_FOR = timedelta(hours=1)
MOODLE_FAILS_FOR = timedelta(minutes=10)
GRADEBOOK_FAILS_FOR = timedelta(hours=1)
TABLE_WAITS_FOR = timedelta(minutes=2)  # the worker reads one in seconds


class WaitingKind(StrEnum):
    HELD_PLAN = "held_plan"
    SOURCE_FAILS = "source_fails"
    TABLE = "table"
    HOST_REQUEST = "host_request"  # somebody says that they host a session
    JOIN_LINK = "join_link"  # the calendar would have a meeting where none may be
    MOODLE_FAILS = "moodle_fails"  # does not answer, or does not take our token
    MOODLE_GAPS = "moodle_gaps"
    HELD_ROSTER = "held_roster"
    HELD_COMPLETIONS = "held_completions"
    GRADEBOOK_FAILS = "gradebook_fails"
    GRADES_NOT_SENT = "grades_not_sent"
    PLATFORM = "platform"  # has registered itself
    DEPLOYMENT = "deployment"
    NOT_ANNOUNCED = "not_announced"
    TO_ANNOUNCE = "to_announce"  # for instructors


class Scope(StrEnum):
    SERIES = "series"
    UNIVERSITY = "university"
    COURSE = "course"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """`key` stays the same while it goes on waiting. `name`: the series' title, the university's name or the course's
    title; `slug`: of the series or the university (of a course: its university's). `facts`: what its sentence says."""

    key: str
    kind: WaitingKind
    since_at: datetime
    scope: Scope
    name: str
    slug: str
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def path(self) -> str | None:
        """The page of staff where a person goes with it; None: there is none, and the sentence says what to do."""
        if self.scope is Scope.SERIES:
            of_session = f"sessions/{self.facts.get('session_id')}"
            page = {
                WaitingKind.HELD_PLAN: "held",
                WaitingKind.TABLE: f"table/{self.facts.get('run')}",
                WaitingKind.HOST_REQUEST: of_session,
                WaitingKind.JOIN_LINK: of_session,
            }
            return f"/coordinator/series/{self.slug}/{page.get(self.kind, '')}"
        if self.kind is WaitingKind.PLATFORM:
            return f"/admin/lms/{self.slug}/connect/"
        if self.kind is WaitingKind.DEPLOYMENT:
            return f"/admin/lms/{self.slug}/"
        page = {
            WaitingKind.MOODLE_FAILS: "",
            WaitingKind.MOODLE_GAPS: "connection/",
            WaitingKind.NOT_ANNOUNCED: "",
        }
        return f"/admin/moodle/{self.slug}/{page[self.kind]}" if self.kind in page else None


def sentence(one: Waiting, words: Words = ENGLISH) -> str:
    """What it is and what to do, without the reason that some machine gave."""
    by_scope = {Scope.SERIES: _of_series, Scope.UNIVERSITY: _of_university, Scope.COURSE: _of_course}
    return by_scope[one.scope](one, words)


def _of_series(one: Waiting, words: Words) -> str:
    if one.kind is WaitingKind.HELD_PLAN:
        return words.gettext(
            "%(name)s: changes that its calendar would make are held back for you to confirm.", name=one.name
        )
    if one.kind is WaitingKind.TABLE:
        return words.gettext(
            "%(name)s: a table that was uploaded has not been read so far. Please look whether the worker runs.",
            name=one.name,
        )
    if one.kind is WaitingKind.HOST_REQUEST:
        return words.gettext(
            "%(name)s: a teacher of %(university)s (%(course)s) says that they host “%(session)s”, and waits for your"
            " yes or no.",
            name=one.name,
            university=one.facts["university"],
            course=one.facts["course"],
            session=one.facts["session"],
        )
    if one.kind is WaitingKind.JOIN_LINK:
        return words.gettext(
            "%(name)s: the calendar has a join link for “%(session)s” that leads to %(host)s, where no meeting of this"
            " series may be. It was not taken over. Allow that place, or correct the calendar.",
            name=one.name,
            session=one.facts["session"],
            host=one.facts["host"],
        )
    return words.gettext("%(name)s: its calendar cannot be read. The sessions stay as they were.", name=one.name)


def _of_university(one: Waiting, words: Words) -> str:
    if one.kind is WaitingKind.GRADES_NOT_SENT:
        return words.ngettext(
            "%(name)s: %(num)s grade could not be sent. The instructor's page says why, and sends it again.",
            "%(name)s: %(num)s grades could not be sent. The instructors' pages say why, and send them again.",
            int(one.facts["count"]),
            name=one.name,
        )
    if one.kind is WaitingKind.MOODLE_GAPS:
        return words.ngettext(
            "%(name)s: in its Moodle, %(num)s setting is to be changed for us.",
            "%(name)s: in its Moodle, %(num)s settings are to be changed for us.",
            int(one.facts["count"]),
            name=one.name,
        )
    if one.kind is WaitingKind.GRADEBOOK_FAILS:
        return words.gettext(
            "%(name)s: the gradebook of its LMS does not answer (%(platform)s). The grades wait, and are sent later.",
            name=one.name,
            platform=one.facts["platform"],
        )
    if one.kind is WaitingKind.PLATFORM:
        return words.gettext(
            "%(name)s: its LMS has registered (%(platform)s) and waits for you to approve it. Until then,"
            " nobody can come from there.",
            name=one.name,
            platform=one.facts["platform"],
        )
    if one.kind is WaitingKind.DEPLOYMENT:
        return words.gettext(
            "%(name)s: somebody has come from a part of its LMS that nobody has approved yet (%(deployment)s). Look"
            " whether it is theirs, and approve it.",
            name=one.name,
            deployment=one.facts["deployment"],
        )
    return words.gettext("%(name)s: its Moodle does not answer us, or does not let us in.", name=one.name)


def _of_course(one: Waiting, words: Words) -> str:
    university, session = one.facts.get("university", ""), one.facts.get("session", "")
    if one.kind is WaitingKind.HELD_ROSTER:
        return words.gettext(
            "%(university)s, course “%(name)s”: many people are gone from its list. This is held back for its"
            " instructors to confirm.",
            university=university,
            name=one.name,
        )
    if one.kind is WaitingKind.HELD_COMPLETIONS:
        return words.gettext(
            "%(university)s, course “%(name)s”: Moodle has taken back many completions at once. This is held back for"
            " its instructors to confirm.",
            university=university,
            name=one.name,
        )
    if one.kind is WaitingKind.TO_ANNOUNCE:
        return words.gettext("“%(session)s” has changed, and the course has not been told.", session=session)
    return words.gettext(
        "%(university)s, course “%(name)s”: the change of “%(session)s” could not be posted to its forum.",
        university=university,
        name=one.name,
        session=session,
    )
