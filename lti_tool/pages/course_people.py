"""The people of the teacher's own course: who they are by the LMS's word now, and which of them we know.

Names come from the LMS's roster at view time and are not stored.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from flask import abort

from lms.errors import LmsError
from lms.nrps import Member, as_roster_member, read_memberships
from lms.service_tokens import as_service_platform
from lms.turnstile import TooManyWait
from lti_tool.pages.words import WORDS
from lti_tool.tool import LMS_WITHIN_S, the_tool
from series.people import CoursePerson, Visit
from series.permissions import Action, may
from series.rosters import RosterMember
from series.store.audit import append_audit
from series.store.counts import memberships_url_of, people_of_course, person_of_course, resource_link_of, subs_beside
from series.store.database import Connection
from series.store.rosters import Roster, ensure_participants, roster_of, save_roster
from series.store.tombstones import without_erased
from series.store.universities import get_platform

gettext = WORDS.gettext


class Listed(Enum):
    """Whom an LMS is asked for. The whole course is what is stored: who may not open an activity has not left."""

    OF_ACTIVITY = "who can open it, where the LMS can tell"
    OF_COURSE = "everybody"


@dataclass(frozen=True, kw_only=True)
class Learner:
    """One row. `person` None: somebody whom only the LMS's roster knows."""

    sub: str
    name: str | None
    person: CoursePerson | None
    is_suspended: bool = False
    is_gone: bool = False
    is_unlisted: bool = False  # by the list that the LMS sends now; perhaps it is about to be gone
    shares_name: bool = False

    @property
    def has_started(self) -> bool:
        return self.person is not None and self.person.has_started

    @property
    def is_here(self) -> bool:
        """Neither gone, nor about to be, nor suspended."""
        return not (self.is_gone or self.is_unlisted or self.is_suspended)

    @property
    def participant_id(self) -> int | None:
        return self.person.participant_id if self.person else None

    @property
    def called(self) -> str:
        """By name, with the number in the LMS where that is needed to tell two apart."""
        number = gettext("No. %(number)s in your LMS", number=self.sub)
        if self.name is None:
            return number
        return f"{self.name} ({number})" if self.shares_name else self.name


@dataclass(frozen=True, kw_only=True)
class LiveRoster:
    """`members` None: the LMS has not told who is in the course, and `problem` says why, if it was asked."""

    members: tuple[Member, ...] | None = None
    problem: str | None = None

    @property
    def learners(self) -> list[Member]:
        return [one for one in self.members or () if (kept := as_roster_member(one)) and kept.is_learner]


@dataclass(frozen=True, kw_only=True)
class Course:
    """A course with its people, by name; those without one by their number, last."""

    title: str
    learners: list[Learner]
    live: LiveRoster
    stored: Roster

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Of everybody whom the LMS's roster names, teachers too, by `sub`."""
        return {one.user_id: one.name for one in self.live.members or () if one.name}

    @cached_property
    def by_participant(self) -> Mapping[int, Learner]:
        return {one.participant_id: one for one in self.learners if one.participant_id is not None}

    def learner_of(self, participant_id: int, sub: str) -> Learner:
        """Also of somebody who learns here no more."""
        known = self.by_participant.get(participant_id)
        return known or Learner(sub=sub, name=self.names.get(sub), person=None, is_gone=True)


def require_course(visit: Visit) -> int:
    """The id of the course that this visit teaches; 403 if it teaches none."""
    if not may(visit, Action.SEE_COURSE) or visit.course_id is None:
        abort(403)
    return visit.course_id


def read_course(visit: Visit) -> Course:
    """Asks the LMS for names."""
    course_id = require_course(visit)
    with the_tool().database.read() as connection:
        title, memberships_url = memberships_url_of(connection, course_id)
    live = _live_roster(visit, memberships_url, whose=Listed.OF_ACTIVITY)
    with the_tool().database.read() as connection:
        stored = roster_of(connection, course_id)
        people = people_of_course(connection, course_id, subs=[one.user_id for one in live.learners])
    return Course(title=title, learners=learners_of(people, live, stored), live=live, stored=stored)


def learners_of(people: Iterable[CoursePerson], live: LiveRoster, stored: Roster) -> list[Learner]:
    """Everybody in a roster and everybody who ever came, by name."""
    now = {one.user_id: one for one in live.learners}
    before = {one.sub: one for one in stored.members if one.is_learner}
    known = list(people)
    unknown = set(now)
    if not now or stored.held:  # else who never came and is not listed now has left, or cannot open the activity
        unknown |= {sub for sub, one in before.items() if one.gone_at is None}
    unknown -= {person.sub for person in known}
    names = Counter(one.name for one in now.values() if one.name)
    listed = {one.user_id for one in live.members or ()}
    learners = [
        replace(
            _learner(sub, person, now.get(sub), before.get(sub), names),
            is_unlisted=bool(listed) and sub not in listed,
        )
        for sub, person in [*((one.sub, one) for one in known), *((sub, None) for sub in unknown)]
    ]
    return sorted(learners, key=lambda one: (one.name is None, _for_order(one.name or ""), len(one.sub), one.sub))


def _learner(
    sub: str, person: CoursePerson | None, now: Member | None, before: RosterMember | None, names: Counter[str]
) -> Learner:
    """By what the LMS says `now`, or else by the roster that was kept `before`."""
    return Learner(
        sub=sub,
        name=now.name if now else None,
        person=person,
        is_suspended=now.is_suspended if now else before is not None and before.is_suspended,
        is_gone=now is None and before is not None and before.gone_at is not None,
        shares_name=now is not None and names[now.name or ""] > 1,
    )


def _for_order(name: str) -> str:
    """Ġorġ among the names with G: without what stands above and below the letters."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign)).casefold()


def find_person(visit: Visit, participant_id: int, course: Course | None = None) -> CoursePerson:
    """Somebody of the own course; 404 for everybody else. Without `course`, the LMS is asked only about people whom we
    do not know to be in it."""
    course_id = require_course(visit)
    with the_tool().database.read() as connection:
        person = person_of_course(connection, course_id, participant_id)
    if person is None:
        known = (course or read_course(visit)).by_participant.get(participant_id)
        person = known.person if known else None
    if person is None:
        abort(404)
    return person


def find_person_to_act_for(visit: Visit, participant_id: int) -> CoursePerson:
    """As find_person; 403 for oneself."""
    person = find_person(visit, participant_id)
    if not may(visit, Action.ACT_FOR, person):
        abort(403)
    return person


def find_people_to_act_for(visit: Visit, subs: Collection[str]) -> list[CoursePerson]:
    """Those of them for whom this teacher may act, with a place in the course's gradebook. Who is in the course by the
    LMS's word now, but not in the roster that we keep, is taken into it."""
    people = _ensure(visit, subs, ())
    if not set(subs) <= people.keys() and (listed := _listed_now(visit)):
        people = _ensure(visit, subs, listed)
    return [person for person in people.values() if may(visit, Action.ACT_FOR, person)]


def _ensure(visit: Visit, subs: Collection[str], listed: Collection[RosterMember]) -> dict[str, CoursePerson]:
    course_id, now = require_course(visit), the_tool().clock.now()
    with the_tool().database.write() as connection:
        if listed:
            kept = without_erased(connection, course_id, listed, secret_key=the_tool().settings.secret_key)
            save_roster(connection, course_id, kept, now=now)
        ensure_participants(connection, course_id=course_id, subs=subs, now=now)
        people = people_of_course(connection, course_id)
    return {person.sub: person for person in people if person.sub in set(subs)}


def _listed_now(visit: Visit) -> list[RosterMember]:
    """Who is in the course by the LMS's word now; nobody when it does not say."""
    with the_tool().database.read() as connection:
        _, memberships_url = memberships_url_of(connection, require_course(visit))
    members = _live_roster(visit, memberships_url, whose=Listed.OF_COURSE).members or ()
    return [one for one in map(as_roster_member, members) if one is not None]


def names_of_actors(
    connection: Connection, visit: Visit, course: Course, actors: Iterable[str | None]
) -> dict[int, str]:
    """Of participants who have said something, as in the audit table: those whom the course's LMS names."""
    ids = {int(number) for _, _, number in (str(one).partition("participant ") for one in actors) if number.isdecimal()}
    subs = subs_beside(connection, ids, of=visit.participant_id)
    return {participant_id: course.names[sub] for participant_id, sub in subs.items() if sub in course.names}


def note(visit: Visit, action: str, thing: str, **detail: str | int) -> None:
    """Whoever sees people by name, or does something to them, is seen doing so."""
    with the_tool().database.write() as connection:
        append_audit(connection, actor=actor(visit), action=action, thing=thing, now=the_tool().clock.now(), **detail)


def actor(visit: Visit) -> str:
    return f"participant {visit.participant_id}"


def _live_roster(visit: Visit, memberships_url: str | None, *, whose: Listed) -> LiveRoster:
    tool = the_tool()
    with tool.database.read() as connection:
        row = get_platform(connection, visit.platform_id)
        link = resource_link_of(connection, visit.placement_id) if whose is Listed.OF_ACTIVITY else None
    if row is None or memberships_url is None:
        return LiveRoster()
    platform = as_service_platform(row)
    try:
        with tool.turnstile.place(platform.platform_id):
            members = read_memberships(
                tool.http,
                tool.service_tokens,
                platform,
                memberships_url,
                resource_link_id=link,
                within_s=LMS_WITHIN_S,
            )
    except (LmsError, TooManyWait) as error:
        return LiveRoster(problem=str(error))
    return LiveRoster(members=members)
