"""One platform takes the place of another: courses and placements, on both databases."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.mirrors import Mirror
from series.people import Visit
from series.store.database import Database
from series.store.deployments import list_deployments
from series.store.mirrors import mirrored_courses, save_mirrors, tie_course
from series.store.moodle_connections import NewConnection, save_connection
from series.store.tables import (
    audit,
    course,
    course_series,
    delivery,
    deployment,
    membership,
    mirror,
    participant,
    placement,
    visit,
)
from series.store.universities import (
    PlatformReplaced,
    PlatformRow,
    enable_platform,
    platforms_of_university,
    require_platform,
)
from series.succession import Moved
from tests.at_once import THREADS, at_once
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS
from tests.replacing import (
    LATER,
    NEW_LINE_ITEM,
    REGISTERED_AGAIN,
    RENAMED,
    LaunchRefused,
    everything,
    find,
    look,
    register,
    scores,
    succeed,
    through,
    values,
)
from tests.seeds import ENCRYPTION_KEY, ISSUER, LAUNCH, PLATFORM, Seeded, code_of, count, launch, record, seed


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def student(database: Database, seeded: Seeded) -> Visit:
    return launch(database)


@pytest.fixture
def again(database: Database, seeded: Seeded) -> PlatformRow:
    """The same LMS, registered once more."""
    return register(database, REGISTERED_AGAIN)


# What goes over


def test_a_course_is_the_same_before_and_after(database: Database, student: Visit, again: PlatformRow) -> None:
    done = succeed(database)
    assert (done.deployments, done.courses, done.placements) == (
        {"1": "7"},
        Moved(all=1, merged=0),
        Moved(all=1, merged=0),
    )
    after = launch(database, through(again))
    assert (after.participant_id, after.course_id, after.placement_id) == (
        student.participant_id,
        student.course_id,
        student.placement_id,
    )
    assert after.platform_id == again.platform_id
    assert [count(database, table) for table in (participant, course, placement)] == [1, 1, 1]


def test_the_old_platform_ends_disabled_and_known_as_replaced(
    database: Database, student: Visit, again: PlatformRow
) -> None:
    succeed(database)
    assert find(database, "malta").state == "disabled"
    assert find(database, "malta-2").succeeds_platform_id == student.platform_id
    with database.read() as connection:
        assert [row.state for row in list_deployments(connection)] == ["disabled", "approved"]
    with pytest.raises(LaunchRefused):
        launch(database)
    with pytest.raises(PlatformReplaced, match="was replaced by 'malta-2'"), database.write() as connection:
        enable_platform(connection, require_platform(connection, "malta"))


def test_people_keep_their_completions(database: Database, seeded: Seeded, student: Visit, again: PlatformRow) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    assert succeed(database).people == Moved(all=0, merged=0)
    after = launch(database, through(again), now=LATER)
    record(database, code_of(after, seeded.session_ids[1]), now=LATER)
    assert scores(database)[-1] == (NEW_LINE_ITEM, "due", student.participant_id, 2, 2)


def test_a_visit_that_is_open_stays_open(database: Database, student: Visit, again: PlatformRow) -> None:
    succeed(database)
    assert look(database, student) == replace(student, platform_id=again.platform_id)


def test_what_the_old_platform_said_of_its_services_is_forgotten(
    database: Database, seeded: Seeded, again: PlatformRow
) -> None:
    launch(database, structs.replace(LAUNCH, memberships_url=f"{ISSUER}/memberships"))
    succeed(database)
    columns = (placement.c.line_item_url, placement.c.line_items_url, placement.c.ags_scopes)
    assert values(database, *columns) == [(None, None, "")]
    assert values(database, course.c.memberships_url) == [(None,)]


def test_what_was_opened_through_both_becomes_one(database: Database, student: Visit, again: PlatformRow) -> None:
    renamed = structs.replace(LAUNCH, context_title="Its new title")
    other = launch(database, through(again, structs.replace(renamed, sub="6")))
    launch(database, through(again, structs.replace(renamed, sub="7", resource_link_id="2")))
    done = succeed(database)
    assert (done.courses, done.placements) == (Moved(all=1, merged=1), Moved(all=1, merged=1))
    assert values(database, course.c.id, course.c.title) == [(student.course_id, "Its new title")]
    assert values(database, placement.c.resource_link_id, placement.c.course_id) == [
        ("1", student.course_id),
        ("2", student.course_id),
    ]
    assert (student.placement_id, NEW_LINE_ITEM) in values(database, placement.c.id, placement.c.line_item_url)
    found = look(database, other)
    assert (found.placement_id, found.course_id) == (student.placement_id, student.course_id)
    assert [count(database, table) for table in (visit, membership, course_series)] == [3, 3, 1]


def test_of_two_roles_in_one_placement_the_later_counts(database: Database, student: Visit, again: PlatformRow) -> None:
    launch(database, through(again, structs.replace(LAUNCH, is_learner=False, is_teacher=True)), now=LATER)
    succeed(database)
    assert values(database, membership.c.is_learner, membership.c.launched_at) == [(False, LATER)]


def test_of_two_roles_in_one_placement_the_earlier_does_not_count(
    database: Database, seeded: Seeded, again: PlatformRow
) -> None:
    launch(database, through(again, structs.replace(LAUNCH, is_learner=False, is_teacher=True)))
    launch(database, now=LATER)
    succeed(database)
    assert values(database, membership.c.is_learner, membership.c.launched_at) == [(True, LATER)]


def test_the_events_in_moodle_stay_known(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    connect(database)
    mirror_into(database, student, seeded)
    launch(database, through(again))
    succeed(database)
    with database.read() as connection:
        (mirrored,) = mirrored_courses(connection, MALTA.university_id)
    assert (mirrored.course_id, mirrored.moodle_course_id) == (student.course_id, 2)
    assert values(database, mirror.c.course_id, mirror.c.event_id) == [(student.course_id, n) for n in (31, 32, 33)]


def test_a_course_that_only_the_new_one_has_tied_to_moodle_is_still_tied(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    other = launch(database, through(again))
    with database.write() as connection:
        connection.execute(sa.update(course).where(course.c.id == other.course_id).values(moodle_course_id=2))
    mirror_into(database, other, seeded)
    succeed(database)
    assert values(database, course.c.id, course.c.moodle_course_id) == [(student.course_id, 2)]
    assert values(database, mirror.c.course_id, mirror.c.event_id) == [(student.course_id, n) for n in (31, 32, 33)]


def mirror_into(database: Database, opened: Visit, seeded: Seeded) -> None:
    """What a run of the worker leaves: an event for each session."""
    assert opened.course_id is not None
    with database.write() as connection:
        mirrors = [
            Mirror(session_id=session_id, event_id=event_id, fingerprint="f")
            for event_id, session_id in enumerate(seeded.session_ids, start=31)
        ]
        save_mirrors(connection, opened.course_id, mirrors, now=NOW)


def connect(database: Database) -> None:
    with database.write() as connection:
        new = NewConnection(university_id=MALTA.university_id, base_url=ISSUER, token="token", moodle_user_id=35)
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW)
        tie_course(
            connection,
            university_id=MALTA.university_id,
            moodle_course_id=2,
            title="In Moodle",
            series_id=SERIES.series_id,
            now=NOW,
        )


def test_when_the_address_changes_the_calendar_that_is_still_at_the_old_one_is_named(
    database: Database, student: Visit
) -> None:
    connect(database)
    register(database, RENAMED)
    assert succeed(database).moodle_url == ISSUER


def test_several_deployments_may_become_one(database: Database, again: PlatformRow) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(deployment).values(platform_id=1, deployment_id="2", state="approved"))
    here, there = launch(database), launch(database, structs.replace(LAUNCH, deployment_id="2"))
    assert here.course_id != there.course_id
    launch(database, structs.replace(LAUNCH, deployment_id="2", resource_link_id="of its own"))
    done = succeed(database, deployments={"1": "7", "2": "7"})
    assert (done.courses, done.placements) == (Moved(all=2, merged=1), Moved(all=3, merged=1))
    assert count(database, course) == 1
    assert [name for (name,) in values(database, placement.c.resource_link_id)] == ["1", "of its own"]


def test_what_belongs_to_others_is_not_touched(database: Database, student: Visit, again: PlatformRow) -> None:
    third = register(database, replace(REGISTERED_AGAIN, slug="malta-3", client_id="client-3"))
    other = register(
        database, replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, client_id="client-v")
    )
    visits = [launch(database, through(third)), launch(database, through(other, deployment_id="1"))]
    succeed(database)
    assert [look(database, one) for one in visits] == visits
    assert find(database, "vilnius").state == "active"
    assert count(database, course) == 3


def test_it_is_noted_who_did_it_and_what_became_of_each_row(
    database: Database, student: Visit, again: PlatformRow
) -> None:
    other = launch(database, through(again))
    succeed(database)
    found = {
        action: (actor, thing, json.loads(detail))
        for actor, action, thing, detail in values(
            database, audit.c.actor, audit.c.action, audit.c.object, audit.c.detail
        )
    }
    assert found["merge_course"] == ("operator", f"course {student.course_id}", {"dropped": other.course_id})
    assert found["merge_placement"][1:] == (f"placement {student.placement_id}", {"dropped": other.placement_id})
    actor, thing, detail = found["replace_platform"]
    assert (actor, thing, detail["successor"]) == ("operator", f"platform {student.platform_id}", again.platform_id)
    assert (detail["courses_all"], detail["courses_merged"]) == (1, 1)


def test_a_preview_says_the_same_and_changes_nothing(
    database: Database, seeded: Seeded, student: Visit, again: PlatformRow
) -> None:
    record(database, code_of(student, seeded.session_ids[0]))
    launch(database, through(again, structs.replace(LAUNCH, sub="6")))
    before = everything(database)
    planned = succeed(database, preview=True)
    assert everything(database) == before
    assert planned.scores_queued == 1
    assert succeed(database) == planned


# While others write


def test_launches_at_the_same_time_lose_and_double_nothing(
    database: Database, seeded: Seeded, again: PlatformRow
) -> None:
    launch(database)

    def work(own: Database, number: int) -> str:
        if number == 0:
            succeed(own)
            return "replaced"
        home = again if number % 2 else find(own, "malta")
        try:
            launched = through(again) if number % 2 else LAUNCH
            launch(own, structs.replace(launched, platform_id=home.platform_id, sub=f"s{number}"))
        except LaunchRefused:
            return "refused"
        return "launched"

    ended = at_once(database, work)
    assert ended.count("replaced") == 1
    assert ended[1::2] == ["launched"] * (THREADS // 2)
    (new_pk,) = (
        pk for pk, home in values(database, deployment.c.id, deployment.c.platform_id) if home == again.platform_id
    )
    assert values(database, course.c.deployment_id) == [(new_pk,)]
    assert values(database, placement.c.deployment_id) == [(new_pk,)]
    assert count(database, membership) == 1 + ended.count("launched")


def test_the_platform_that_is_in_use_comes_first(database: Database, student: Visit, again: PlatformRow) -> None:
    succeed(database)
    with database.read() as connection:
        found = [row.slug for row in platforms_of_university(connection, MALTA.university_id)]
    assert found == ["malta-2", "malta"]
    assert count(database, delivery) == 0
