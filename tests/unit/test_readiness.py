"""How ready a university is: each step by itself, what comes first, and the words for every finding."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from series.readiness import Case, Finding, Readiness, State, Step, first_things, readiness_of
from series.readiness_facts import Admin, Facts, HostedSession, Lms, LmsInvitation, MoodleSite
from series.readiness_letters import BODIES, letter_about
from series.readiness_words import FOUND, REMEDIES, SIGNS, found_words, path_of, remedy_words, state_name, step_title
from tests.conftest import NOW
from tests.examples import MALTA, SESSION, VILNIUS

DAY = timedelta(days=1)
ADMIN = Admin(staff_id=3, name="Anna Vella", since=NOW - 9 * DAY)
INVITATION = LmsInvitation(created_at=NOW - DAY, expires_at=NOW + DAY)
LMS = Lms(
    state="active",
    since=NOW - 8 * DAY,
    approved=1,
    has_launched=True,
    launched_at=NOW - DAY,
    checked_at=NOW - DAY,
    score_ok=True,
)
SITE = MoodleSite(ran_at=NOW - DAY)
HOSTED = HostedSession(session_id=SESSION.session_id, title=SESSION.title, start_at=NOW + DAY, is_named=True)
READY = Facts(university=MALTA, admins=(ADMIN,), lmss=(LMS,), placed=1, moodle=SITE, mirrored=1, hosted=(HOSTED,))
NOTHING = Facts(university=VILNIUS)
LATER_LMS = replace(LMS, has_launched=False, launched_at=None, score_ok=False)


def found(facts: Facts, step: Step) -> Finding:
    (finding,) = (one for one in readiness_of(facts, now=NOW).findings if one.step is step)
    return finding


def lms(**changes: object) -> Facts:
    return replace(READY, lmss=(replace(LMS, **changes),))  # type: ignore[arg-type]  # each by its own name


def test_a_university_with_everything_is_ready() -> None:
    one = readiness_of(READY, now=NOW)
    assert one.is_ready
    assert [finding.step for finding in one.findings] == list(Step)
    assert {finding.state for finding in one.findings} == {State.READY}
    assert one.gaps == ()


def test_of_a_new_university_only_the_first_step_is_a_gap() -> None:
    one = readiness_of(NOTHING, now=NOW)
    assert not one.is_ready
    assert [finding.step for finding in one.gaps] == [Step.INVITED]
    assert found(NOTHING, Step.HOSTS).state is State.FREE


TABLE = [
    (
        "an open invitation to register",
        replace(NOTHING, invitation=INVITATION),
        Step.INVITED,
        State.READY,
        Case.PENDING,
    ),
    (
        "an invitation that was used",
        replace(NOTHING, invitation=replace(INVITATION, expires_at=NOW - DAY, used_at=NOW - 2 * DAY)),
        Step.INVITED,
        State.READY,
        Case.PENDING,
    ),
    (
        "an invitation that is over",
        replace(NOTHING, invitation=replace(INVITATION, expires_at=NOW)),
        Step.INVITED,
        State.GAP,
        Case.OVER,
    ),
    (
        "an account whose link is over",
        replace(NOTHING, admins=(replace(ADMIN, can_come=False),)),
        Step.INVITED,
        State.YOURS,
        Case.LINK_OVER,
    ),
    (
        "another account that works",
        replace(NOTHING, admins=(replace(ADMIN, can_come=False), ADMIN)),
        Step.INVITED,
        State.READY,
        Case.DONE,
    ),
    (
        "an account whose link is over, and a link for the LMS",
        replace(NOTHING, admins=(replace(ADMIN, can_come=False),), invitation=INVITATION),
        Step.INVITED,
        State.READY,
        Case.PENDING,
    ),
    (
        "nobody can come who could connect it",
        replace(NOTHING, admins=(replace(ADMIN, can_come=False),)),
        Step.CONNECTED,
        State.LATER,
        Case.EARLIER,
    ),
    ("invited, not registered", replace(NOTHING, admins=(ADMIN,)), Step.CONNECTED, State.GAP, Case.NOBODY),
    (
        "a registration that failed",
        replace(NOTHING, invitation=replace(INVITATION, problem="422", problem_at=NOW)),
        Step.CONNECTED,
        State.GAP,
        Case.TRIED,
    ),
    ("not invited", NOTHING, Step.CONNECTED, State.LATER, Case.EARLIER),
    ("an LMS that waits for approval", lms(state="pending", score_ok=False), Step.CONNECTED, State.YOURS, Case.PENDING),
    ("an LMS that is switched off", lms(state="disabled"), Step.CONNECTED, State.YOURS, Case.DISABLED),
    ("nobody has come", lms(has_launched=False), Step.CONNECTED, State.GAP, Case.NO_LAUNCH),
    ("no deployment so far", lms(approved=0, has_launched=False), Step.CONNECTED, State.GAP, Case.NO_LAUNCH),
    ("a deployment waits", lms(approved=0, waits_since=NOW), Step.CONNECTED, State.YOURS, Case.DEPLOYMENT),
    (
        "an old LMS works while a new one waits",
        replace(READY, lmss=(LMS, replace(LMS, state="pending"))),
        Step.CONNECTED,
        State.READY,
        Case.DONE,
    ),
    ("turned down", lms(state="rejected"), Step.CONNECTED, State.GAP, Case.NOBODY),
    ("in no course", replace(READY, placed=0), Step.PLACED, State.GAP, Case.NOBODY),
    ("in no course, not connected", replace(NOTHING, placed=0), Step.PLACED, State.LATER, Case.EARLIER),
    (
        "a Moodle that fails",
        replace(READY, moodle=replace(SITE, is_failing=True)),
        Step.CALENDAR,
        State.GAP,
        Case.FAILING,
    ),
    ("a Moodle with gaps", replace(READY, moodle=replace(SITE, gaps=2)), Step.CALENDAR, State.GAP, Case.SETTINGS),
    ("a Moodle without a course", replace(READY, mirrored=0), Step.CALENDAR, State.GAP, Case.NO_COURSE),
    ("a Moodle before the first run", replace(READY, moodle=MoodleSite()), Step.CALENDAR, State.LATER, Case.NOT_RUN),
    ("the feed is fetched", replace(READY, moodle=None, feed_read_at=NOW), Step.CALENDAR, State.READY, Case.FEED),
    ("no Moodle, no feed", replace(READY, moodle=None), Step.CALENDAR, State.FREE, Case.FEED_OFFERED),
    ("nothing yet", NOTHING, Step.CALENDAR, State.LATER, Case.EARLIER),
    ("a real grade arrived", lms(score_ok=False, has_delivered=True), Step.SCORE, State.READY, Case.DELIVERED),
    ("the test grade was refused", lms(score_ok=False, score_refused=True), Step.SCORE, State.GAP, Case.REFUSED),
    (
        "the test grade was refused, and a real one arrived before",
        lms(score_ok=False, score_refused=True, has_delivered=True),
        Step.SCORE,
        State.GAP,
        Case.REFUSED,
    ),
    (
        "the test grade was refused, and a real one arrived since",
        lms(score_ok=False, score_refused=True, has_delivered=True, has_delivered_since=True),
        Step.SCORE,
        State.READY,
        Case.DELIVERED,
    ),
    (
        "of two LMSs in use, one refuses grades",
        replace(READY, lmss=(LMS, replace(LMS, score_ok=False, score_refused=True))),
        Step.SCORE,
        State.GAP,
        Case.REFUSED,
    ),
    (
        "an LMS that nobody uses so far refuses grades",
        replace(READY, lmss=(LMS, replace(LATER_LMS, score_refused=True))),
        Step.SCORE,
        State.READY,
        Case.DONE,
    ),
    ("no grade was tried", lms(score_ok=False), Step.SCORE, State.GAP, Case.UNTRIED),
    ("not connected", NOTHING, Step.SCORE, State.LATER, Case.EARLIER),
    ("it hosts nothing", replace(READY, hosted=()), Step.HOSTS, State.FREE, Case.NOTHING),
    (
        "one session has no host",
        replace(READY, hosted=(HOSTED, replace(HOSTED, is_named=False))),
        Step.HOSTS,
        State.YOURS,
        Case.UNNAMED,
    ),
    (
        "one host has not used their code",
        replace(READY, hosted=(HOSTED, replace(HOSTED, is_named=False, is_invited=True))),
        Step.HOSTS,
        State.READY,
        Case.CODE_OUT,
    ),
]


@pytest.mark.parametrize(("facts", "step", "state", "case"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
def test_each_step_says_what_it_lacks(facts: Facts, step: Step, state: State, case: Case) -> None:
    finding = found(facts, step)
    assert (finding.state, finding.case) == (state, case)
    assert readiness_of(facts, now=NOW).is_ready is all(
        one.state in {State.READY, State.FREE} for one in readiness_of(facts, now=NOW).findings
    )


@pytest.mark.parametrize(("facts", "step"), [pytest.param(row[1], row[2], id=row[0]) for row in TABLE])
def test_every_finding_has_words_and_every_gap_a_remedy_a_page_and_a_text(facts: Facts, step: Step) -> None:
    finding = found(facts, step)
    words = found_words(finding)
    assert words
    assert "%(" not in words
    assert state_name(finding.state)
    assert SIGNS[finding.state]
    assert step_title(step)
    if not finding.is_gap:
        assert remedy_words(finding) == ""
        return
    remedy = remedy_words(finding)
    if finding.case is not Case.REFUSED:
        assert remedy.endswith(".")
    assert "%(" not in remedy
    path = path_of(finding, university="malta", series="autumn")
    assert re.fullmatch(r"/(admin|coordinator)/[\w/?=-]+", path)
    text = letter_about(
        finding, readiness_of(facts, now=NOW), series="STEM", public_url="https://tool.example", sender="Maria Borg"
    )
    assert text.startswith("Dear ")
    assert text.endswith("Kind regards\nMaria Borg\n")
    assert not re.search(r"[{}]|%\(", text)


def test_every_kind_of_gap_of_the_table_is_reached() -> None:
    gaps = {(step, case) for _, _, step, state, case in TABLE if state in {State.GAP, State.YOURS}}
    gaps.add((Step.INVITED, Case.NOBODY))  # that of NOTHING
    assert gaps == set(BODIES) == set(REMEDIES)
    assert {kind for _, _, *kind_ in TABLE for kind in [(kind_[0], kind_[2])]} >= set(FOUND) - gaps - {
        (Step.INVITED, Case.DONE),
        (Step.CONNECTED, Case.DONE),
        (Step.SCORE, Case.DONE),
    }


def test_a_text_is_to_the_lms_admin_by_name_and_says_when() -> None:
    facts = replace(READY, hosted=(replace(HOSTED, is_named=False),))
    text = letter_about(
        found(facts, Step.HOSTS), readiness_of(facts, now=NOW), series="STEM", public_url="https://t", sender="M"
    )
    assert text.startswith("Dear Anna Vella,")
    assert "“Inquiry at the beach” on Wednesday, 25 November 2026, 16:10 (Europe/Malta)" in text


def test_who_has_no_account_is_not_sent_to_pages_of_staff_without_a_word() -> None:
    """They have registered the LMS by a link for it, and nobody of them can sign in."""
    facts = replace(READY, admins=(), invitation=INVITATION, lmss=(replace(LMS, score_ok=False),))
    for has_account in (False, True):
        one = readiness_of(replace(facts, admins=(ADMIN,) if has_account else ()), now=NOW)
        text = letter_about(one.gaps[0], one, series="STEM", public_url="https://t", sender="M")
        assert "https://t/admin/lms/malta/" in text
        assert ("none of you can" not in text) is has_account


def test_a_new_link_is_made_on_the_page_of_the_account() -> None:
    one = readiness_of(replace(NOTHING, admins=(replace(ADMIN, can_come=False),)), now=NOW)
    assert path_of(one.gaps[0], university="vilnius", series="s") == "/admin/people/3/"
    assert remedy_words(one.gaps[0]) == "Make a new link for Anna Vella: nobody used the last one in time."


def test_what_the_lms_said_does_not_spoil_the_text() -> None:
    facts = replace(NOTHING, invitation=replace(INVITATION, problem="{x} %(y)s 100%", problem_at=NOW))
    one = readiness_of(facts, now=NOW)
    text = letter_about(one.gaps[0], one, series="{S}", public_url="https://t", sender="M")
    assert "{x} %(y)s 100%" in text
    assert found_words(one.gaps[0]) == "the last try came to nothing"


# What to do first


def test_what_waits_for_the_coordinator_comes_first_and_like_ones_together() -> None:
    waits = readiness_of(replace(READY, university=VILNIUS, lmss=(replace(LMS, state="pending"),)), now=NOW)
    new = [readiness_of(replace(NOTHING, university=home), now=NOW) for home in (MALTA, VILNIUS)]
    things = first_things([*new, waits])
    assert [(one.finding.step, one.finding.case, one.university, one.count) for one in things] == [
        (Step.CONNECTED, Case.PENDING, VILNIUS, 1),
        (Step.INVITED, Case.NOBODY, MALTA, 2),
    ]


def test_of_sessions_without_a_host_the_next_one_comes_first() -> None:
    def hosting(home: object, days: int) -> Readiness:
        one = replace(HOSTED, is_named=False, start_at=NOW + days * DAY)
        return readiness_of(replace(READY, university=home, hosted=(one,)), now=NOW)  # type: ignore[arg-type]

    (first,) = first_things([hosting(MALTA, 9), hosting(VILNIUS, 2)])
    assert (first.university, first.count) == (VILNIUS, 2)


def test_where_all_are_ready_nothing_comes_first() -> None:
    assert first_things([readiness_of(READY, now=NOW)]) == []
