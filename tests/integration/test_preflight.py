"""The pre-flight of an LMS over real HTTP: everything right, and then one thing wrong at a time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_RESULT_READONLY, SCOPE_SCORE
from lms.nrps import SCOPE_MEMBERSHIPS
from lms.preflight import fly
from moodle_sync.deliver_scores import deliver
from sandbox_lms.activities import line_items_url, memberships_url
from sandbox_lms.campus import AGS_SCOPE, GRANTED_SCOPES
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.courses import add_copy, all_courses
from sandbox_lms.gradebook import all_grades
from sandbox_lms.line_items import all_line_items, delete_line_item, make_line_item
from sandbox_lms.switches import Switches
from series.checks import Outcome
from series.moodle_jobs import MoodleJob
from series.preflight import TEST_LABEL, TEST_RESOURCE_ID, Code, Trial
from series.preflight_words import found_sentence, remedy_sentence
from series.store.deployments import note_pending
from series.store.keys import cached_key_set
from series.store.tables import deployment, placement, platform, visit
from series.store.universities import require_platform
from tests.databases import Databases
from tests.integration.partner import Partner, launch_at, open_partner
from tests.seeds import launch

MARIA, NOBODY = "3", "2147483647"
ALL_SCOPES = (SCOPE_SCORE, SCOPE_RESULT_READONLY, SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY)
GRANTS_COLUMNS = replace(CAMPUS, scopes=(*GRANTED_SCOPES, AGS_SCOPE + "lineitem"))


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    """An LMS that grants everything, and whose activity a student has opened from the course."""
    folder = tmp_path_factory.mktemp("checked")
    with databases.fresh("sqlite") as url, open_partner(folder, url, GRANTS_COLUMNS) as opened:
        site = opened.world.sandbox.sites["malta"]
        new = structs.replace(
            launch_at(opened.world, opened.seeded, MARIA),
            ags_scopes=ALL_SCOPES,
            memberships_url=memberships_url(site),
            line_items_url=line_items_url(site),
            return_url=f"{site.campus.url}/mod/lti/return.php",
        )
        launch(opened.services.database, new, now=opened.now)
        yield opened


@pytest.fixture
def partner(shared: Partner) -> Iterator[Partner]:
    """As it was registered and opened; what a test changes of that is put back."""
    database = shared.services.database
    with database.read() as connection:
        kept = {
            table: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in (platform, placement, deployment)
        }
    shared.calls()
    yield shared
    switches(shared).reset()
    shared.world.advance(-shared.services.clock.offset().total_seconds())
    with database.write() as connection:
        for table, rows in kept.items():
            known = [row["id"] for row in rows]
            connection.execute(sa.delete(table).where(table.c.id.not_in(known)))
            for row in rows:
                connection.execute(sa.update(table).where(table.c.id == row["id"]).values(row))


def switches(partner: Partner) -> Switches:
    return partner.world.sandbox.switches["malta"]


def change(partner: Partner, table: sa.Table, **values: Any) -> None:
    with partner.services.database.write() as connection:
        connection.execute(sa.update(table).values(values))


def run(partner: Partner, *, test_user: str | None = None, **how: Any) -> dict[Code, Trial]:
    services = partner.services
    with services.database.read() as connection:
        row = require_platform(connection, "malta")
    trials = fly(services.database, services.settings, services.http, row, test_user=test_user, **how)
    for trial in trials:
        assert found_sentence(trial, row.product), trial
        assert trial.outcome is not Outcome.GAP or remedy_sentence(trial, row.product) or "reason" in trial.facts
    return {trial.code: trial for trial in trials}


def said(trials: dict[Code, Trial], code: Code) -> tuple[Outcome, str | int]:
    return trials[code].outcome, trials[code].facts.get("case", "")


def deleted(partner: Partner) -> int:
    return _columns(partner, "DELETE")


def made(partner: Partner) -> int:
    return _columns(partner, "POST")


def _columns(partner: Partner, method: str) -> int:
    """How often one was deleted or made."""
    journal, ends = partner.world.sandbox.sites["malta"].journal, ("/lineitems", "/lineitem")
    return sum(entry.method == method and entry.path.endswith(ends) for entry in journal.entries())


def test_everything_works_and_nothing_is_left_behind(partner: Partner) -> None:
    site = partner.world.sandbox.sites["malta"]
    before = all_line_items(site), all_grades(site)
    trials = run(partner)
    assert {code: trial.outcome for code, trial in trials.items() if trial.outcome is not Outcome.OK} == {
        Code.DELIVERIES: Outcome.SKIPPED,
        Code.MOODLE: Outcome.SKIPPED,
    }
    assert said(trials, Code.TEST_SCORE) == (Outcome.OK, "nobody")
    assert trials[Code.ROSTER].facts["people"] == len(CAMPUS.members)
    assert set(str(trials[Code.TOKEN].facts["scopes"]).split()) == {*ALL_SCOPES, SCOPE_MEMBERSHIPS}
    assert (all_line_items(site), all_grades(site)) == before
    assert not made(partner)
    with partner.services.database.read() as connection:
        cached = cached_key_set(connection, partner.seeded.platform_id)
    assert cached is not None
    assert cached.key_set


def test_a_score_for_a_test_student_is_written_read_back_and_deleted(partner: Partner) -> None:
    site = partner.world.sandbox.sites["malta"]
    trials = run(partner, test_user=MARIA)
    assert said(trials, Code.TEST_SCORE) == (Outcome.OK, "read")
    scores = [entry for entry in site.journal.entries() if entry.path.endswith("/scores")]
    assert [(entry.user_id, entry.score_given, entry.status) for entry in scores] == [(MARIA, 50, 200)]
    assert all_grades(site) == []
    assert len(all_line_items(site)) == 2


def test_a_test_student_who_is_none_is_said(partner: Partner) -> None:
    trials = run(partner, test_user="99")
    assert said(trials, Code.TEST_SCORE) == (Outcome.GAP, "student")
    assert said(run(partner, test_user="no-number"), Code.TEST_SCORE) == (Outcome.GAP, "student")
    assert len(all_line_items(partner.world.sandbox.sites["malta"])) == 2


def test_a_column_that_a_crash_has_left_is_deleted_and_no_other(partner: Partner) -> None:
    """Also not one of the same resource id that belongs to an activity: Moodle would delete its grades with it."""
    site = partner.world.sandbox.sites["malta"]
    made = {"label": TEST_LABEL, "scoreMaximum": 100, "resourceId": TEST_RESOURCE_ID}
    left = make_line_item(site, made)
    of_activity = make_line_item(site, {**made, "resourceLinkId": "1"})
    others = make_line_item(site, {**made, "resourceId": "series"})
    run(partner, test_user=MARIA)
    ids = {item.line_item_id for item in all_line_items(site)}
    assert left.line_item_id not in ids
    assert ids == {4, 5, of_activity.line_item_id, others.line_item_id}
    for kept in (of_activity, others):
        delete_line_item(site, kept.line_item_id)


def test_a_column_that_cannot_be_deleted_is_said(partner: Partner) -> None:
    site = partner.world.sandbox.sites["malta"]
    switches(partner).set(keeps_line_items=True)
    for _ in range(2):
        assert said(run(partner, test_user=MARIA), Code.TEST_SCORE) == (Outcome.UNKNOWN, "left")
        partner.world.advance(2)  # a second score within a second is none
    assert [item.label for item in all_line_items(site)].count(TEST_LABEL) == 1
    switches(partner).reset()
    assert said(run(partner), Code.TEST_SCORE) == (Outcome.OK, "nobody")
    assert TEST_LABEL not in {item.label for item in all_line_items(site) if item.resource_link_id is None}


def test_without_a_column_one_is_made_only_if_somebody_asks(partner: Partner) -> None:
    """Canvas tells students of each, and Moodle counts the grades of the course anew: that is nothing for every day."""
    change(partner, placement, line_item_url=None)
    assert said(run(partner, is_asked=False), Code.TEST_SCORE) == (Outcome.UNKNOWN, "unasked")
    assert not made(partner)
    earlier = run(partner)[Code.TEST_SCORE]
    assert (earlier.outcome, earlier.facts) == (Outcome.OK, {"case": "nobody"})
    assert made(partner) == deleted(partner) == 1
    assert run(partner, is_asked=False, earlier_score=earlier)[Code.TEST_SCORE] == earlier
    assert made(partner) == 1


def test_what_a_crash_left_in_another_course_is_deleted(partner: Partner) -> None:
    """By then the activity may have been opened last somewhere else."""
    site = partner.world.sandbox.sites["malta"]
    switches(partner).set(keeps_line_items=True)
    run(partner, test_user=MARIA)
    switches(partner).reset()
    other = add_copy(site, all_courses(site)[0])
    change(partner, placement, line_items_url=line_items_url(site, other.course_id))
    run(partner, is_asked=False)
    assert TEST_LABEL not in {item.label for item in all_line_items(site)}
    calls = len(site.journal.entries())
    run(partner, is_asked=False)
    assert "lineitems" not in [entry.path.split("/")[-1] for entry in site.journal.entries()[calls:]]


def test_with_the_right_to_score_alone_a_real_column_gets_a_score_of_nobody(partner: Partner) -> None:
    change(partner, placement, ags_scopes=SCOPE_SCORE)
    trials = run(partner, test_user=MARIA)  # who keeps the grade that they have
    assert said(trials, Code.TEST_SCORE) == (Outcome.OK, "nobody")
    assert said(trials, Code.LINE_ITEM) == (Outcome.SKIPPED, "not_granted")
    site = partner.world.sandbox.sites["malta"]
    scores = [entry.user_id for entry in site.journal.entries() if entry.path.endswith("/scores")]
    assert scores == [NOBODY]
    assert not deleted(partner)


def test_no_right_to_score_is_said(partner: Partner) -> None:
    change(partner, placement, ags_scopes=SCOPE_LINE_ITEM_READONLY)
    assert said(run(partner), Code.TEST_SCORE) == (Outcome.GAP, "not_granted")


@pytest.mark.parametrize(("status", "came"), [(403, "right"), (503, ""), (500, "")])
def test_an_lms_that_refuses_scores_is_said(partner: Partner, status: int, came: str) -> None:
    switches(partner).set(score_status=status)
    trials = run(partner)
    assert said(trials, Code.TEST_SCORE) == (Outcome.GAP, came)


def test_of_an_unknown_product_a_refusal_that_could_mean_anything_is_unclear(partner: Partner) -> None:
    change(partner, platform, product="generic")
    assert said(run(partner), Code.TEST_SCORE) == (Outcome.UNKNOWN, "unclear")


def test_an_lms_that_is_down_is_said_and_nothing_of_its_services_tried(partner: Partner) -> None:
    switches(partner).set(down=True)
    trials = run(partner)
    for code in (Code.LMS_KEYS, Code.TOKEN):
        assert trials[code].outcome is Outcome.GAP
    for code in (Code.ROSTER, Code.LINE_ITEM, Code.TEST_SCORE):
        assert trials[code].outcome is Outcome.SKIPPED
    assert "503" in str(trials[Code.LMS_KEYS].facts["reason"])


def test_an_lms_that_does_not_know_us_is_said(partner: Partner) -> None:
    change(partner, platform, client_id="another")
    trials = run(partner)
    assert said(trials, Code.TOKEN) == (Outcome.GAP, "refused")
    assert trials[Code.TOKEN].facts["said"] == "invalid_client"
    assert trials[Code.TEST_SCORE].outcome is Outcome.SKIPPED


def test_a_wrong_address_of_the_keys_is_said(partner: Partner) -> None:
    change(partner, platform, jwks_uri=f"{partner.world.campus.url}/nothing")
    assert run(partner)[Code.LMS_KEYS].outcome is Outcome.GAP
    change(partner, platform, jwks_uri=f"{partner.world.campus.url}/")
    assert run(partner)[Code.LMS_KEYS].outcome is Outcome.GAP  # a page


def test_a_login_address_where_nobody_listens_is_said(partner: Partner) -> None:
    change(partner, platform, authorization_endpoint="http://127.0.0.1:9/auth")
    assert said(run(partner), Code.LOGIN) == (Outcome.UNKNOWN, "unreachable")  # launches came, though
    with partner.services.database.write() as connection:
        kept = [dict(row._mapping) for row in connection.execute(sa.select(visit))]
        connection.execute(sa.delete(visit))
        launched = connection.execute(sa.text("SELECT launched_at, participant_id FROM membership")).all()
        connection.execute(sa.text("UPDATE membership SET launched_at = NULL"))
    trials = run(partner)
    assert trials[Code.LOGIN].outcome is Outcome.GAP
    assert trials[Code.LAUNCH].outcome is Outcome.GAP
    assert trials[Code.FRAME].outcome is Outcome.SKIPPED
    with partner.services.database.write() as connection:
        connection.execute(sa.insert(visit), kept)
        for at, participant_id in launched:
            connection.execute(
                sa.text("UPDATE membership SET launched_at = :at WHERE participant_id = :id"),
                {"at": at, "id": participant_id},
            )


@pytest.mark.parametrize(
    ("ahead_s", "outcome", "case"),
    [(5, Outcome.OK, ""), (45, Outcome.UNKNOWN, "ahead"), (90, Outcome.GAP, "ahead"), (-90, Outcome.GAP, "behind")],
)
def test_the_clock_of_the_lms_is_compared(partner: Partner, ahead_s: float, outcome: Outcome, case: str) -> None:
    switches(partner).set(date_ahead_s=ahead_s)
    assert said(run(partner), Code.CLOCK) == (outcome, case)


def test_a_rehearsals_clock_is_no_fault_of_the_lms(partner: Partner) -> None:
    partner.world.advance(timedelta(days=3).total_seconds())
    assert run(partner)[Code.CLOCK].outcome is Outcome.OK


def test_what_is_at_our_address_is_looked_at(partner: Partner) -> None:
    services = partner.services
    elsewhere = replace(services.settings, public_url=partner.world.campus.url)
    moved = replace(partner, services=replace(services, settings=elsewhere))
    assert run(moved)[Code.OUR_KEYS].outcome is Outcome.GAP
    nowhere = replace(services.settings, public_url="http://127.0.0.1:9")
    assert run(replace(partner, services=replace(services, settings=nowhere)))[Code.OUR_KEYS].outcome is Outcome.UNKNOWN
    private = replace(services.settings, public_url="https://10.0.0.1")
    moved = replace(partner, services=replace(services, settings=private))
    assert said(run(moved), Code.OUR_KEYS) == (Outcome.UNKNOWN, "not_from_here")


def test_a_deployment_that_waits_is_something_to_do(partner: Partner) -> None:
    with partner.services.database.write() as connection:
        note_pending(
            connection,
            platform_id=partner.seeded.platform_id,
            deployment_id="9",
            course_title="",
            now=partner.now,
        )
    assert run(partner)[Code.DEPLOYMENT].outcome is Outcome.GAP


def test_a_course_at_an_address_that_may_not_frame_us_is_said(partner: Partner) -> None:
    change(partner, visit, return_url="https://school.cloud.example/course")
    trials = run(partner)
    assert trials[Code.FRAME].outcome is Outcome.GAP
    assert trials[Code.FRAME].facts["origin"] == "https://school.cloud.example"
    services = partner.services
    listed = replace(services.settings, frame_ancestors=("https://*.cloud.example",))
    assert run(replace(partner, services=replace(services, settings=listed)))[Code.FRAME].outcome is Outcome.OK
    change(partner, visit, return_url=f"{partner.world.campus.url}/mod/lti/return.php")


def test_without_a_roster_or_a_column_the_page_says_what_to_switch_on(partner: Partner) -> None:
    change(partner, placement, line_item_url=None, line_items_url=None)
    with partner.services.database.write() as connection:
        connection.execute(sa.text("UPDATE course SET memberships_url = NULL"))
    trials = run(partner)
    assert said(trials, Code.LINE_ITEM) == (Outcome.GAP, "not_offered")
    assert said(trials, Code.ROSTER) == (Outcome.UNKNOWN, "not_offered")
    site = partner.world.sandbox.sites["malta"]
    with partner.services.database.write() as connection:
        connection.execute(sa.text("UPDATE course SET memberships_url = :url"), {"url": memberships_url(site)})


def test_a_column_that_we_may_not_make_is_missing_and_not_to_come(partner: Partner) -> None:
    change(partner, placement, line_item_url=None, ags_scopes=f"{SCOPE_SCORE} {SCOPE_LINE_ITEM_READONLY}")
    assert said(run(partner), Code.LINE_ITEM) == (Outcome.GAP, "not_offered")


def test_a_column_that_was_deleted_is_said(partner: Partner) -> None:
    gone = partner.world.line_item_url().replace("/4/", "/77/")
    change(partner, placement, line_item_url=gone)
    assert said(run(partner), Code.LINE_ITEM) == (Outcome.GAP, "gone")


def test_a_real_grade_is_a_proof_and_one_that_failed_is_not(tmp_path: Path, sqlite_url: str) -> None:
    with open_partner(tmp_path, sqlite_url) as partner:
        trials = run(partner)
        assert said(trials, Code.ROSTER) == (Outcome.UNKNOWN, "not_offered")
        deliver(partner.services, partner.check_in())
        trials = run(partner)
        assert trials[Code.DELIVERIES].outcome is Outcome.OK
        switches(partner).set(score_status=400)
        partner.world.advance(2)
        deliver(partner.services, partner.check_in(1))
        trials = run(partner)
        assert trials[Code.DELIVERIES].outcome is Outcome.GAP
        assert trials[Code.DELIVERIES].facts["failed"] == 1


def test_the_moodles_own_check_is_told_in_one_line(tmp_path: Path, sqlite_url: str) -> None:
    with open_partner(tmp_path, sqlite_url) as partner:
        partner.connect()
        assert run(partner)[Code.MOODLE].outcome is Outcome.UNKNOWN
        partner.run(MoodleJob.CHECK)
        assert run(partner)[Code.MOODLE].outcome is Outcome.OK
        switches(partner).set(lacks=("moodle/calendar:manageentries",))
        partner.run(MoodleJob.CHECK)
        assert run(partner)[Code.MOODLE].outcome is Outcome.GAP
