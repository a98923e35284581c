"""Levels and checks, completions, overrides and announcements with two real Moodles, and `kill -9` in each step."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from lms.moodle_protocol import Function
from series.moodle_jobs import Level
from series.rosters import RosterMember
from series.rule import Kind
from series.store.evidence import facts_of
from series.store.launches import upsert_participant
from series.store.mapped_activities import NewMapping, map_activity
from series.store.mirrors import mirrored_courses
from series.store.rosters import save_roster
from series.store.sessions import find_series, sessions_of
from series.store.tables import course, deployment, participant, placement, platform, roster_member, university
from tests.live.proxy import Moment
from tests.live.two_sites import GIVEN, NEEDS_TWO_SITES, PREFIXES, Site, TwoSites, open_two_sites

pytestmark = NEEDS_TWO_SITES
COMPLETIONS = "tool_mobile_call_external_functions"
POST = "mod_forum_add_discussion"


@pytest.fixture
def two(tmp_path: Path, sqlite_url: str) -> Iterator[TwoSites]:
    with open_two_sites(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def connected(two: TwoSites) -> Iterator[TwoSites]:
    """For completions; the manual page of each course counts for the first session, and the student is known."""
    two.connect_both(Level.COMPLETIONS)
    two.succeeds("series", "rule", "live", "--set", "-", stdin=json.dumps({"ways": [[{"kind": "lms"}]], "required": 1}))
    for site in two.sites.values():
        _mark(site, is_done=False)
        _map(two, site)
    yield two
    for site in two.sites.values():
        _mark(site, is_done=False)


# Connecting


def test_each_level_is_connected_and_checked(two: TwoSites) -> None:
    for level in Level:
        for slug in two.sites:
            two.connect(slug, level)
        found = two.run("doctor", "--json")
        gaps = [check for check in _checks(found.stdout) if check["outcome"] == "gap"]
        assert not gaps, gaps
        assert found.returncode == 0
    for site in two.sites.values():
        assert not [event for event in site.events("") if "check" in event.name.lower()]


def test_a_wrong_token_stores_nothing(two: TwoSites) -> None:
    done = two.run(
        "connect", "first", "--url", GIVEN["first"]["URL"], "--course", "2", "--series", "live", "--token-file", "-",
        stdin="0123456789abcdef0123456789abcdef",
    )  # fmt: skip
    assert done.returncode == 1
    assert "token" in done.stderr
    assert two.run("run", "mirror").returncode == 1


@pytest.mark.parametrize(
    "capability",
    ["moodle/calendar:manageentries", "moodle/user:viewdetails", "report/progress:view", "mod/lti:view"],
)
def test_a_capability_that_is_taken_away_is_found_and_named(connected: TwoSites, capability: str) -> None:
    with without(connected.sites["first"], capability):
        found = connected.run("doctor", "first")
    assert found.returncode == 1
    assert capability in found.stdout + found.stderr
    assert connected.run("doctor", "first").returncode == 0


# Completions


def test_a_completion_is_collected_and_taken_back(connected: TwoSites) -> None:
    for site in connected.sites.values():
        _mark(site, is_done=True)
    connected.succeeds("run", "collect")
    assert [kinds(connected, slug) for slug in connected.sites] == [[Kind.LMS], [Kind.LMS]]
    connected.succeeds("run", "collect")
    assert [kinds(connected, slug) for slug in connected.sites] == [[Kind.LMS], [Kind.LMS]]
    for site in connected.sites.values():
        _mark(site, is_done=False)
    connected.succeeds("run", "collect", "--all")
    assert [kinds(connected, slug) for slug in connected.sites] == [[], []]


def test_who_is_not_known_waits_for_a_launch(connected: TwoSites) -> None:
    site = connected.sites["first"]
    with connected.database.write() as connection:
        connection.execute(sa.delete(roster_member))
        connection.execute(sa.delete(participant))
    _mark(site, is_done=True)
    connected.succeeds("run", "collect", "--all")
    with connected.database.read() as connection:
        assert connection.execute(sa.select(participant)).all() == []
    _know_the_student(connected, site)
    connected.succeeds("run", "collect")
    assert kinds(connected, "first") == [Kind.LMS]


def test_a_teachers_override_of_ours_is_collected_and_our_own_echo_is_not(connected: TwoSites) -> None:
    site = connected.sites["first"]
    _override(site, 0)  # Moodle takes no word for what a grade has completed already
    _override(site, 1)
    try:
        connected.succeeds("run", "collect", "--all")
        assert kinds(connected, "first") == [Kind.LMS]
        _override(site, 0)
        connected.succeeds("run", "collect", "--all")
        assert kinds(connected, "first") == []
    finally:
        _override(site, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_completions_are_collected(connected: TwoSites, moment: Moment) -> None:
    site = connected.sites["first"]
    _mark(site, is_done=True)
    with connected.through("first") as proxy:
        connected.killed_in(proxy, COMPLETIONS, moment, "run", "collect", "--all", "--university", "first")
        proxy.release()
    connected.later()
    connected.succeeds("run", "collect", "--university", "first")
    assert kinds(connected, "first") == [Kind.LMS]


# Announcements


@pytest.mark.parametrize("moment", [None, "before", "after"])
def test_a_cancelled_session_is_announced_once(two: TwoSites, moment: Moment | None) -> None:
    two.connect_both(Level.CALENDAR)
    two.succeeds("run", "mirror")
    with two.database.write() as connection:
        connection.execute(sa.update(course).values(announces=True))  # as an instructor does it on the course's page
    two.write_calendar(s1={"STATUS": "CANCELLED"})
    two.succeeds("run", "calendar")
    two.later(timedelta(minutes=6))
    if moment is None:
        two.succeeds("run", "announce")
    else:
        with two.through("first") as proxy:
            two.killed_in(proxy, POST, moment, "run", "announce", "--university", "first")
            proxy.release()
    two.later()
    two.succeeds("run", "announce")
    two.later()
    two.succeeds("run", "announce")
    for site in two.sites.values():
        forum = site.service.announcements_forum(site.course_id)
        assert forum is not None
        found = [one for one in site.service.discussions(forum) if two.title in one.subject + one.message]
        assert len(found) == 1, [one.subject for one in found]


# What people do there


def _mark(site: Site, *, is_done: bool) -> None:
    """The student, on the page."""
    site.student.ask(
        cast("Function", "core_completion_update_activity_completion_status_manually"),
        {"cmid": site.page_cmid, "completed": is_done},
    )


def _override(site: Site, state: int) -> None:
    site.admin.ask(
        cast("Function", "core_completion_override_activity_completion_status"),
        {"userid": int(site.student_id), "cmid": site.activity_cmid, "newstate": state},
    )


@contextmanager
def without(site: Site, capability: str) -> Iterator[None]:
    command = os.environ.get(f"{PREFIXES[site.slug]}CAPABILITY")
    if not command:
        pytest.skip(f"LIVE TEST SKIPPED: {PREFIXES[site.slug]}CAPABILITY, a command that takes one away, is not set")
    subprocess.run([*shlex.split(command), capability, "prohibit"], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*shlex.split(command), capability, "allow"], check=True, capture_output=True)


# What we know


def _checks(text: str) -> list[dict[str, str]]:
    """Of all universities."""
    found = json.loads(text)
    return [check for one in found for check in one["checks"]]


def _course_id(two: TwoSites, site: Site) -> int:
    with two.database.read() as connection:
        university_id = connection.execute(
            sa.select(university.c.id).where(university.c.slug == site.slug)
        ).scalar_one()
        return next(
            one.course_id
            for one in mirrored_courses(connection, university_id)
            if one.moodle_course_id == site.course_id
        )


def _map(two: TwoSites, site: Site) -> None:
    """As an instructor does it on the course's page."""
    course_id = _course_id(two, site)
    with two.database.write() as connection:
        session = sessions_of(connection, find_series(connection, "live").series_id)[0]
        new = NewMapping(
            cmid=site.page_cmid, session_id=session.session_id, module="page", name="Reading", by="operator"
        )
        map_activity(connection, course_id, new, now=datetime.now(UTC))
        member = RosterMember(sub=site.student_id, is_learner=True, is_suspended=False)
        save_roster(connection, course_id, [member], now=datetime.now(UTC))
    _place(two, site)
    _know_the_student(two, site)


def _know_the_student(two: TwoSites, site: Site) -> None:
    """As a launch does it."""
    with two.database.write() as connection:
        university_id = connection.execute(
            sa.select(university.c.id).where(university.c.slug == site.slug)
        ).scalar_one()
        upsert_participant(
            connection,
            university_id=university_id,
            issuer=GIVEN[site.slug]["URL"],
            sub=site.student_id,
            now=datetime.now(UTC),
        )


def _place(two: TwoSites, site: Site) -> None:
    """Our activity shows the second session alone, as a deep link makes it."""
    course_id = _course_id(two, site)
    with two.database.write() as connection:
        series_id = find_series(connection, "live").series_id
        deployment_id = connection.execute(
            sa.select(deployment.c.id)
            .join(platform, platform.c.id == deployment.c.platform_id)
            .join(university, university.c.id == platform.c.university_id)
            .where(university.c.slug == site.slug)
        ).scalar_one()
        connection.execute(
            sa.update(course)
            .where(course.c.id == course_id)
            .values(deployment_id=deployment_id, context_id=str(site.course_id))
        )
        connection.execute(
            sa.insert(placement).values(
                deployment_id=deployment_id,
                resource_link_id=_instance(site),
                course_id=course_id,
                series_id=series_id,
                session_id=sessions_of(connection, series_id)[1].session_id,
                ags_scopes="",
            )
        )


def _instance(site: Site) -> str:
    contents = site.service.contents(site.course_id)
    return str(next(one.instance for one in contents if one.cmid == site.activity_cmid))


def kinds(two: TwoSites, slug: str) -> list[Kind]:
    """Of the facts about the student that stand."""
    with two.database.read() as connection:
        series_id = find_series(connection, "live").series_id
        people = connection.execute(
            sa.select(participant.c.id).join(university).where(university.c.slug == slug)
        ).scalars()
        facts = [fact for one in people for fact in facts_of(connection, participant_id=one, series_id=series_id)]
    return [fact.evidence.kind for fact in facts if fact.retraction is None]
