"""What the check of a connected Moodle finds, over real HTTP, with one thing wrong at a time."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms.moodle import Moodle, SiteInfo
from lms.moodle_levels import capabilities_of
from lms.moodle_protocol import Function
from moodle_sync.check_moodle import check, check_site
from moodle_sync.checking import Findings
from moodle_sync.moodle_access import Stopped
from moodle_sync.moodle_runs import access_to
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.course_modules import ANNOUNCEMENTS, QUIZ, READING
from sandbox_lms.switches import Switches
from series.check_words import check_line
from series.checks import Check, Code, Outcome, decode_checks, gaps_of
from series.limits import Limit, Pace
from series.moodle_jobs import FIRST_PAUSE, Level, MoodleJob
from series.store.keys import seal
from series.store.moodle_connections import save_checks
from series.store.moodle_jobs import planned_jobs
from series.store.moodle_tables import mapped_activity
from series.store.tables import course, moodle_connection, platform
from tests.databases import Databases
from tests.examples import MALTA
from tests.integration.partner import Partner, open_partner
from tests.seeds import ENCRYPTION_KEY

SITE = SiteInfo(
    site_name="Malta",
    site_url="https://moodle.malta.example",
    release="4.5.6 (Build: 20250811)",
    version="2024100706",
    user_id=35,
    functions=frozenset(Function),
)


def unpaced(partner: Partner) -> Partner:
    """Each check makes some fifteen calls, and there are many here."""
    pace = Pace(Limit(burst=10_000, every_s=0.001), time.monotonic)
    return replace(partner, services=replace(partner.services, moodle_pace=pace))


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    """With one course, which wants announcements, and an activity that counts."""
    with databases.fresh("sqlite") as url, open_partner(tmp_path_factory.mktemp("checked"), url) as opened:
        partner = unpaced(opened)
        partner.connect(Level.COMPLETIONS)
        with partner.services.database.write() as connection:
            connection.execute(sa.update(course).values(announces=True))
            map_activity(connection, partner, READING.cmid, "page")
        yield partner


@pytest.fixture
def partner(shared: Partner) -> Iterator[Partner]:
    shared.calls()
    yield shared
    switches(shared).reset()


def map_activity(connection: sa.Connection, partner: Partner, cmid: int, module: str) -> None:
    connection.execute(
        sa.insert(mapped_activity).values(
            course_id=connection.execute(sa.select(course.c.id)).scalar_one(),
            cmid=cmid,
            session_id=partner.seeded.session_ids[0],
            module=module,
            name="An activity",
            mapped_by="participant 1",
            mapped_at=partner.now,
        )
    )


def switches(partner: Partner) -> Switches:
    return partner.world.sandbox.sites["malta"].switches


def found(partner: Partner) -> list[Check]:
    partner.run(MoodleJob.CHECK)
    return decode_checks(partner.connection().checks)


def the_gap(partner: Partner) -> str:
    """What the one gap is, and what to change."""
    (gap,) = gaps_of(found(partner))
    return check_line(gap)


def test_with_all_rights_everything_works_and_nothing_is_left(partner: Partner) -> None:
    checks = found(partner)
    *works, untried = checks
    assert {check.outcome for check in works} == {Outcome.OK}
    assert (untried.code, untried.outcome) == (Code.RIGHTS, Outcome.SKIPPED)
    of_activities = {Code.ACTIVITY_GONE, Code.ACTIVITY_UNTRACKED, Code.ACTIVITY_UNSEEN}
    assert {check.code for check in checks} == set(Code) - of_activities - {Code.NO_COURSE, Code.COURSE}
    assert partner.world.events() == []
    assert partner.connection().checked_at is not None
    assert len(partner.calls()) == 15


@pytest.mark.parametrize(
    "capability",
    [
        *("moodle/course:view", "moodle/calendar:manageentries", "moodle/course:viewparticipants"),
        *("moodle/user:viewdetails", "report/progress:view", "mod/lti:view", "mod/page:view"),
        *("mod/forum:viewdiscussion", "mod/forum:addnews"),
    ],
)
def test_a_capability_that_is_missing_is_found_and_named(partner: Partner, capability: str) -> None:
    switches(partner).set(lacks=[capability])
    line = the_gap(partner)
    assert line.startswith("“Teaching STEM”: ")
    assert capability in line
    assert "Define roles" in line
    assert partner.world.events() == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"moodle_time_zone": "Europe/Malta"}, "Timezone: UTC"),
        ({"moodle_time_zone": "Europe/London"}, "Timezone: UTC"),  # which is UTC for half of the year
        ({"drops_path_info": True}, "fastcgi_split_path_info"),
        ({"lacks_functions": ["tool_mobile_call_external_functions"]}, "tool_mobile_call_external_functions. Add them"),
        ({"lacks_functions": ["core_calendar_create_calendar_events"]}, "External services > Functions"),
        ({"lacks_functions": ["core_course_get_contents"]}, "External services > Functions"),
        ({"lacks_functions": ["core_enrol_get_enrolled_users"]}, "External services > Functions"),
        ({"lacks_functions": ["mod_forum_get_forums_by_courses"]}, "External services > Functions"),
    ],
    ids=str,
)
def test_a_setting_that_is_wrong_is_found_and_named(partner: Partner, change: dict[str, Any], sentence: str) -> None:
    switches(partner).set(**change)
    assert sentence in the_gap(partner)
    assert partner.world.events() == []


def test_an_account_that_sees_no_student_is_found_where_nobody_is_known(partner: Partner) -> None:
    """A course without any launch: that there are only teachers may be true."""
    switches(partner).set(lacks=["moodle/user:viewdetails"])
    set_issuer(partner, "https://another.example")
    try:
        (people,) = [check for check in found(partner) if check.code is Code.PEOPLE]
    finally:
        set_issuer(partner, partner.world.campus.issuer)
    assert people.outcome is Outcome.UNKNOWN
    assert "moodle/user:viewdetails" in check_line(people)


def test_what_nothing_was_compared_with_is_not_claimed(partner: Partner) -> None:
    """Nothing counts yet, and no launch has told of an activity."""
    switches(partner).set(lacks=["mod/lti:view", "moodle/course:viewhiddensections"])
    set_issuer(partner, "https://another.example")
    with partner.services.database.write() as connection:
        connection.execute(sa.delete(mapped_activity))
    try:
        checks = found(partner)
    finally:
        set_issuer(partner, partner.world.campus.issuer)
        with partner.services.database.write() as connection:
            map_activity(connection, partner, READING.cmid, "page")
    (activities,) = [check for check in checks if check.code is Code.ACTIVITIES]
    assert activities.outcome is Outcome.UNKNOWN
    seen, untried = (str(check.facts["capabilities"]).split(", ") for check in checks if check.code is Code.RIGHTS)
    assert {"mod/lti:view", "moodle/course:viewhiddensections"} <= set(untried)
    assert {"mod/page:view", "report/progress:view", "moodle/user:viewdetails", "mod/forum:addnews"} <= set(seen)
    assert not set(seen) & set(untried)
    assert sorted(seen + untried) == sorted(one.name for one in capabilities_of(Level.COMPLETIONS, announcements=True))


def test_what_a_gap_names_was_tried(partner: Partner) -> None:
    switches(partner).set(lacks=["report/progress:view"])
    of_rights = [str(check.facts["capabilities"]) for check in found(partner) if check.code is Code.RIGHTS]
    assert len(of_rights) == 2
    assert "report/progress:view" not in " ".join(of_rights)


@pytest.mark.parametrize("level", Level)
def test_a_forum_that_students_do_not_see_is_found(partner: Partner, level: Level) -> None:
    switches(partner).set(hidden=[ANNOUNCEMENTS.cmid])
    set_level(partner, level)
    try:
        assert "forum is hidden from students" in the_gap(partner)
        switches(partner).set(lacks_functions=["core_course_get_contents"])
        (shown,) = [check for check in found(partner) if check.code is Code.FORUM_SHOWN]
        assert shown.outcome is Outcome.UNKNOWN
    finally:
        set_level(partner, Level.COMPLETIONS)


def set_level(partner: Partner, level: Level) -> None:
    with partner.services.database.write() as connection:
        connection.execute(sa.update(moodle_connection).values(level=level.value))


def set_issuer(partner: Partner, issuer: str) -> None:
    """Of the LMS that the launches came from."""
    with partner.services.database.write() as connection:
        connection.execute(sa.update(platform).values(issuer=issuer))


def test_activities_that_are_gone_or_track_nothing_are_named(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        map_activity(connection, partner, 4711, QUIZ.modname)
        map_activity(connection, partner, 1, "forum")  # the announcements
    try:
        gaps = gaps_of(found(partner))
    finally:
        with partner.services.database.write() as connection:
            connection.execute(sa.delete(mapped_activity).where(mapped_activity.c.cmid.in_([4711, 1])))
    assert [gap.code for gap in gaps] == [Code.ACTIVITY_GONE, Code.ACTIVITY_UNTRACKED]
    assert "Completion conditions" in check_line(gaps[1])


def test_a_check_that_is_stopped_leaves_an_event_that_the_next_one_deletes(partner: Partner) -> None:
    access = access_to(partner.services, partner.connection())
    calls = 0

    def stop_after_the_creation() -> None:
        nonlocal calls
        calls += 1
        if calls > 4:
            raise Stopped

    moodle = access.moodle
    access.moodle = Moodle(moodle.http, moodle.base_url, moodle.token, before_call=stop_after_the_creation)
    with pytest.raises(Stopped):
        check(partner.services, access)
    (left,) = partner.world.events()
    assert left["visible"] == 0
    assert partner.mirror().counts == {"created": 3}  # it is none of theirs
    found(partner)
    assert left["event_id"] not in {event["event_id"] for event in partner.world.events()}
    assert len(partner.world.events()) == 3


def test_a_token_that_moodle_does_not_know_is_said_so(partner: Partner) -> None:
    right = seal(partner.connection().token.encode(), ENCRYPTION_KEY)
    set_sealed_token(partner, seal(b"another-token", ENCRYPTION_KEY))
    try:
        assert "Manage tokens" in the_gap(partner)
    finally:
        set_sealed_token(partner, right)


def set_sealed_token(partner: Partner, sealed: str) -> None:
    with partner.services.database.write() as connection:
        connection.execute(sa.update(moodle_connection).values(token_sealed=sealed))


@pytest.mark.parametrize(
    ("changes", "code", "outcome", "words"),
    [
        ({"site_url": "https://moved.example"}, Code.ADDRESS, Outcome.GAP, "calls itself https://moved.example"),
        ({"version": "2021051718", "release": "3.11.18 (Build)"}, Code.RELEASE, Outcome.UNKNOWN, "Moodle 3.11.18,"),
        ({"server_at": None}, Code.CLOCK, Outcome.UNKNOWN, "does not tell the time"),
        ({"server_at": timedelta(seconds=90)}, Code.CLOCK, Outcome.GAP, "seconds ahead"),
        ({"server_at": timedelta(seconds=-90)}, Code.CLOCK, Outcome.GAP, "seconds behind"),
        ({"server_at": timedelta(seconds=30)}, Code.CLOCK, Outcome.OK, "is right"),
        ({"functions": frozenset()}, Code.FUNCTIONS, Outcome.GAP, "mod_forum_add_discussion"),
    ],
    ids=str,
)
def test_what_the_site_says_of_itself_is_judged(
    partner: Partner, changes: dict[str, Any], code: Code, outcome: Outcome, words: str
) -> None:
    findings = Findings(access=access_to(partner.services, partner.connection()))
    if isinstance(moved_by := changes.get("server_at"), timedelta):
        changes = {"server_at": datetime.now(UTC) + moved_by}
    check_site(partner.services, replace(SITE, **changes), findings, announcements=True)
    (judged,) = [one for one in findings.checks if one.code is code]
    assert judged.outcome is outcome
    assert words in check_line(judged)


def test_what_fails_in_another_way_is_said_with_its_course(partner: Partner) -> None:
    switches(partner).set(lacks_functions=["core_course_get_courses_by_field"])
    (course_check,) = [check for check in found(partner) if check.code is Code.COURSE]
    assert check_line(course_check).startswith("“Teaching STEM”: The rest could not be tried: ")


def test_a_site_that_is_down_changes_nothing_that_was_found_and_is_asked_again_soon(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        save_checks(connection, MALTA.university_id, '[{"code":"token","outcome":"ok"}]', now=partner.now)
    switches(partner).set(down=True)
    came = partner.run(MoodleJob.CHECK)
    assert came.down is not None
    assert partner.connection().checks == '[{"code":"token","outcome":"ok"}]'
    with partner.services.database.read() as connection:
        (planned,) = [one for one in planned_jobs(connection, MALTA.university_id) if one.job is MoodleJob.CHECK]
    assert planned.next_at <= partner.now + 2 * FIRST_PAUSE


def test_a_course_that_starts_too_late_or_is_not_there_is_named(tmp_path: Path, sqlite_url: str) -> None:
    with open_partner(tmp_path, sqlite_url, replace(CAMPUS, course_starts_on=later())) as opened:
        partner = unpaced(opened)
        partner.connect()
        (gap,) = gaps_of(found(partner))
        assert "Course start date" in check_line(gap)
        assert {one.code for one in found(partner)}.isdisjoint({Code.PEOPLE, Code.COMPLETION, Code.FORUM})
        with partner.services.database.write() as connection:
            connection.execute(sa.update(course).values(moodle_course_id=99))
        (gap,) = gaps_of(found(partner))
        assert gap.code is Code.COURSE_SEEN
        with partner.services.database.write() as connection:
            connection.execute(sa.update(course).values(moodle_course_id=None))
        assert Code.NO_COURSE in {one.code for one in found(partner)}


def later() -> Any:
    return CAMPUS.course_starts_on.today() + timedelta(days=30)
