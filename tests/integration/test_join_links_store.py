"""Join links: every change is kept, without the link; and where they may lead, also from the calendar."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from series.hand_edits import change_join_url, release
from series.join_links import CALENDAR, JoinPlaces
from series.plans import Plan, Reason
from series.sessions import Field, Session, Status
from series.store import tables
from series.store.database import Database
from series.store.hand_edits import edit_session, version_of
from series.store.held_plans import PlanOutdated, accept, hold
from series.store.join_links import (
    JoinLinkChange,
    join_hosts_of,
    join_link_changes,
    late_change,
    set_join_hosts,
)
from series.store.lms_tables import join_link_change
from series.store.sessions import change_session, get_series, save_plan
from series.store.waiting import waiting_for_coordinator
from series.waiting import WaitingKind
from tests.conftest import NOW
from tests.examples import SERIES, SESSION
from tests.integration.coordinator import Coordinator, Entry, open_coordinator, weekly
from tests.seeds import Seeded, count, seed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAFF = "staff 1"


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


def change(database: Database, join_url: str | None, *, by: str = STAFF, **more: object) -> None:
    now = more.get("now", NOW)
    with database.write() as connection:
        changed = replace(SESSION, join_url=join_url)
        change_session(connection, changed, by=by, now=now)  # type: ignore[arg-type]


def changes(database: Database) -> list[JoinLinkChange]:
    with database.read() as connection:
        return join_link_changes(connection, SESSION.session_id)


# The log


def test_every_change_is_kept_by_its_hosts_alone(database: Database, seeded: Seeded) -> None:
    change(database, "https://zoom.us/j/123?pwd=secret", by="participant 7")
    change(database, "https://zoom.us/j/456", by=CALENDAR)
    change(database, None)
    assert [(one.by, one.old_host, one.new_host) for one in changes(database)] == [
        (STAFF, "zoom.us", None),
        (CALENDAR, "zoom.us", "zoom.us"),
        ("participant 7", "meet.example", "zoom.us"),
    ]
    with database.read() as connection:
        kept = str(connection.execute(sa.select(join_link_change)).all())
    assert "secret" not in kept
    assert "123" not in kept


def test_what_leaves_the_link_alone_is_no_change_of_it(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        change_session(connection, replace(SESSION, title="Another one"), by=STAFF, now=NOW)
    assert changes(database) == []


def test_a_plan_of_the_calendar_is_the_calendars_change(database: Database, seeded: Seeded) -> None:
    plan = Plan(new=(), changed=(replace(SESSION, join_url="https://zoom.us/j/1"),), rekeyed=())
    with database.write() as connection:
        save_plan(connection, SERIES.series_id, plan, now=NOW)
    assert [one.by for one in changes(database)] == [CALENDAR]


def test_an_edit_by_hand_says_who(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        edit_session(
            connection,
            SERIES.series_id,
            SESSION.session_id,
            version_of(SESSION),
            lambda session: change_join_url(session, "https://zoom.us/j/1", places=JoinPlaces(), now=NOW),
            actor="participant 7",
            action="change_join_link",
            now=NOW,
        )
    assert [one.by for one in changes(database)] == ["participant 7"]


# The notice


@pytest.mark.parametrize(
    ("changed", "looked", "is_news"),
    [
        (-23 * HOUR, -22 * HOUR, True),
        (-25 * HOUR, -22 * HOUR, False),
        (-25 * HOUR, HOUR, False),
        (HOUR, HOUR, True),
        (HOUR, 2 * HOUR, False),  # over
    ],
)
def test_a_late_change_is_told_until_the_end(
    database: Database, seeded: Seeded, changed: timedelta, looked: timedelta, *, is_news: bool
) -> None:
    change(database, "https://zoom.us/j/1", now=SESSION.start_at + changed)
    with database.read() as connection:
        found = late_change(connection, SESSION, now=SESSION.start_at + looked)
    assert (found is not None) == is_news


def test_the_first_link_of_a_session_is_no_change_to_be_told(database: Database) -> None:
    without = replace(SESSION, join_url=None)
    seed(database, sessions=[without])
    change(database, "https://zoom.us/j/1")
    assert len(changes(database)) == 1
    with database.read() as connection:
        assert late_change(connection, SESSION, now=NOW) is None


# Where meetings may be


def test_the_hosts_of_a_series_are_kept_and_audited(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        assert join_hosts_of(connection, SERIES.series_id) == ()
        set_join_hosts(connection, SERIES.series_id, ("zoom.us", "bbb.uni.example"), by=STAFF, now=NOW)
    with database.read() as connection:
        assert join_hosts_of(connection, SERIES.series_id) == ("zoom.us", "bbb.uni.example")
        assert get_series(connection, SERIES.series_id).join_hosts == ("zoom.us", "bbb.uni.example")
        last = connection.execute(sa.select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert last is not None
    assert (last.actor, last.action, last.detail) == (STAFF, "set_join_hosts", '{"hosts": "zoom.us bbb.uni.example"}')
    with database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, (), by=STAFF, now=NOW)
        assert join_hosts_of(connection, SERIES.series_id) == ()


def test_a_held_plan_with_a_link_that_is_not_allowed_any_more_is_outdated(database: Database, seeded: Seeded) -> None:
    ahead = replace(seeded.sessions[1], join_url="https://elsewhere.example/")
    plan = Plan(new=(), changed=(ahead,), rekeyed=())
    with database.write() as connection:
        held = hold(connection, SERIES.series_id, plan, None, (Reason.UPLOADED,), source="table:x", now=NOW)
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by=STAFF, now=NOW)
    with database.write() as connection, pytest.raises(PlanOutdated):
        accept(connection, SERIES.series_id, held.digest, actor=STAFF, now=NOW)
    assert count(database, join_link_change) == 0


# The calendar


def entry(link: str) -> Entry:
    return LinkedEntry(title="Week 1", start_at=weekly(1)[0].start_at, link=link)


@dataclass(frozen=True, kw_only=True)
class LinkedEntry(Entry):
    """One event with a join link."""

    link: str

    def lines(self) -> list[str]:
        first, *rest = super().lines()
        return [first, f"DESCRIPTION:Join: {self.link}", *rest]


@pytest.fixture
def coordinator(database_url: str, tmp_path: Path) -> Iterator[Coordinator]:
    """The first session has a link to zoom.us, which alone is allowed."""
    with open_coordinator(database_url, tmp_path) as made:
        made.begins_with(entry("https://zoom.us/j/1"))
        with made.services.database.write() as connection:
            set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by=STAFF, now=made.services.clock.now())
        yield made


def session_of(coordinator: Coordinator) -> Session:
    return coordinator.sessions()["Week 1"]


def waits(coordinator: Coordinator) -> list[tuple[WaitingKind, object]]:
    with coordinator.services.database.read() as connection:
        found = waiting_for_coordinator(connection, now=coordinator.services.clock.now())
    return [(one.kind, one.facts.get("host")) for one in found]


def test_an_allowed_link_of_the_calendar_is_taken_over(coordinator: Coordinator) -> None:
    imported = coordinator.changes_to(entry("https://uni.zoom.us/j/2"))
    assert (imported.changed, imported.problems) == (1, ())
    assert session_of(coordinator).join_url == "https://uni.zoom.us/j/2"
    assert waits(coordinator) == []


def test_a_link_of_the_calendar_to_elsewhere_is_not_and_waits_for_the_coordinator(coordinator: Coordinator) -> None:
    imported = coordinator.changes_to(entry("https://zoom.us.evil.example/j/2"))
    (problem,) = imported.problems
    assert (problem.event, problem.done) == ("Week 1", "the old link stays")
    assert problem.fact == "has a join link to zoom.us.evil.example, where no meeting of this series may be"
    session = session_of(coordinator)
    assert (session.join_url, session.refused_join_host) == ("https://zoom.us/j/1", "zoom.us.evil.example")
    assert waits(coordinator) == [(WaitingKind.JOIN_LINK, "zoom.us.evil.example")]
    again = coordinator.changes_to(entry("https://zoom.us.evil.example/j/2"))
    assert again.changed == 0, "said once more, it changes nothing"


def test_it_waits_no_more_when_the_calendar_is_mended_or_the_place_is_allowed(coordinator: Coordinator) -> None:
    coordinator.changes_to(entry("https://evilzoom.us/j/2"))
    coordinator.changes_to(entry("https://zoom.us/j/1"))
    assert waits(coordinator) == []
    coordinator.changes_to(entry("https://teams.example/j/2"))
    with coordinator.services.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("teams.example",), by=STAFF, now=coordinator.services.clock.now())
    coordinator.imports()
    assert session_of(coordinator).join_url == "https://teams.example/j/2"
    assert waits(coordinator) == []


def test_a_new_session_with_a_link_to_elsewhere_comes_without_one(coordinator: Coordinator) -> None:
    extra = LinkedEntry(title="Extra", start_at=weekly(2)[1].start_at, link="https://elsewhere.example/j")
    (problem,) = coordinator.changes_to(entry("https://zoom.us/j/1"), extra).problems
    assert problem.done == "left without a link"
    session = coordinator.sessions()["Extra"]
    assert (session.join_url, session.refused_join_host) == (None, "elsewhere.example")


def test_a_link_that_was_there_before_the_list_stays(coordinator: Coordinator) -> None:
    with coordinator.services.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("teams.example",), by=STAFF, now=coordinator.services.clock.now())
    imported = coordinator.imports()
    assert (imported.changed, imported.problems) == (0, ())
    assert session_of(coordinator).join_url == "https://zoom.us/j/1"


def test_a_link_by_hand_stays_until_it_is_released(coordinator: Coordinator) -> None:
    coordinator.changes_to(entry("https://evilzoom.us/j/2"))
    now, session = coordinator.services.clock.now(), session_of(coordinator)
    places = JoinPlaces(hosts=("zoom.us",))
    by_hand = change_join_url(session, "https://zoom.us/j/9", places=places, now=now)
    with coordinator.services.database.write() as connection:
        change_session(connection, by_hand, by=STAFF, now=now)
    assert waits(coordinator) == []
    coordinator.imports()
    assert (session_of(coordinator).join_url, waits(coordinator)) == ("https://zoom.us/j/9", [])
    with coordinator.services.database.write() as connection:
        change_session(connection, release(by_hand, [Field.JOIN_URL]), by=STAFF, now=now)
    coordinator.changes_to(entry("https://evilzoom.us/j/2"), *weekly(3)[2:])
    assert session_of(coordinator).join_url == "https://zoom.us/j/9"
    assert waits(coordinator) == [(WaitingKind.JOIN_LINK, "evilzoom.us")]


def test_the_link_that_there_is_said_again_by_a_person_ends_the_waiting(coordinator: Coordinator) -> None:
    coordinator.changes_to(entry("https://evilzoom.us/j/2"))
    now, session = coordinator.services.clock.now(), session_of(coordinator)
    again = change_join_url(session, "https://zoom.us/j/1", places=JoinPlaces(hosts=("zoom.us",)), now=now)
    with coordinator.services.database.write() as connection:
        change_session(connection, again, by=STAFF, now=now)
    coordinator.changes_to(entry("https://evilzoom.us/j/2"), *weekly(3)[2:])
    assert (session_of(coordinator).join_url, waits(coordinator)) == ("https://zoom.us/j/1", [])


def test_nobody_waits_for_the_link_of_a_session_that_is_cancelled(coordinator: Coordinator) -> None:
    coordinator.changes_to(entry("https://evilzoom.us/j/2"))
    session = replace(session_of(coordinator), status=Status.CANCELLED)
    with coordinator.services.database.write() as connection:
        change_session(connection, session, by=STAFF, now=coordinator.services.clock.now())
    assert waits(coordinator) == []


def test_a_session_that_has_begun_is_not_complained_of_for_ever(coordinator: Coordinator) -> None:
    coordinator.changes_to(entry("https://evilzoom.us/j/2"), *weekly(3)[1:])
    coordinator.waits(8 * 24 * 3600)
    assert waits(coordinator) == []
    assert coordinator.changes_to(entry("https://evilzoom.us/j/3"), *weekly(3)[1:]).problems == ()
