"""Completions from a Moodle course, over real HTTP: what is recorded, taken back, held, waits, and what it costs."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from moodle_sync.cli import main
from moodle_sync.collect_completions import _Collecting, collect, readings
from moodle_sync.moodle_runs import access_to
from sandbox_lms.completion import INCOMPLETE
from sandbox_lms.course_modules import READING, add_module, remove_module
from sandbox_lms.made_up import made_up_campus
from series.rosters import RosterMember
from series.store.erasure import erase_person
from series.store.mapped_activities import NewMapping, map_activity, mapped_activities
from series.store.mirrors import tie_course
from series.store.moodle_tables import activity_state
from series.store.rosters import save_roster
from series.store.tables import course, participant, placement
from series.store.tombstones import whom
from tests.examples import SERIES
from tests.integration.collected import LUKE, MARIA, ZAREN, Collected, open_collected
from tests.seeds import ENCRYPTION_KEY

ENROLLED, MANY, ONE = (
    "core_enrol_get_enrolled_users",
    "tool_mobile_call_external_functions",
    "core_completion_get_activities_completion_status",
)
CONTENTS = "core_course_get_contents"
RESULTS_OF_SESSION = "/mod/lti/services.php/2/lineitems/5/lineitem/results"


@pytest.fixture
def collected(tmp_path: Path, sqlite_url: str) -> Iterator[Collected]:
    with open_collected(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
def mapped(collected: Collected) -> Collected:
    """And it was read once."""
    collected.map()
    collected.collect()
    collected.partner.calls()
    return collected


def test_who_completes_a_mapped_activity_gets_evidence_and_a_grade(mapped: Collected) -> None:
    mapped.complete(MARIA)

    came = mapped.collect()

    assert came.counts == {"read": 1, "completed": 1}
    assert mapped.partner.calls() == [ENROLLED, ONE]
    assert mapped.facts() == [(MARIA, "lms", "activity", None, "Reading")]
    assert mapped.has_completed()
    mapped.deliver_all()
    assert mapped.partner.world.grades()[MARIA] == 50

    assert mapped.recollect().counts == {"read": 5}  # nothing is recorded twice
    mapped.complete(MARIA, state=INCOMPLETE)
    assert mapped.collect().counts == {"read": 1, "taken back": 1}
    assert mapped.facts()[1:] == [
        (MARIA, "lms", "retraction", "moodle of university 1", "Moodle no longer says that the activity is complete.")
    ]
    assert not mapped.has_completed()
    mapped.complete(MARIA)  # and once more
    assert mapped.collect().counts == {"read": 1, "completed": 1}
    assert mapped.has_completed()


def test_dpo_12_of_who_was_erased_nothing_is_collected_again(mapped: Collected) -> None:
    mapped.complete(MARIA, ZAREN)
    mapped.collect()
    partner = mapped.partner
    with partner.services.database.write() as connection:
        person = whom(connection, connection.execute(sa.select(participant.c.id).filter_by(sub=MARIA)).scalar_one())
        key = partner.services.settings.secret_key
        erase_person(connection, person, by="operator", secret_key=key, now=partner.now)
    mapped.complete(MARIA)
    mapped.collect()
    mapped.recollect()
    with partner.services.database.read() as connection:
        subs = connection.execute(sa.select(activity_state.c.sub).distinct()).scalars().all()
    assert MARIA not in subs
    assert MARIA not in {fact[0] for fact in mapped.facts()}
    mapped.deliver_all()


def test_nothing_is_taken_back_by_silence(mapped: Collected) -> None:
    second = add_module(mapped.site, "page", "More to read", 1)
    mapped.map(second.cmid, session=1)
    mapped.complete(MARIA, cmid=second.cmid)
    mapped.complete(MARIA)
    mapped.collect()
    assert mapped.sources() == ["activity", "activity"]

    remove_module(mapped.site, second.cmid)
    mapped.visit(MARIA)
    came = mapped.collect()
    assert "can no longer be seen" in came.problems[0]
    assert mapped.partner.calls()[-1] == CONTENTS
    mapped.partner.world.sandbox.sites["malta"].switches.set(suspended=[MARIA])
    assert mapped.recollect().counts == {"read": 5}
    mapped.site.switches.set(suspended=[], left=[MARIA])
    assert mapped.recollect().counts == {"read": 4}
    mapped.site.switches.set(left=[], lacks=["report/progress:view"])
    assert "report/progress:view" in mapped.recollect().problems[0]

    assert mapped.sources() == ["activity", "activity"]
    with mapped.partner.services.database.read() as connection:
        problems = {one.cmid: one.problem for one in mapped_activities(connection, mapped.course_id)}
    assert problems == {READING.cmid: None, second.cmid: "unseen"}


def test_who_is_unknown_waits_for_a_launch_or_the_roster(mapped: Collected) -> None:
    mapped.complete(ZAREN, LUKE)
    assert mapped.collect().counts == {"read": 2, "waiting": 2}
    assert mapped.facts() == []

    zaren = mapped.partner.launch(ZAREN)
    with mapped.partner.services.database.write() as connection:
        listed = [RosterMember(sub=LUKE, is_learner=True), RosterMember(sub="99", is_learner=True)]
        save_roster(connection, mapped.course_id, listed, now=mapped.partner.now)
    assert mapped.collect().counts == {"completed": 2}
    assert sorted(fact[0] for fact in mapped.facts()) == [ZAREN, LUKE]
    assert mapped.has_completed(zaren)


def test_what_waits_and_is_taken_back_is_never_given(mapped: Collected) -> None:
    mapped.complete(ZAREN)
    mapped.collect()
    mapped.complete(ZAREN, state=INCOMPLETE)
    assert mapped.collect().counts == {"read": 1}
    mapped.partner.launch(ZAREN)
    mapped.recollect()
    assert mapped.facts() == []


def test_what_is_mapped_while_others_are_read_is_read_as_a_whole(mapped: Collected) -> None:
    second = add_module(mapped.site, "page", "More to read", 1)
    mapped.complete(MARIA, cmid=second.cmid)
    mapped.collect()
    mapped.partner.world.advance(1200)
    services = mapped.partner.services
    access = access_to(services, mapped.partner.connection())
    (before,) = readings(services, access, of_all=False)
    its_turn = readings(services, access, of_all=False)
    mapped.map(second.cmid, session=1)
    mapped.partner.world.advance(30)
    _Collecting(services, access, before).collect()
    assert mapped.sources() == []
    for reading in its_turn:
        _Collecting(services, access, reading).collect()
    assert mapped.sources() == ["activity"]


def test_an_external_tool_never_counts(collected: Collected) -> None:
    """It may be ours, before anybody has opened it."""
    collected.map(12)
    collected.collect()
    collected.complete(MARIA, cmid=12)
    came = collected.collect()
    assert came.counts == {"read": 1}
    with collected.partner.services.database.read() as connection:
        assert [one.problem for one in mapped_activities(connection, collected.course_id)] == ["own"]
    assert collected.collect().problems == []


def test_whom_moodle_refuses_is_asked_about_again(mapped: Collected) -> None:
    mapped.complete(MARIA)
    mapped.site.switches.set(lacks=["report/progress:view"])
    assert mapped.collect().counts == {}
    mapped.site.switches.set(lacks=[])
    mapped.partner.world.advance(3600)
    assert mapped.collect().counts == {"read": 1, "completed": 1}


def test_a_course_where_nothing_can_complete_a_session_is_not_asked(collected: Collected) -> None:
    assert collected.collect().calls == 0
    collected.map()
    collected.collect()
    collected.partner.calls()
    assert collected.collect().counts == {}
    assert collected.partner.calls() == [ENROLLED]


def test_one_courses_trouble_leaves_the_others_alone(mapped: Collected) -> None:
    with mapped.partner.services.database.write() as connection:
        there = {"university_id": 1, "moodle_course_id": 99}  # which is no course of this Moodle
        tie_course(connection, **there, title="Lost", series_id=SERIES.series_id, now=mapped.partner.now)
        lost = connection.execute(sa.select(course.c.id).where(course.c.title == "Lost")).scalar_one()
        new = NewMapping(cmid=7, session_id=mapped.session_id, module="page", name="Gone", by="participant 1")
        map_activity(connection, lost, new, now=mapped.partner.now)
    mapped.complete(MARIA)
    came = mapped.collect()
    assert came.counts == {"read": 1, "completed": 1}
    assert came.problems[0].startswith("Lost: ")


def test_a_column_that_is_gone_is_said_by_night(collected: Collected) -> None:
    collected.session_activity()
    with collected.partner.services.database.write() as connection:
        gone = collected.partner.world.line_item_url(line_item_id=77)
        connection.execute(sa.update(placement).where(placement.c.session_id.is_not(None)).values(line_item_url=gone))
    assert collected.recollect().problems == [
        "Teaching STEM: The activity or its grade column is no longer in the course."
    ]
    assert collected.collect().problems == []


def test_without_batches_people_are_asked_one_by_one(mapped: Collected) -> None:
    mapped.complete(MARIA, ZAREN)
    mapped.site.switches.set(lacks_functions=[MANY])
    assert mapped.collect().counts == {"read": 2, "completed": 1, "waiting": 1}
    assert mapped.partner.calls() == [ENROLLED, MANY, ONE, ONE]


def test_who_is_killed_in_the_middle_goes_on_and_doubles_nothing(mapped: Collected) -> None:
    zaren = mapped.partner.launch(ZAREN)
    mapped.complete(MARIA, ZAREN)
    mapped.site.switches.set(lacks_functions=[MANY])
    access = access_to(mapped.partner.services, mapped.partner.connection())
    left = iter(range(3))  # calls: who there is, all at once, one; then it is over

    def before_call() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    access.moodle = replace(access.moodle, before_call=before_call)
    with pytest.raises(KeyboardInterrupt):
        collect(mapped.partner.services, access)
    assert mapped.sources() == ["activity"]

    assert mapped.collect().counts == {"read": 2, "completed": 1}
    assert mapped.sources() == ["activity", "activity"]
    assert mapped.has_completed(zaren)


def test_ten_changes_among_three_hundred_cost_a_call_for_each_of_them_at_most(tmp_path: Path, sqlite_url: str) -> None:
    campus = replace(made_up_campus(1, students=300), slug="malta")
    with open_collected(tmp_path, sqlite_url, campus) as crowd:
        crowd.map()
        crowd.session_activity()
        crowd.has_been_read()
        crowd.complete(*(person.user_id for person in campus.students[:10]))

        came = crowd.collect()

        assert came.counts == {"read": 10, "completed": 1, "waiting": 9}
        assert came.calls <= 1 + 10
        assert crowd.partner.calls()[-3:] == [RESULTS_OF_SESSION, ENROLLED, MANY]


def test_a_dry_run_says_what_it_would_record_and_writes_nothing(
    mapped: Collected, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mapped.complete(MARIA)
    settings = mapped.partner.services.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": ENCRYPTION_KEY.decode(),
        "PUBLIC_URL": settings.public_url,
        "CLOCK_FILE": str(settings.clock_file),
    }.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)
    monkeypatch.setattr(sys, "argv", ["moodle-sync", "run", "collect", "--dry-run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert f"record     activity {READING.cmid} for No. {MARIA}" in capsys.readouterr().out
    assert mapped.facts() == []
