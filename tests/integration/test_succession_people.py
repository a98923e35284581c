"""An LMS gets another address: its people stay who they are, also those who came by both, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.rule import Kind
from series.staff import Role
from series.store import deliveries
from series.store.check_ins import open_check_in
from series.store.database import Database
from series.store.evidence import retract_evidence
from series.store.lms_tables import staff_binding
from series.store.records import completions_of
from series.store.sessions import name_host
from series.store.staff import add_staff
from series.store.tables import (
    audit,
    check_in,
    completion,
    delivery,
    evidence,
    membership,
    participant,
    session_host,
    visit,
)
from series.store.universities import PlatformRow, disable_platform
from series.succession import CannotReplace, Moved
from tests.conftest import NOW
from tests.examples import SERIES, VILNIUS
from tests.replacing import (
    LATER,
    NEW_ISSUER,
    NEW_LINE_ITEM,
    RENAMED,
    launch_and_tell,
    look,
    register,
    scores,
    succeed,
    through,
    values,
)
from tests.seeds import ISSUER, LAUNCH, LINE_ITEM, PLATFORM, Seeded, code_of, count, launch, record, seed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


@pytest.fixture
def before(database: Database, seeded: Seeded) -> Visit:
    """A student, through the old address."""
    return launch(database)


@pytest.fixture
def renamed(database: Database, seeded: Seeded) -> PlatformRow:
    """The LMS at its new address."""
    return register(database, RENAMED)


@pytest.fixture
def after(database: Database, before: Visit, renamed: PlatformRow) -> Visit:
    """The same student, through the new address, before anybody has said that it is the same LMS."""
    opened = launch(database, through(renamed))
    assert opened.participant_id != before.participant_id
    return opened


def completed(database: Database, participant_id: int) -> dict[Any, datetime]:
    with database.read() as connection:
        return completions_of(connection, participant_id=participant_id, series_id=SERIES.series_id)


def retract(database: Database, evidence_id: int) -> None:
    with database.write() as connection:
        retract_evidence(connection, evidence_id, by="participant 9", reason="A mistake", now=LATER)


def test_the_same_person_comes_by_the_new_address(database: Database, before: Visit, renamed: PlatformRow) -> None:
    launch(database, structs.replace(LAUNCH, sub="6"))
    assert succeed(database).people == Moved(all=2, merged=0)
    assert launch(database, through(renamed)).participant_id == before.participant_id
    assert values(database, participant.c.issuer, participant.c.sub) == [(NEW_ISSUER, "5"), (NEW_ISSUER, "6")]


def test_people_of_another_university_with_the_same_issuer_are_not_touched(
    database: Database, before: Visit, renamed: PlatformRow
) -> None:
    cloud = replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, client_id="client-v")
    other = launch(database, through(register(database, cloud), deployment_id="1"))
    assert succeed(database).people == Moved(all=1, merged=0)
    assert look(database, other) == other
    assert (VILNIUS.university_id, ISSUER) in values(database, participant.c.university_id, participant.c.issuer)


# Who came by both


def test_who_came_by_both_is_one_person(
    database: Database, seeded: Seeded, before: Visit, after: Visit, renamed: PlatformRow
) -> None:
    launch(database, structs.replace(LAUNCH, sub="only before"))
    launch(database, through(renamed, structs.replace(LAUNCH, sub="only after")))
    assert succeed(database).people == Moved(all=2, merged=1)
    assert values(database, participant.c.sub) == [("5",), ("only after",), ("only before",)]
    assert launch(database, through(renamed)).participant_id == before.participant_id
    for one in (before, after):
        assert look(database, one).participant_id == before.participant_id
        assert look(database, one).placement_id == before.placement_id
    assert count(database, visit) == 5
    assert count(database, membership) == 3


def test_what_was_done_by_both_counts_together(database: Database, seeded: Seeded, before: Visit, after: Visit) -> None:
    first, second, _ = seeded.session_ids
    record(database, code_of(before, first))
    record(database, code_of(after, second))
    done = succeed(database)
    assert set(completed(database, before.participant_id)) == {first, second}
    assert values(database, completion.c.participant_id) == [(before.participant_id,)] * 2
    assert (done.scores_queued, done.scores_waiting) == (1, 0)
    assert scores(database) == [
        (LINE_ITEM, "superseded", before.participant_id, 1, 1),
        (NEW_LINE_ITEM, "superseded", before.participant_id, 1, 1),
        (NEW_LINE_ITEM, "due", before.participant_id, 2, 2),
    ]


def test_the_same_session_by_both_is_completed_once_at_the_earlier_time(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    first = seeded.session_ids[0]
    record(database, code_of(before, first, source_id="2", at=NOW + MINUTE))
    record(database, code_of(after, first, source_id="1", at=NOW))
    succeed(database)
    assert completed(database, before.participant_id) == {first: NOW}
    assert count(database, completion) == 1


def test_the_same_fact_by_both_stays_on_file_twice(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    first = seeded.session_ids[0]
    record(database, code_of(before, first, at=NOW + MINUTE))
    record(database, code_of(after, first, at=NOW))
    record(database, replace(code_of(after, first, source_id="x" * 64), kind=Kind.LIVE))
    record(database, replace(code_of(before, first, source_id="x" * 64), kind=Kind.LIVE))
    succeed(database)
    kept = values(database, evidence.c.id, evidence.c.participant_id, evidence.c.source_id)
    assert kept == [
        (1, before.participant_id, "1"),
        (2, before.participant_id, "1 (evidence 2)"),
        (3, before.participant_id, "x" * 51 + " (evidence 3)"),
        (4, before.participant_id, "x" * 64),
    ]
    assert completed(database, before.participant_id) == {first: NOW}
    assert record(database, code_of(before, first)) == []
    assert count(database, evidence) == 4


def test_what_was_retracted_stays_retracted(database: Database, seeded: Seeded, before: Visit, after: Visit) -> None:
    first, second, _ = seeded.session_ids
    record(database, code_of(after, first))
    retract(database, 1)
    record(database, code_of(before, second))
    succeed(database)
    assert set(completed(database, before.participant_id)) == {second}


def test_hosts_stay_hosts_and_what_they_opened_stays_theirs(
    database: Database, seeded: Seeded, before: Visit, after: Visit
) -> None:
    first, second, third = seeded.session_ids
    with database.write() as connection:
        for session_id, host in ((first, before), (first, after), (second, after)):
            name_host(connection, session_id=session_id, participant_id=host.participant_id)
        open_check_in(connection, session_id=third, code="042917", participant_id=after.participant_id, now=NOW)
    succeed(database)
    assert look(database, before).hosted_session_ids == {first, second}
    assert count(database, session_host) == 2
    assert values(database, check_in.c.opened_by_participant_id) == [(before.participant_id,)]


def test_a_number_under_the_new_address_signs_in_nobody_of_the_staff(
    database: Database, before: Visit, renamed: PlatformRow
) -> None:
    """Whether or not somebody has come with it there: what only an operator says opens no page of staff."""
    both = launch(database, structs.replace(LAUNCH, sub="6"))
    launch(database, through(renamed, structs.replace(LAUNCH, sub="6")))
    with database.write() as connection:
        anna = add_staff(connection, email="a@example.org", name="A", role=Role.LMS_ADMIN, university_id=1, now=NOW)
        rows = [{"participant_id": one.participant_id, "staff_id": anna, "bound_at": NOW} for one in (before, both)]
        connection.execute(sa.insert(staff_binding), rows)
    succeed(database)
    assert count(database, staff_binding) == 0
    ended = [row for row in values(database, audit.c.action, audit.c.object) if row[0] == "unbind_launch"]
    assert ended == [("unbind_launch", f"staff {anna}")] * 2


def test_it_is_noted_which_person_became_which(database: Database, before: Visit, after: Visit) -> None:
    succeed(database)
    merged = [
        row for row in values(database, audit.c.action, audit.c.object, audit.c.detail) if "participant" in row[0]
    ]
    assert merged == [
        ("merge_participant", f"participant {before.participant_id}", f'{{"dropped": {after.participant_id}}}')
    ]


# A line item that kept its address


@pytest.mark.parametrize("first_is", ["due", "in flight", "delivered"])
@pytest.mark.parametrize("second_is", ["due", "in flight", "delivered"])
def test_one_line_item_of_both_ends_with_the_right_score(
    database: Database, seeded: Seeded, before: Visit, renamed: PlatformRow, first_is: str, second_is: str
) -> None:
    """`first_is`: what became of the score by the old address, and of that by the new one."""
    after = launch(database, structs.replace(through(renamed), line_item_url=LINE_ITEM))
    for one, state, session_id in ((before, first_is, 0), (after, second_is, 1)):
        (delivery_id,) = record(database, code_of(one, seeded.session_ids[session_id]))
        with database.write() as connection:
            if state != "due":
                assert deliveries.claim(connection, delivery_id, now=NOW)
            if state == "delivered":
                deliveries.mark_delivered(connection, delivery_id, outcome="Delivered.", now=NOW)
    assert succeed(database).scores_queued == 1
    rows = values(database, delivery.c.version, delivery.c.score_given, delivery.c.score_at, delivery.c.participant_id)
    assert [(version, given, owner) for version, given, _, owner in rows] == [
        (1, 1, before.participant_id),
        (2, 1, before.participant_id),
        (3, 2, before.participant_id),
    ]
    times = [score_at for _, _, score_at, _ in rows]
    assert times == sorted(times)
    with database.read() as connection:
        due = [row for row in deliveries.list_deliveries(connection, state="due") if row.version == 3]
    assert [row.score_given for row in due] == [2]


def test_a_score_in_flight_by_a_third_platform_gives_way(
    database: Database, seeded: Seeded, before: Visit, renamed: PlatformRow
) -> None:
    beside = register(database, replace(PLATFORM, slug="beside", client_id="client-b"))
    here = launch(database, structs.replace(through(beside, deployment_id="1"), line_item_url=f"{ISSUER}/shared"))
    after = launch(database, structs.replace(through(renamed), line_item_url=f"{ISSUER}/shared"))
    for one, session_id in ((here, 0), (after, 1)):
        queued = record(database, code_of(one, seeded.session_ids[session_id]))
        with database.write() as connection:
            assert all(deliveries.claim(connection, delivery_id, now=NOW) for delivery_id in queued)
    with database.write() as connection:
        disable_platform(connection, beside.platform_id)
    succeed(database)
    assert [(state, version, given) for url, state, _, version, given in scores(database) if "shared" in url] == [
        ("superseded", 1, 1),
        ("due", 2, 1),
        ("due", 3, 2),
    ]


def test_a_score_that_gave_way_is_sent_by_a_newer_version(
    database: Database, seeded: Seeded, before: Visit, renamed: PlatformRow
) -> None:
    beside = register(database, replace(PLATFORM, slug="beside", client_id="client-b"))
    here = launch(database, structs.replace(through(beside, deployment_id="1"), line_item_url=f"{ISSUER}/shared"))
    after = launch(database, structs.replace(through(renamed), line_item_url=f"{ISSUER}/shared"))
    for one, now in ((after, NOW), (here, NOW + MINUTE)):
        record(database, code_of(one, seeded.session_ids[0]), now=now)
    with database.write() as connection:
        disable_platform(connection, beside.platform_id)
    succeed(database)
    assert [(state, version, given) for url, state, _, version, given in scores(database) if "shared" in url] == [
        ("superseded", 1, 1),
        ("superseded", 2, 1),
        ("due", 3, 1),
    ]


def test_a_line_item_that_has_the_score_by_the_new_address_is_not_told_again(
    database: Database, seeded: Seeded, before: Visit, renamed: PlatformRow
) -> None:
    after = launch(database, structs.replace(through(renamed), line_item_url=LINE_ITEM))
    for one in (before, after):
        record(database, code_of(one, seeded.session_ids[0]))
    done = succeed(database)
    assert (done.scores_queued, done.scores_waiting) == (0, 0)
    assert [(state, version) for _, state, _, version, _ in scores(database)] == [("superseded", 1), ("due", 2)]
    _, queued = launch_and_tell(database, structs.replace(through(renamed), line_item_url=LINE_ITEM))
    assert queued == []


# Other platforms of the university


def test_an_issuer_that_somebody_else_uses_is_not_given_up(
    database: Database, before: Visit, renamed: PlatformRow
) -> None:
    beside = register(database, replace(PLATFORM, slug="beside", client_id="client-b"))
    launch(database, through(beside, deployment_id="1"))
    with pytest.raises(CannotReplace, match="lti-tool platform disable beside"):
        succeed(database)
    with database.write() as connection:
        disable_platform(connection, beside.platform_id)
    succeed(database)
    beside_2 = register(database, replace(RENAMED, slug="beside-2", client_id="client-b2"))
    assert succeed(database, "beside", "beside-2").courses == Moved(all=1, merged=0)
    assert launch(database, through(beside_2)).participant_id == before.participant_id


def test_another_platform_with_the_new_issuer_keeps_its_people(
    database: Database, seeded: Seeded, before: Visit, renamed: PlatformRow
) -> None:
    beside = register(database, replace(RENAMED, slug="beside", client_id="client-b"))
    there = structs.replace(through(beside), line_item_url=f"{NEW_ISSUER}/beside")
    record(database, code_of(launch(database, there), seeded.session_ids[0]))
    record(database, code_of(before, seeded.session_ids[1]))
    assert succeed(database).scores_queued == 1
    assert launch(database, there, now=LATER).participant_id == before.participant_id
    assert (f"{NEW_ISSUER}/beside", "due", before.participant_id, 2, 2) in scores(database)
