"""When the pre-flight of each LMS is due, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from series.checks import Outcome
from series.preflight import Code, Trial
from series.store.arrivals import save_arrival, seen_claims
from series.store.database import Database
from series.store.last_launches import last_launches
from series.store.lms_tables import platform_check
from series.store.platform_checks import (
    EVERY,
    LEASE,
    are_checks_to_plan,
    ask_for_check,
    checked_platform,
    claim_check,
    due_checks,
    note_trial_column,
    overdue_since,
    plan_checks,
    save_trials,
    trial_column,
)
from series.store.preflight_facts import facts_of
from series.store.refusals import note_refusal
from series.store.universities import add_platform, disable_platform, require_platform
from tests.conftest import NOW
from tests.seeds import LAUNCH, PLATFORM, Seeded, launch, seed

OK = Trial(code=Code.LMS_KEYS, outcome=Outcome.OK, facts={"keys": 1}, at=NOW)
GAP = Trial(code=Code.TOKEN, outcome=Outcome.GAP, facts={"case": "refused", "said": "x"}, at=NOW)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def seeded(database: Database) -> Seeded:
    return seed(database)


def due(database: Database, *, after: timedelta = timedelta()) -> list[int]:
    with database.read() as connection:
        return due_checks(connection, now=NOW + after, limit=10)


def plan(database: Database) -> None:
    with database.write() as connection:
        plan_checks(connection, now=NOW)


def save(database: Database, platform_id: int, *trials: Trial, after: timedelta = timedelta()) -> None:
    """By the worker, which has begun at NOW."""
    now = NOW + after
    with database.write() as connection:
        save_trials(connection, platform_id, trials, began_at=NOW, now=now, next_at=now + EVERY)


def test_every_active_lms_is_planned_and_no_other(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        other = add_platform(connection, replace(PLATFORM, slug="other", client_id="2"), now=NOW)
        disable_platform(connection, other)
    with database.read() as connection:
        assert are_checks_to_plan(connection, now=NOW)
    plan(database)
    plan(database)
    assert due(database) == [seeded.platform_id]
    with database.read() as connection:
        assert not are_checks_to_plan(connection, now=NOW)


def test_of_many_workers_one_has_it_until_its_lease_ends(database: Database, seeded: Seeded) -> None:
    plan(database)
    with database.write() as connection:
        assert claim_check(connection, seeded.platform_id, now=NOW) is not None
        assert claim_check(connection, seeded.platform_id, now=NOW + MINUTE) is None
    assert due(database, after=MINUTE) == []
    assert due(database, after=LEASE) == [seeded.platform_id]


def test_what_was_found_is_kept_and_the_next_one_comes_in_a_day(database: Database, seeded: Seeded) -> None:
    plan(database)
    save(database, seeded.platform_id, OK, GAP, after=MINUTE)
    with database.read() as connection:
        checked = checked_platform(connection, seeded.platform_id)
    assert checked is not None
    assert checked.trials == (OK, GAP)
    assert checked.checked_at == NOW + MINUTE
    assert not checked.is_running(NOW + MINUTE)
    assert due(database, after=MINUTE) == []
    assert due(database, after=EVERY + MINUTE) == [seeded.platform_id]


def test_a_gap_is_as_old_as_when_it_was_first_found(database: Database, seeded: Seeded) -> None:
    save(database, seeded.platform_id, GAP)
    save(database, seeded.platform_id, GAP, after=MINUTE)
    with database.read() as connection:
        checked = checked_platform(connection, seeded.platform_id)
    assert checked is not None
    assert checked.gaps_since == {"token": NOW}
    save(database, seeded.platform_id, OK, after=MINUTE)
    with database.read() as connection:
        checked = checked_platform(connection, seeded.platform_id)
    assert checked is not None
    assert checked.gaps_since == {}


def test_who_asks_in_the_middle_of_it_is_served_after_it(database: Database, seeded: Seeded) -> None:
    """It may have begun before what somebody has mended."""
    plan(database)
    with database.write() as connection:
        claim_check(connection, seeded.platform_id, now=NOW)
        ask_for_check(connection, seeded.platform_id, test_user="17", now=NOW + MINUTE)
    assert due(database, after=MINUTE) == []  # one at a time
    save(database, seeded.platform_id, OK, after=2 * MINUTE)
    assert due(database, after=2 * MINUTE) == [seeded.platform_id]
    with database.write() as connection:
        claimed = claim_check(connection, seeded.platform_id, now=NOW + 2 * MINUTE)
        assert claimed is not None
        assert claimed.test_user == "17"
        save_trials(
            connection,
            seeded.platform_id,
            [OK],
            began_at=claimed.began_at,
            now=NOW + 3 * MINUTE,
            next_at=NOW + EVERY,
        )
        assert connection.execute(sa.select(platform_check.c.test_user)).scalar_one() is None


def test_the_worker_hears_whether_somebody_asked_and_what_the_last_score_came_to(
    database: Database, seeded: Seeded
) -> None:
    score = Trial(code=Code.TEST_SCORE, outcome=Outcome.OK, facts={"case": "nobody"}, at=NOW)
    save(database, seeded.platform_id, OK, score)
    later = NOW + EVERY
    with database.write() as connection:
        claimed = claim_check(connection, seeded.platform_id, now=later)
        assert claimed is not None
        assert (claimed.is_asked, claimed.earlier_score) == (False, score)
        ask_for_check(connection, seeded.platform_id, now=later + LEASE)
        again = claim_check(connection, seeded.platform_id, now=later + LEASE)
    assert again is not None
    assert again.is_asked


def test_where_a_test_column_was_made_outlives_the_check(database: Database, seeded: Seeded) -> None:
    def kept() -> str:
        with database.read() as connection:
            return trial_column(connection, seeded.platform_id)

    assert kept() == ""
    with database.write() as connection:
        note_trial_column(connection, seeded.platform_id, "https://lms.malta.example/items", now=NOW)
    save(database, seeded.platform_id, OK)
    assert kept() == "https://lms.malta.example/items"
    with database.write() as connection:
        note_trial_column(connection, seeded.platform_id, "", now=NOW)
    assert kept() == ""


def test_a_disabled_lms_is_looked_at_only_for_who_asks(database: Database, seeded: Seeded) -> None:
    plan(database)
    with database.write() as connection:
        disable_platform(connection, seeded.platform_id)
    assert due(database) == []
    with database.write() as connection:
        ask_for_check(connection, seeded.platform_id, now=NOW)
    assert due(database) == [seeded.platform_id]


def test_a_check_by_hand_leaves_the_workers_plan(database: Database, seeded: Seeded) -> None:
    """Else nobody would notice that no worker runs."""
    plan(database)
    with database.write() as connection:
        save_trials(connection, seeded.platform_id, [OK], began_at=NOW, now=NOW + MINUTE)
    assert due(database) == [seeded.platform_id]
    with database.read() as connection:
        assert overdue_since(connection, now=NOW + MINUTE) == NOW


def test_a_clock_that_was_put_back_delays_nothing(database: Database, seeded: Seeded) -> None:
    save(database, seeded.platform_id, OK, after=timedelta(days=30))
    with database.read() as connection:
        assert are_checks_to_plan(connection, now=NOW)
    plan(database)
    assert due(database) == [seeded.platform_id]


def test_claims_are_kept_by_name_to_the_hour(database: Database, seeded: Seeded) -> None:
    for claims in (("sub", "name"), ("email", "sub")):
        with database.write() as connection:
            save_arrival(
                connection,
                seeded.platform_id,
                "LtiResourceLinkRequest",
                claims=claims,
                unexpanded=("x",),
                now=NOW,
            )
    with database.read() as connection:
        (seen,) = seen_claims(connection, seeded.platform_id)
    assert (seen.claims, seen.unexpanded, seen.seen_at) == (("email", "sub"), ("x",), NOW.replace(minute=0))


def test_launches_and_facts_are_those_of_this_lms_alone(database: Database, seeded: Seeded) -> None:
    with database.write() as connection:
        other = add_platform(connection, replace(PLATFORM, slug="other", client_id="2"), now=NOW)
        note_refusal(connection, platform_id=other, code="x", reference="y", now=NOW)
    new = structs.replace(LAUNCH, return_url="https://lms.malta.example/course?id=2", memberships_url="https://x/m")
    launch(database, new)
    launch(database, structs.replace(new, is_teacher=True, is_learner=False, sub="8"), now=NOW + MINUTE)
    with database.read() as connection:
        launches = last_launches(connection, seeded.platform_id)
        facts = facts_of(connection, require_platform(connection, "malta"), now=NOW)
        assert last_launches(connection, other) == []
        nothing = facts_of(connection, require_platform(connection, "other"), now=NOW)
    assert [(one.role, one.course_title) for one in launches] == [
        ("teacher", "Teaching STEM"),
        ("learner", "Teaching STEM"),
    ]
    assert facts.launched_at == NOW + MINUTE
    assert facts.return_origins == ("https://lms.malta.example",)
    assert facts.placed is not None
    assert facts.placed.memberships_url == "https://x/m"
    assert (nothing.launched_at, nothing.placed, nothing.approved) == (None, None, 1)


def test_who_only_picks_has_launched_nothing(database: Database, seeded: Seeded) -> None:
    """Else the board would say that the activity was opened, and in the next line that it was not."""
    with database.write() as connection:
        save_arrival(connection, seeded.platform_id, "LtiDeepLinkingRequest", claims=(), unexpanded=(), now=NOW)
    with database.read() as connection:
        assert facts_of(connection, require_platform(connection, "malta"), now=NOW).launched_at is None


def test_refusals_count_since_the_last_launch(database: Database, seeded: Seeded) -> None:
    def refused() -> int:
        with database.read() as connection:
            return facts_of(connection, require_platform(connection, "malta"), now=NOW).refused

    with database.write() as connection:
        note_refusal(connection, platform_id=seeded.platform_id, code="x", reference="y", now=NOW)
    assert refused() == 1
    launch(database, LAUNCH, now=NOW + MINUTE)
    assert refused() == 0
    with database.write() as connection:
        note_refusal(connection, platform_id=seeded.platform_id, code="x", reference="y", now=NOW + 2 * MINUTE)
    assert refused() == 1
