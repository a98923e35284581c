"""Thirteen sessions in the calendars of two real Moodles: made, moved, cancelled, healed, and right after `kill -9`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lms.moodle_events import EventDraft, update_form
from lms.moodle_protocol import Function
from series.moodle_jobs import Level
from tests.live.proxy import Moment
from tests.live.two_sites import NEEDS_TWO_SITES, SESSIONS, Site, TwoSites, open_two_sites

pytestmark = NEEDS_TWO_SITES
CREATE = "core_calendar_create_calendar_events"
UPDATE = "core_calendar_submit_create_update_form"
DELETE = "core_calendar_delete_calendar_events"
LIST = "core_calendar_get_calendar_events"


@pytest.fixture
def two(tmp_path: Path, sqlite_url: str) -> Iterator[TwoSites]:
    with open_two_sites(tmp_path, sqlite_url) as opened:
        opened.connect_both()
        yield opened


@pytest.fixture
def mirrored(two: TwoSites) -> TwoSites:
    assert two.succeeds("run", "mirror").count(f"{SESSIONS} created") == 2
    return two


def change(two: TwoSites, uid: str, **lines: str) -> None:
    """In the calendar of the series, which is read again."""
    two.write_calendar(**{uid: lines})
    two.succeeds("run", "calendar")


def are_right(two: TwoSites) -> None:
    """Every site shows each session once, as the plan has it."""
    for site in two.sites.values():
        found = site.events(two.title)
        assert len(found) == SESSIONS, [(event.name, event.start_at) for event in found]
        assert len({event.name.rpartition(two.title)[2] for event in found}) == SESSIONS
    planned = two.succeeds("run", "mirror", "--dry-run")
    assert planned.count("nothing to do") == 2, planned


def test_all_sessions_are_made_once(mirrored: TwoSites) -> None:
    are_right(mirrored)
    assert mirrored.succeeds("run", "mirror").count("nothing to do (0 calls)") == 2


def test_a_moved_and_a_cancelled_session(mirrored: TwoSites) -> None:
    before = {slug: site.events(mirrored.title) for slug, site in mirrored.sites.items()}
    starts = before["first"][2].start_at + timedelta(hours=1)
    mirrored.write_calendar(
        s2={"DTSTART": f"{starts:%Y%m%dT%H%M00Z}", "DTEND": f"{starts + timedelta(hours=2):%Y%m%dT%H%M00Z}"},
        s4={"STATUS": "CANCELLED"},
    )
    mirrored.succeeds("run", "calendar")
    mirrored.succeeds("run", "mirror")
    are_right(mirrored)
    for slug, site in mirrored.sites.items():
        after = site.events(mirrored.title)
        assert [event.event_id for event in after] == [event.event_id for event in before[slug]]
        assert (after[2].start_at, after[2].duration_s) == (starts, 7200)
        assert "Moved from" in after[2].description
        assert after[4].name.startswith("CANCELLED: ")


def test_an_event_that_was_edited_by_hand_is_put_right_and_reported(mirrored: TwoSites) -> None:
    site = mirrored.sites["first"]
    right = site.events(mirrored.title)[3]
    by_hand(site, right.event_id, "Moved by a teacher", right.start_at + timedelta(hours=2), right.description)
    said = mirrored.run("run", "sweep")
    assert "1 repaired" in said.stdout, said
    assert "was changed in Moodle (called “Moved by a teacher”" in said.stdout + said.stderr
    after = site.events(mirrored.title)[3]
    assert (after.event_id, after.name, after.start_at) == (right.event_id, right.name, right.start_at)
    are_right(mirrored)


def test_an_event_that_was_deleted_by_hand_is_made_again(mirrored: TwoSites) -> None:
    site = mirrored.sites["second"]
    gone = site.events(mirrored.title)[7]
    site.admin.delete_calendar_events([gone.event_id])
    mirrored.run("run", "sweep")
    are_right(mirrored)


def by_hand(site: Site, event_id: int, name: str, start_at: datetime, description: str) -> None:
    """What a person with the right to does in the page of the event: it sends along whose the event is."""
    draft = EventDraft(
        course_id=site.course_id, name=name, description=description, start_at=start_at, duration_minutes=60
    )
    (event,) = site.admin.calendar_events_by_ids([event_id])
    form = f"{update_form(event_id, draft, start_at)}&userid={event.user_id}"
    site.admin.ask(Function.SUBMIT_CREATE_UPDATE_FORM, {"formdata": form})


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_sessions_are_made(two: TwoSites, moment: Moment) -> None:
    with two.through("first") as proxy:
        two.killed_in(proxy, CREATE, moment, "run", "mirror", "--university", "first")
        if moment == "after":
            two.later(timedelta(minutes=8))  # the killed run is given up
            two.succeeds("run", "mirror")
        proxy.release()  # late, if Moodle had not begun
    two.later()
    two.run("run", "mirror")
    two.run("run", "sweep")
    are_right(two)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("function", [LIST, UPDATE])
def test_killed_while_a_session_is_moved(mirrored: TwoSites, function: str, moment: Moment) -> None:
    starts = mirrored.sites["first"].events(mirrored.title)[2].start_at + timedelta(hours=1)
    lines = {"DTSTART": f"{starts:%Y%m%dT%H%M00Z}", "DTEND": f"{starts + timedelta(hours=2):%Y%m%dT%H%M00Z}"}
    change(mirrored, "s2", **lines)
    with mirrored.through("first") as proxy:
        mirrored.killed_in(proxy, function, moment, "run", "mirror", "--university", "first")
        proxy.release()
    mirrored.later()
    mirrored.run("run", "mirror")
    mirrored.run("run", "sweep")
    are_right(mirrored)
    assert mirrored.sites["first"].events(mirrored.title)[2].start_at == starts


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_doubles_are_removed(mirrored: TwoSites, moment: Moment) -> None:
    site = mirrored.sites["first"]
    original = site.events(mirrored.title)[1]
    draft = EventDraft(
        course_id=site.course_id,
        name=original.name,
        description=original.description,
        start_at=original.start_at,
        duration_minutes=original.duration_s // 60,
    )
    list(site.service.create_calendar_events([draft, draft]))
    with mirrored.through("first") as proxy:
        mirrored.killed_in(proxy, DELETE, moment, "run", "sweep", "--university", "first")
        proxy.release()
    mirrored.later()
    mirrored.run("run", "sweep")
    are_right(mirrored)
    assert original.event_id in [event.event_id for event in site.events(mirrored.title)]


def test_an_event_of_a_teacher_with_our_link_is_never_touched(mirrored: TwoSites) -> None:
    site = mirrored.sites["first"]
    original = site.events(mirrored.title)[0]
    (copy,) = site.admin.create_calendar_events(
        [
            EventDraft(
                course_id=site.course_id,
                name=f"A copy of {original.name}",
                description=original.description,
                start_at=original.start_at,
                duration_minutes=30,
            )
        ]
    )
    assert isinstance(copy, int)
    (before,) = site.admin.calendar_events_by_ids([copy])
    mirrored.run("run", "sweep")
    change(mirrored, "s0", SUMMARY=f"{mirrored.title} 1: renamed")
    mirrored.run("run", "mirror")
    (after,) = site.admin.calendar_events_by_ids([copy])
    assert replace(after) == before


def test_each_level_asks_for_no_more_than_it_needs(two: TwoSites) -> None:
    for level in Level:
        assert two.connect("first", level)
