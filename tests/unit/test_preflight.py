"""What is known of an LMS before it is asked anything, its words, and which claims arrive."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from lms.products import Product
from lti_tool.protocol.arrivals import MAX_NAMES, Arrival, arrival_of, together
from lti_tool.protocol.constants import AGS_CLAIM, CLAIM
from series.checks import Check, Outcome, encode_checks
from series.checks import Code as MoodleCode
from series.preflight import Code, Trial, decode_trials, outcome_of
from series.preflight_facts import (
    Deliveries,
    MoodleServices,
    PlatformFacts,
    judge_deliveries,
    judge_deployments,
    judge_frames,
    judge_launches,
    judge_moodle,
    origin_of,
)
from series.preflight_words import FOUND, REMEDY, TITLE, found_sentence, remedy_sentence
from series.product_menus import MENUS, menu
from tests.conftest import NOW

NOTHING_SENT = Deliveries(last_at=None, failed=0, failed_at=None, reason=None, paused=None)
FACTS = PlatformFacts(
    product="moodle",
    approved=1,
    pending=0,
    disabled=0,
    launched_at=NOW,
    refused=0,
    return_origins=("https://lms.example",),
    placed=None,
    deliveries=NOTHING_SENT,
    moodle=None,
    trial_left_in="",
)
DAY = timedelta(days=1)
NAMED = (  # by the sentences
    "approved", "case", "course", "failed", "keys", "last", "named", "origin", "pending", "people", "published", "read",
    "reason", "refused", "right", "said", "scopes", "seconds", "status", "url", "wrong",
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "outcome"),
    [({}, Outcome.OK), ({"pending": 1}, Outcome.GAP), ({"approved": 0}, Outcome.GAP)],
)
def test_a_deployment_must_be_attached_and_none_may_wait(change: dict[str, int], outcome: Outcome) -> None:
    assert judge_deployments(replace(FACTS, **change)).outcome is outcome


def test_deployments_that_are_all_switched_off_are_told_from_none() -> None:
    off = judge_deployments(replace(FACTS, approved=0, disabled=1))
    assert (off.outcome, off.facts["case"]) == (Outcome.GAP, "off")
    assert judge_deployments(replace(FACTS, disabled=1)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (FACTS, Outcome.OK),
        (replace(FACTS, launched_at=NOW - 15 * DAY), Outcome.UNKNOWN),
        (replace(FACTS, launched_at=None), Outcome.GAP),
        (replace(FACTS, refused=1), Outcome.UNKNOWN),
        (replace(FACTS, refused=1, launched_at=None), Outcome.GAP),
    ],
)
def test_a_launch_must_have_come_lately(facts: PlatformFacts, outcome: Outcome) -> None:
    assert judge_launches(facts, NOW).outcome is outcome


@pytest.mark.parametrize(
    ("allowed", "outcome"),
    [
        (["https://lms.example"], Outcome.OK),
        (["https://*.example"], Outcome.OK),
        (["https://*.lms.example"], Outcome.GAP),
        (["http://lms.example"], Outcome.GAP),
        (["https://lms.example:8443"], Outcome.GAP),
        (["https://other.example"], Outcome.GAP),
        ([], Outcome.GAP),
    ],
)
def test_the_page_of_the_course_must_be_allowed_to_frame_us(allowed: list[str], outcome: Outcome) -> None:
    assert judge_frames(FACTS, known_origins=allowed, frame_ancestors=()).outcome is outcome
    assert judge_frames(FACTS, known_origins=(), frame_ancestors=allowed).outcome is outcome


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (NOTHING_SENT, Outcome.SKIPPED),
        (replace(NOTHING_SENT, last_at=NOW), Outcome.OK),
        (replace(NOTHING_SENT, failed=1, failed_at=NOW, reason="Why."), Outcome.GAP),
        (replace(NOTHING_SENT, last_at=NOW - DAY, failed=1, failed_at=NOW), Outcome.GAP),
        (replace(NOTHING_SENT, last_at=NOW, failed=1, failed_at=NOW - DAY), Outcome.UNKNOWN),
        (replace(NOTHING_SENT, last_at=NOW, paused="It is down."), Outcome.GAP),
    ],
)
def test_real_scores_tell_how_it_goes(sent: Deliveries, outcome: Outcome) -> None:
    assert judge_deliveries(replace(FACTS, deliveries=sent)).outcome is outcome


def test_moodles_web_services_are_none_of_another_lms() -> None:
    assert judge_moodle(replace(FACTS, product="canvas")) is None
    skipped = judge_moodle(FACTS)
    assert skipped is not None
    assert skipped.outcome is Outcome.SKIPPED
    wrong = Check(code=MoodleCode.CLOCK, outcome=Outcome.GAP)
    services = MoodleServices(checks=(wrong,), failing=None)
    found = judge_moodle(replace(FACTS, moodle=services))
    assert found is not None
    assert (found.outcome, found.facts) == (Outcome.GAP, {"right": 0, "wrong": 1})
    failing = judge_moodle(replace(FACTS, moodle=replace(services, failing="It is down.")))
    assert failing is not None
    assert failing.facts["case"] == "failing"


@pytest.mark.parametrize("url", ["", "lms.example", "https://[x", "javascript:alert(1)"])
def test_what_is_no_address_has_no_origin(url: str) -> None:
    assert origin_of(url) is None


def test_what_was_found_is_read_as_it_was_written() -> None:
    trials = [Trial(code=Code.TOKEN, outcome=Outcome.OK, facts={"scopes": "a"}, ms=5, at=NOW)]
    assert decode_trials(encode_checks(trials)) == trials
    assert outcome_of(trials, Code.TOKEN) is Outcome.OK
    assert outcome_of(trials, Code.CLOCK) is None
    assert decode_trials('[{"code": "of a later version", "outcome": "ok"}]') == []
    assert decode_trials(None) == []


@pytest.mark.parametrize("product", Product)
@pytest.mark.parametrize(("code", "outcome", "case"), {**FOUND, **REMEDY})
def test_every_sentence_is_whole_for_every_product(product: Product, code: Code, outcome: Outcome, case: str) -> None:
    facts: dict[str, str | int] = {**dict.fromkeys(NAMED, "x"), "case": case, "last": "2026-11-24T15:10Z"}
    trial = Trial(code=code, outcome=outcome, facts=facts)
    for said in (found_sentence(trial, product), remedy_sentence(trial, product)):
        assert "%(" not in said
    assert found_sentence(trial, product) or (code, outcome, case) not in FOUND


def test_every_check_has_a_title_and_every_product_its_menus() -> None:
    assert set(TITLE) == set(Code)
    for of_product in MENUS.values():
        assert set(of_product) == {product.value for product in Product} - {"generic"}
    assert "Assignment and Grade Services" in menu("grades", "of nobody")


def test_what_comes_after_a_gap_was_not_tried() -> None:
    assert "what does not work above" in found_sentence(Trial(code=Code.ROSTER, outcome=Outcome.SKIPPED), "moodle")
    slow = Trial(code=Code.ROSTER, outcome=Outcome.SKIPPED, facts={"case": "slow"})
    assert "too slowly" in found_sentence(slow, "moodle")


def payload(**claims: object) -> bytes:
    return json.dumps({CLAIM + "message_type": "LtiResourceLinkRequest", **claims}).encode()


def test_claims_are_known_by_name_and_never_by_value() -> None:
    sent = payload(
        **{
            "name": "Marija Vella",
            AGS_CLAIM: {"scope": []},
            CLAIM + "lis": {"person_sourcedid": "MT-4711"},
            CLAIM + "custom": {"one": "$ResourceLink.id.history", "two": "value", "three": 3},
        }
    )
    found = arrival_of(sent)
    assert found == Arrival(
        message_type="LtiResourceLinkRequest",
        claims=(
            "custom.one",
            "custom.three",
            "custom.two",
            "endpoint",
            "lis.person_sourcedid",
            "message_type",
            "name",
        ),
        unexpanded=("one",),
    )


@pytest.mark.parametrize("sent", [b"", b"[]", b"\xff", b"{}", b'{"message_type": 3}', b"[" * 100_000])
def test_what_is_no_message_leaves_nothing(sent: bytes) -> None:
    assert arrival_of(sent) is None


def test_an_lms_cannot_fill_our_disk_with_names() -> None:
    found = arrival_of(payload(**{f"claim-{number}-{'x' * 1000}": 1 for number in range(1000)}))
    assert found is not None
    assert len(found.claims) == MAX_NAMES
    assert max(map(len, found.claims)) == 100


def test_claims_of_two_launches_are_put_together() -> None:
    one, other = arrival_of(payload(name="x")), arrival_of(payload(email="x"))
    assert one is not None
    assert other is not None
    assert together(one, other).claims == ("email", "message_type", "name")
    assert together(one, one) == one
