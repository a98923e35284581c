"""A course of a connected Moodle from which one activity counts, as the stores see it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from series.collecting import Key, Said, Source
from series.moodle_jobs import Level
from series.rosters import RosterMember
from series.rule import Demand, Kind, Rule
from series.store.activity_states import (
    Outcome,
    Place,
    add_completed,
    known_states,
)
from series.store.course_collects import CollectedCourse, connected_course_ids, course_to_collect
from series.store.database import Connection, Database
from series.store.evidence import facts_of
from series.store.held_completions import weigh
from series.store.mapped_activities import NewMapping, map_activity
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.records import completions_of
from series.store.rosters import save_roster
from series.store.rules import set_rule
from series.store.taking_back import take_back
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, SESSION
from tests.seeds import ENCRYPTION_KEY, ISSUER, Seeded, launch, seed

ELSEWHERE = "https://elsewhere.example"
READING, MARIA, UNKNOWN = 21, "5", "6"
DONE = Said(key=(READING, Source.ACTIVITY), session_id=SESSION.session_id, is_complete=True, changed_at=NOW)
NOT_DONE = replace(DONE, is_complete=False, changed_at=NOW + timedelta(hours=1))
MAPPING = NewMapping(cmid=READING, session_id=SESSION.session_id, module="page", name="Reading", by="participant 1")


@dataclass(frozen=True, kw_only=True)
class Store:
    """Malta's course 2, from which one reading counts for the first session; Maria has launched."""

    database: Database
    seeded: Seeded
    place: Place
    participant_id: int

    def add(self, said: Said = DONE, sub: str = MARIA, now: datetime = NOW) -> Outcome:
        with self.database.write() as connection:
            return add_completed(connection, self.place, sub, [said], now=now)

    def take(self, said: Said = NOT_DONE, sub: str = MARIA) -> Outcome:
        with self.database.write() as connection:
            return take_back(connection, self.place, sub, [said], now=NOW)

    def states(self, sub: str = MARIA) -> dict[Key, Any]:
        with self.database.read() as connection:
            return dict(known_states(connection, self.place.course_id, sub))

    def facts(self) -> list[tuple[str, str, datetime, str | None, str | None]]:
        """(source, source id, when, who withdrew it, name)."""
        with self.database.read() as connection:
            facts = facts_of(connection, participant_id=self.participant_id, series_id=SERIES.series_id)
        return [
            (
                one.source,
                one.recorded_by or "",
                one.evidence.observed_at,
                one.retraction and one.retraction.by,
                one.reason,
            )
            for one in facts
        ]

    def is_done(self) -> bool:
        who = {"participant_id": self.participant_id, "series_id": SERIES.series_id}
        with self.database.read() as connection:
            return SESSION.session_id in completions_of(connection, **who)

    def weigh(self, taken: dict[str, list[Said]], standing: dict[str, list[Said]] | None = None) -> list[str]:
        """Of whom something may be taken back."""
        with self.database.write() as connection:
            return sorted(weigh(connection, self.place.course_id, taken, standing or {}, now=NOW))

    def give_to(self, count: int) -> list[str]:
        subs = [str(number) for number in range(100, 100 + count)]
        with self.database.write() as connection:
            members = [RosterMember(sub=sub, is_learner=True) for sub in subs]
            save_roster(connection, self.place.course_id, members, now=NOW)
        for sub in subs:
            self.add(sub=sub)
        return subs


def connected_to(address: str, university_id: int = MALTA.university_id) -> NewConnection:
    return NewConnection(
        university_id=university_id, base_url=address, token="token", moodle_user_id=35, level=Level.COMPLETIONS
    )


def open_store(database: Database) -> Store:
    seeded = seed(database)
    visit = launch(database)
    with database.write() as connection:
        save_connection(connection, connected_to(ISSUER), encryption_key=ENCRYPTION_KEY, now=NOW)
        there = {"university_id": MALTA.university_id, "moodle_course_id": 2}
        tie_course(connection, **there, title="Teaching STEM", series_id=SERIES.series_id, now=NOW)
        rule = Rule(ways=((Demand(kind=Kind.LMS),),), required=2)
        set_rule(connection, SERIES.series_id, rule, by="operator", now=NOW - timedelta(days=1))
        assert visit.course_id is not None
        map_activity(connection, visit.course_id, MAPPING, now=NOW)
    place = Place(course_id=visit.course_id, university_id=MALTA.university_id, base_url=ISSUER, knows_people=True)
    return Store(database=database, seeded=seeded, place=place, participant_id=visit.participant_id)


def courses_to_collect(connection: Connection, university_id: int) -> list[CollectedCourse]:
    ids = connected_course_ids(connection, university_id)
    found = (course_to_collect(connection, university_id, course_id) for course_id in ids)
    return [one for one in found if one is not None]
