"""A placement without a line item gets one by itself: found by our resource id, or else made; then scores follow."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc.jwk import RSAKey
from msgspec import structs

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE
from lms.service_tokens import ServiceTokens
from lms.tool_keys import SigningKey
from moodle_sync.deliver_scores import deliver
from moodle_sync.find_line_items import SCOPES, Searching, due_line_items, find_line_item
from moodle_sync.services import make_services
from moodle_sync.worker import Tick
from sandbox_lms.campus import GRANTED_SCOPES, MALTA
from series.deliveries import FIRST_DELAY, LEASE
from series.people import Visit
from series.store import line_items
from series.store.database import Connection, Database
from series.store.deliveries import DeliveryRow, list_deliveries
from series.store.gradebook_pauses import Pause, list_pauses
from series.store.sent_grades import grades_of_course, retry_of_course
from series.store.tables import placement
from tests.at_once import at_once
from tests.examples import SERIES
from tests.integration.service import GORG, MARIA, Service, open_service
from tests.seeds import LAUNCH, code_of, launch, record

UNGRADED = replace(MALTA, grades_activities=False, scopes=(*GRANTED_SCOPES, SCOPE_LINE_ITEM))
GRANTED = (SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE)
COLUMNS = "/mod/lti/services.php/2/lineitems"
MADE_SCORES = f"{COLUMNS}/100/lineitem/scores"
PLACEMENT = 2  # placement 1 has a line item
AFTER_THE_FIRST_DELAY_S = FIRST_DELAY.total_seconds() * 1.25
PRIVATE = ("Maria", "Vella", "maria", "userId", "sub")


@pytest.fixture
def service(tmp_path: Path, sqlite_url: str) -> Iterator[Service]:
    """An LMS that gives activities no grade columns of their own."""
    with open_service(tmp_path, sqlite_url, UNGRADED) as opened:
        yield opened


def opens(service: Service, sub: str = MARIA, **changes: Any) -> Visit:
    """The person opens an activity without a line item."""
    new = structs.replace(
        LAUNCH,
        sub=sub,
        platform_id=service.platform.platform_id,
        issuer=service.partner.world.campus.issuer,
        resource_link_id="2",
        line_item_url=None,
        line_items_url=service.partner.world.url(f"{COLUMNS}?type_id=1"),
        ags_scopes=GRANTED,
    )
    return launch(service.partner.services.database, structs.replace(new, **changes), now=service.partner.now)


def attends(service: Service, visit: Visit, session: int = 0) -> None:
    new = code_of(visit, service.partner.seeded.session_ids[session], at=service.partner.now)
    record(service.partner.services.database, new, now=service.partner.now)


def find(service: Service) -> None:
    find_line_item(service.partner.services, PLACEMENT)


def due(service: Service) -> list[int]:
    return due_line_items(service.partner.services, now=service.partner.now, limit=10)


def kept(database: Database) -> Any:
    with database.read() as connection:
        return connection.execute(sa.select(placement).where(placement.c.id == PLACEMENT)).one()


def queued(database: Database, url: str) -> list[DeliveryRow]:
    with database.read() as connection:
        return [row for row in list_deliveries(connection, state=None) if row.line_item_url == url]


def columns(service: Service) -> list[dict[str, Any]]:
    """What the tool has made in the LMS."""
    with service.partner.world.sandbox.sites["malta"].database.read() as connection:
        return [dict(row) for row in connection.execute("SELECT * FROM line_item ORDER BY line_item_id")]


# The walk


def test_lti_046_lti_047_lti_048_lti_049_line_items_are_asked_for_and_there_are_none(service: Service) -> None:
    attends(service, opens(service))
    find(service)
    asked = service.sent(COLUMNS)[0]
    assert asked.method == "GET"
    assert asked.headers["Accept"] == "application/vnd.ims.lis.v2.lineitemcontainer+json"
    assert str(asked.headers["Authorization"]).startswith("Bearer ")
    series_id = service.partner.seeded.series.series_id
    assert asked.url == service.partner.world.url(f"{COLUMNS}?type_id=1&resource_id=series%20{series_id}")
    assert service.scopes_asked()[0] == SCOPE_LINE_ITEM_READONLY
    assert SCOPE_LINE_ITEM_READONLY in service.scopes_given()


def test_lti_050_lti_051_lti_052_lti_053_one_is_made_and_its_address_kept(service: Service) -> None:
    attends(service, opens(service))
    find(service)
    _, made = service.sent(COLUMNS)
    assert made.method == "POST"
    assert made.headers["Content-Type"] == "application/vnd.ims.lis.v2.lineitem+json"
    assert str(made.headers["Authorization"]).startswith("Bearer ")
    assert service.scopes_asked()[1] == SCOPE_LINE_ITEM
    seeded = service.partner.seeded
    assert json.loads(str(made.body, "utf-8")) == {
        "label": seeded.series.title,
        "scoreMaximum": 2,
        "resourceId": f"series {seeded.series.series_id}",
        "resourceLinkId": "2",
    }
    row = kept(service.partner.services.database)
    assert row.line_item_url == service.partner.world.line_item_url(line_item_id=100)
    assert (row.line_item_next_at, row.line_item_attempts, row.line_item_problem) == (None, 0, None)
    assert due(service) == []


def test_lti_054_lti_055_lti_056_lti_057_the_score_of_before_follows(service: Service) -> None:
    visit = opens(service)
    attends(service, visit)
    find(service)
    (row,) = queued(service.partner.services.database, service.partner.world.line_item_url(line_item_id=100))
    deliver(service.partner.services, row.delivery_id)
    (score,) = service.sent(MADE_SCORES)
    assert score.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
    assert str(score.headers["Authorization"]).startswith("Bearer ")
    assert service.scopes_asked()[2] == SCOPE_SCORE
    body = json.loads(str(score.body, "utf-8"))
    sent_at = datetime.fromisoformat(body.pop("timestamp"))
    assert abs(sent_at - service.partner.now) < timedelta(minutes=1)
    assert score.body is not None
    assert b'.000Z"' in bytes(score.body)  # with a zone and a fraction of a second
    assert body == {
        "userId": MARIA,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "scoreGiven": 1,
        "scoreMaximum": 2,
    }
    assert service.partner.delivery(row.delivery_id).state == "delivered"


# Found, not made


def test_what_was_made_before_a_crash_is_found_again(service: Service) -> None:
    attends(service, opens(service))
    find(service)
    with service.partner.services.database.write() as connection:  # as if the POST had been the last thing we did
        connection.execute(sa.update(placement).where(placement.c.id == PLACEMENT).values(line_item_url=None))
    find(service)
    assert len(columns(service)) == 1
    assert kept(service.partner.services.database).line_item_url is not None


def test_pitfall_29_another_activity_of_the_same_course_has_a_column_of_its_own(service: Service) -> None:
    attends(service, opens(service))
    opens(service, resource_link_id="1", line_item_url=None)
    find(service)
    with service.partner.services.database.write() as connection:
        connection.execute(sa.update(placement).values(line_item_url=None))
    find_line_item(service.partner.services, 1)
    assert [column["resource_link_id"] for column in columns(service)] == ["2", "1"]


def test_an_activity_of_one_session_is_out_of_one(service: Service) -> None:
    session = service.partner.seeded.sessions[0]
    attends(service, opens(service, custom_session_id=str(session.session_id)))
    find(service)
    (column,) = columns(service)
    assert (column["label"], column["score_maximum"], column["resource_id"]) == (
        session.title,
        1,
        f"session {session.session_id}",
    )


def test_nothing_that_is_sent_is_about_a_person(service: Service) -> None:
    attends(service, opens(service))
    find(service)
    for request in service.sent(COLUMNS):
        assert not any(word in f"{request.url} {request.body!s}" for word in PRIVATE)


def test_the_scores_of_everybody_follow(service: Service) -> None:
    maria, gorg, zaren = (opens(service, sub) for sub in (MARIA, GORG, "6"))
    attends(service, maria)
    attends(service, maria, session=1)
    attends(service, zaren)
    find(service)
    url = kept(service.partner.services.database).line_item_url
    rows = queued(service.partner.services.database, url)
    assert [(row.sub, row.score_given, row.score_maximum) for row in rows] == [(MARIA, 2, 2), ("6", 1, 2)]
    attends(service, gorg)
    assert len(queued(service.partner.services.database, url)) == 3


# Later, and never


def test_an_lms_that_is_down_is_asked_later(service: Service) -> None:
    attends(service, opens(service))
    switches = service.partner.world.sandbox.switches["malta"]
    switches.set(down=True)
    find(service)
    row = kept(service.partner.services.database)
    assert (row.line_item_url, row.line_item_attempts) == (None, 1)
    assert "503" in row.line_item_problem
    assert due(service) == []

    switches.reset()
    service.partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    assert due(service) == [PLACEMENT]
    find(service)
    row = kept(service.partner.services.database)
    assert (row.line_item_url is not None, row.line_item_problem) == (True, None)


def test_a_refusal_is_a_sentence_and_asked_again_a_day_later(service: Service) -> None:
    other_course = service.partner.world.url("/mod/lti/services.php/9/lineitems?type_id=1")
    attends(service, opens(service, line_items_url=other_course))
    find(service)
    row = kept(service.partner.services.database)
    assert row.line_item_problem.startswith("The course that the LMS named for grade columns is not there")
    service.partner.world.advance(timedelta(hours=23).total_seconds())
    assert due(service) == []
    service.partner.world.advance(timedelta(hours=1, seconds=1).total_seconds())
    assert due(service) == [PLACEMENT]


def test_an_error_of_ours_is_postponed_and_said(service: Service) -> None:
    attends(service, opens(service))
    settings = replace(service.partner.services.settings, encryption_key=b"eg==" * 11)
    find_line_item(make_services(settings), PLACEMENT)
    assert "An error of ours" in kept(service.partner.services.database).line_item_problem


def test_many_workers_at_once_make_one(service: Service) -> None:
    attends(service, opens(service))
    at_once(service.partner.services.database, lambda _, __: find(service))
    assert len(columns(service)) == 1


def test_what_the_lms_itself_names_meanwhile_stays(service: Service) -> None:
    attends(service, opens(service))
    services = service.partner.services
    with services.database.write() as connection:
        assert line_items.claim_placement(connection, PLACEMENT, scopes=SCOPES, now=service.partner.now)
    opens(service, line_item_url="https://lms.malta.example/named")
    with services.database.write() as connection:
        line_items.save_line_item(connection, PLACEMENT, "https://lms.malta.example/made")
    assert kept(services.database).line_item_url == "https://lms.malta.example/named"


def test_the_worker_hands_it_over(service: Service) -> None:
    attends(service, opens(service))
    Tick(service.partner.services)()
    assert (
        service.partner.services.queue.huey.pending_count() == 2
    )  # beside the score of the activity that has a column


# Columns that the LMS brings, changes or loses


def named(service: Service, number: int) -> str:
    return service.partner.world.url(f"{COLUMNS}/{number}/lineitem?type_id=1")


def test_when_grading_is_switched_on_everybody_who_came_before_gets_a_grade(service: Service) -> None:
    for sub in (MARIA, GORG, "6"):
        attends(service, opens(service, sub, ags_scopes=(SCOPE_SCORE,)))
    assert due(service) == []
    url = named(service, 77)
    opens(service, "99", is_learner=False, is_teacher=True, ags_scopes=(SCOPE_SCORE,), line_item_url=url)
    assert due(service) == [PLACEMENT]
    find(service)
    assert [(row.sub, row.state) for row in queued(service.partner.services.database, url)] == [
        (MARIA, "due"),
        (GORG, "due"),
        ("6", "due"),
    ]
    assert service.sent(COLUMNS) == []
    opens(service, line_item_url=url)
    assert due(service) == []


def test_pitfall_31_scores_follow_to_another_column_that_a_launch_names(service: Service) -> None:
    for sub in (MARIA, GORG):
        attends(service, opens(service, sub))
    find(service)
    opens(service, "99", is_learner=False, is_teacher=True, line_item_url=named(service, 77))
    find(service)
    rows = queued(service.partner.services.database, named(service, 77))
    assert [row.sub for row in rows] == [MARIA, GORG]


def delete_columns(service: Service) -> None:
    """And somebody else makes one, so that no number is given twice."""
    with service.partner.world.sandbox.sites["malta"].database.write() as connection:
        connection.execute("UPDATE line_item SET line_item_id = 200, resource_id = 'of another tool'")


def score_for_a_deleted_column(service: Service, **granted: Any) -> DeliveryRow:
    """As it is after the attempt to deliver it."""
    visit = opens(service)
    attends(service, visit)
    find(service)
    opens(service, **granted)
    delete_columns(service)
    services = service.partner.services
    (row,) = queued(services.database, service.partner.world.line_item_url(line_item_id=100))
    deliver(services, row.delivery_id)
    return service.partner.delivery(row.delivery_id)


def test_a_column_that_was_deleted_is_made_anew_and_the_scores_follow(service: Service) -> None:
    row = score_for_a_deleted_column(service)
    assert (row.state, str(row.outcome).startswith("The grade column was deleted")) == ("unaddressed", True)
    assert kept(service.partner.services.database).line_item_url is None
    assert due(service) == []  # whoever deletes it again and again is not fought
    service.partner.world.advance(timedelta(days=1, seconds=1).total_seconds())
    assert due(service) == [PLACEMENT]
    find(service)
    url = kept(service.partner.services.database).line_item_url
    assert url == service.partner.world.line_item_url(line_item_id=201)
    assert [(one.sub, one.state) for one in queued(service.partner.services.database, url)] == [(MARIA, "due")]


@pytest.mark.parametrize(
    "granted",
    [{"ags_scopes": (SCOPE_SCORE, SCOPE_LINE_ITEM_READONLY)}],
)
def test_a_deleted_column_that_we_may_not_make_anew_stays_named(service: Service, granted: dict[str, Any]) -> None:
    row = score_for_a_deleted_column(service, **granted)
    assert (row.state, row.outcome) == (
        "failed",
        "The activity, its grade column or the person is no longer in the course.",
    )
    assert kept(service.partner.services.database).line_item_url is not None


def test_a_column_that_only_refuses_one_score_stays(service: Service) -> None:
    attends(service, opens(service))
    find(service)
    services = service.partner.services
    (row,) = queued(services.database, service.partner.world.line_item_url(line_item_id=100))
    service.partner.world.sandbox.switches["malta"].set(score_status=404)
    deliver(services, row.delivery_id)
    assert service.partner.delivery(row.delivery_id).state == "failed"
    assert kept(services.database).line_item_url is not None


# Platforms that are left alone


def pauses(service: Service) -> list[Pause]:
    with service.partner.services.database.read() as connection:
        return list_pauses(connection)


def test_of_an_lms_that_is_down_one_placement_finds_out_for_all(service: Service) -> None:
    for link in ("2", "3"):
        attends(service, opens(service, resource_link_id=link))
    assert due(service) == [PLACEMENT]  # one of a platform at a time
    switches = service.partner.world.sandbox.switches["malta"]
    switches.set(down=True)
    find(service)
    (pause,) = pauses(service)
    assert "503" in pause.reason
    assert due(service) == []
    service.partner.calls()
    find_line_item(service.partner.services, 3)
    assert service.partner.calls() == []

    switches.reset()
    service.partner.world.advance(AFTER_THE_FIRST_DELAY_S)
    assert due(service) == [PLACEMENT]
    with service.partner.services.database.write() as connection:
        assert claim_in(connection, PLACEMENT, service.partner.now)
        assert not claim_in(connection, 3, service.partner.now)  # until the first one has got through
    service.partner.world.advance(LEASE.total_seconds() + 1)
    find(service)
    assert (pauses(service), due(service)) == ([], [3])


def claim_in(connection: Connection, placement_id: int, now: datetime) -> bool:
    return line_items.claim_placement(connection, placement_id, scopes=SCOPES, now=now) is not None


def test_an_lms_that_gives_no_token_for_columns_may_give_one_for_scores(service: Service) -> None:
    attends(service, opens(service))
    services, another_key = service.partner.services, SigningKey(kid="another", key=RSAKey.generate_key(2048))
    tokens = ServiceTokens(services.http, lambda: another_key, services.clock.now)
    find_line_item(replace(services, tokens=tokens), PLACEMENT)
    assert "access token" in kept(services.database).line_item_problem
    assert pauses(service) == []


def test_while_a_platform_is_asked_for_one_column_it_takes_no_more_threads(service: Service) -> None:
    attends(service, opens(service))
    services, searching = service.partner.services, Searching()
    tick, pending = Tick(services, searching=searching), services.queue.huey.pending_count
    with searching.at(service.platform.platform_id):
        tick()
        assert pending() == 1  # the score of the activity that has a column
    assert searching.platforms() == []


def test_a_column_that_comes_back_at_its_address_gets_what_it_missed(service: Service) -> None:
    services = service.partner.services
    maria, gorg = opens(service), opens(service, GORG)
    attends(service, maria)
    attends(service, gorg)
    find(service)
    url = service.partner.world.line_item_url(line_item_id=100)
    first = {row.sub: row.delivery_id for row in queued(services.database, url)}
    deliver(services, first[GORG])
    delete_columns(service)
    deliver(services, first[MARIA])
    attends(service, gorg, 1)  # while there is no line item
    with service.partner.world.sandbox.sites["malta"].database.write() as connection:
        connection.execute("UPDATE line_item SET line_item_id = 100, resource_id = ?", (f"series {SERIES.series_id}",))
    service.partner.world.advance(timedelta(days=1, seconds=1).total_seconds())
    find(service)
    waiting = {(row.sub, row.score_given) for row in queued(services.database, url) if row.state == "due"}
    assert waiting == {(MARIA, 1), (GORG, 2)}


def test_who_sends_all_again_does_not_hide_what_the_new_column_has(service: Service) -> None:
    services = service.partner.services
    old = score_for_a_deleted_column(service)
    service.partner.world.advance(timedelta(days=1, seconds=1).total_seconds())
    find(service)
    shown = kept(services.database)
    (new,) = queued(services.database, shown.line_item_url)
    deliver(services, new.delivery_id)
    with services.database.write() as connection:
        again = retry_of_course(connection, course_id=shown.course_id, delivery_id=None, now=service.partner.now)
        grades = grades_of_course(connection, course_id=shown.course_id, series_id=SERIES.series_id)
    assert not {old.delivery_id, new.delivery_id} & set(again)
    assert [grade.state for grade in grades if grade.placement_id == shown.id] == ["delivered"]


def test_a_launch_that_brings_another_column_while_scores_are_queued_begins_anew(service: Service) -> None:
    database = service.partner.services.database
    attends(service, opens(service))
    find(service)
    before = kept(database).line_item_url
    opens(service, line_item_url=service.partner.world.line_item_url(line_item_id=777))
    with database.write() as connection:
        line_items.end_search(connection, kept(database).id, before)
    assert kept(database).line_item_next_at is not None
