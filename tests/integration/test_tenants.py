"""Two universities whose LMSs share one issuer, as the customers of a cloud do. User, deployment, course and activity
ids are the same, even the line item, and still they have nothing in common; on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

import pytest
import responses
import sqlalchemy as sa
from joserfc import jwt
from msgspec import structs

from lms.guarded import GuardedSession
from lms.service_tokens import ServicePlatform, ServiceTokens
from series.people import Visit
from series.pooled import TERM, Block
from series.store import deliveries
from series.store.counts import people_of_course
from series.store.database import Database
from series.store.deployments import disable_deployment, list_deployments, note_pending
from series.store.keys import cached_key_set, save_key_fetch
from series.store.launches import NewVisit, upsert_participant
from series.store.pooled_own import own_counts
from series.store.records import completions_of
from series.store.refusals import last_refusals, note_refusal
from series.store.tables import completion, course, delivery, participant, placement
from series.store.universities import PlatformRow, disable_platform, platforms_of_issuer, require_platform
from tests.conftest import NOW
from tests.examples import SERIES, VILNIUS
from tests.replacing import REGISTERED_AGAIN, LaunchRefused, register, succeed, through
from tests.seeds import ISSUER, LINE_ITEM, PLATFORM, Seeded, code_of, count, launch, record, seed
from tests.unit.recordings import SIGNING_KEY, loopback_session

OTHER_CUSTOMER = replace(PLATFORM, slug="vilnius", university_id=VILNIUS.university_id, client_id="client-of-vilnius")


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Both customers, and a student of each whose ids are all the same."""

    seeded: Seeded
    vilnius_home: PlatformRow
    malta: Visit
    vilnius: Visit


@pytest.fixture
def cloud(database: Database) -> Cloud:
    seeded = seed(database)
    vilnius_home = register(database, OTHER_CUSTOMER)
    return Cloud(
        seeded=seeded,
        vilnius_home=vilnius_home,
        malta=launch(database),
        vilnius=launch(database, at_vilnius(vilnius_home)),
    )


def at_vilnius(home: PlatformRow) -> NewVisit:
    return structs.replace(through(home, deployment_id="1"), line_item_url=LINE_ITEM)


def test_everything_is_there_twice(database: Database, cloud: Cloud) -> None:
    malta, vilnius = cloud.malta, cloud.vilnius
    assert (malta.university.slug, vilnius.university.slug) == ("malta", "vilnius")
    for name in ("participant_id", "course_id", "placement_id", "platform_id"):
        assert getattr(malta, name) != getattr(vilnius, name), name
    assert [count(database, table) for table in (participant, course, placement)] == [2, 2, 2]
    with database.read() as connection:
        assert {row.slug for row in platforms_of_issuer(connection, ISSUER)} == {"malta", "vilnius"}


def test_a_further_launch_finds_its_own(database: Database, cloud: Cloud) -> None:
    again = launch(database), launch(database, at_vilnius(cloud.vilnius_home))
    assert [one.participant_id for one in again] == [cloud.malta.participant_id, cloud.vilnius.participant_id]
    assert [one.placement_id for one in again] == [cloud.malta.placement_id, cloud.vilnius.placement_id]


def test_what_one_completes_the_other_has_not(database: Database, cloud: Cloud) -> None:
    first = cloud.seeded.session_ids[0]
    record(database, code_of(cloud.malta, first))
    with database.read() as connection:
        done = [
            set(completions_of(connection, participant_id=one.participant_id, series_id=SERIES.series_id))
            for one in (cloud.malta, cloud.vilnius)
        ]
        assert done == [{first}, set()]
        for one in (cloud.malta, cloud.vilnius):
            assert one.course_id is not None
            (person,) = people_of_course(connection, one.course_id, subs=[one.sub])
            assert person.participant_id == one.participant_id
        for one, own in ((cloud.malta, 1), (cloud.vilnius, 0)):
            ids = {"university_id": one.university.university_id, "course_id": one.course_id or 0}
            counted = own_counts(connection, series_id=SERIES.series_id, **ids, now=NOW)
            assert (counted.course[Block(session_id=first)], counted.university[TERM]) == (own, own)


def test_one_line_item_address_is_two_line_items(database: Database, cloud: Cloud) -> None:
    first, second, _ = cloud.seeded.session_ids
    (of_malta,) = record(database, code_of(cloud.malta, first))
    (of_vilnius,) = record(database, code_of(cloud.vilnius, first))
    with database.write() as connection:
        claimed = [deliveries.claim(connection, one, now=NOW) for one in (of_malta, of_vilnius)]
    assert [one and (one.platform_id, one.score_at) for one in claimed] == [
        (cloud.malta.platform_id, NOW),
        (cloud.vilnius.platform_id, NOW),
    ]
    record(database, code_of(cloud.malta, second))
    with database.read() as connection:
        versions = connection.execute(
            sa.select(delivery.c.participant_id, delivery.c.version).order_by(delivery.c.id)
        ).all()
    assert [tuple(row) for row in versions] == [
        (cloud.malta.participant_id, 1),
        (cloud.vilnius.participant_id, 1),
        (cloud.malta.participant_id, 2),
    ]


def test_a_person_who_is_named_for_one_is_not_the_others(database: Database, cloud: Cloud) -> None:
    with database.write() as connection:
        named = upsert_participant(
            connection, university_id=VILNIUS.university_id, issuer=ISSUER, sub=cloud.malta.sub, now=NOW
        )
    assert named == cloud.vilnius.participant_id


def test_what_is_switched_off_for_one_stays_on_for_the_other(database: Database, cloud: Cloud) -> None:
    (of_vilnius,) = record(database, code_of(cloud.vilnius, cloud.seeded.session_ids[0]))
    with database.write() as connection:
        disable_platform(connection, cloud.malta.platform_id)
        disable_deployment(connection, require_platform(connection, "malta"), "1")
    with pytest.raises(LaunchRefused):
        launch(database)
    launch(database, at_vilnius(cloud.vilnius_home))
    with database.read() as connection:
        assert deliveries.due_ids(connection, now=NOW, limit=10) == [of_vilnius]


def test_keys_refusals_and_pending_deployments_are_kept_apart(database: Database, cloud: Cloud) -> None:
    with database.write() as connection:
        save_key_fetch(connection, cloud.malta.platform_id, '{"keys": []}', now=NOW)
        note_refusal(connection, platform_id=cloud.malta.platform_id, code="key_unknown", reference="1", now=NOW)
        note_pending(connection, platform_id=cloud.malta.platform_id, deployment_id="9", course_title="x", now=NOW)
        assert cached_key_set(connection, cloud.vilnius.platform_id) is None
        assert last_refusals(connection, cloud.vilnius.platform_id) == []
        assert len(list_deployments(connection, platform_id=cloud.vilnius.platform_id)) == 1


@pytest.mark.parametrize("issuer", [ISSUER, "https://learn.malta.example"])
def test_when_one_registers_again_the_other_notices_nothing(database: Database, cloud: Cloud, issuer: str) -> None:
    first = cloud.seeded.session_ids[0]
    for one in (cloud.malta, cloud.vilnius):
        record(database, code_of(one, first))
    again = register(database, replace(REGISTERED_AGAIN, issuer=issuer))
    succeed(database)
    assert launch(database, through(again)).participant_id == cloud.malta.participant_id
    assert launch(database, at_vilnius(cloud.vilnius_home)).participant_id == cloud.vilnius.participant_id
    with database.read() as connection:
        states = connection.execute(sa.select(delivery.c.participant_id, delivery.c.state)).all()
    assert {tuple(row) for row in states} == {
        (cloud.malta.participant_id, "superseded"),
        (cloud.malta.participant_id, "due"),
        (cloud.vilnius.participant_id, "due"),
    }
    assert [count(database, table) for table in (participant, course, placement, completion)] == [2, 2, 2, 2]


# Service tokens


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@responses.activate
def test_each_has_a_service_token_of_its_own(http: GuardedSession) -> None:
    endpoint = "http://127.0.0.1:8101/token"
    for number in (1, 2):
        responses.post(endpoint, json={"access_token": f"token-{number}", "expires_in": 3600})
    tokens = ServiceTokens(http, lambda: SIGNING_KEY, lambda: NOW)
    malta, vilnius = (
        ServicePlatform(platform_id=number, client_id=f"client-{number}", token_endpoint=endpoint) for number in (1, 2)
    )
    got = [tokens.token(home, ["score"]) for home in (malta, vilnius, malta, vilnius)]
    assert got == ["token-1", "token-2", "token-1", "token-2"]
    tokens.forget(malta, ["score"], "token-1")
    assert tokens.token(vilnius, ["score"]) == "token-2"
    assertions = [parse_qs(str(call.request.body))["client_assertion"][0] for call in responses.calls]
    subjects = [jwt.decode(one, SIGNING_KEY.key, algorithms=["RS256"]).claims["sub"] for one in assertions]
    assert subjects == ["client-1", "client-2"]
