"""Counts, times and outcomes of runs in words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask_babel import Babel

from lti_tool.pages.moodle_words import counts_in_words, duration_in_words, job_in_words, outcome_in_words
from series.moodle_jobs import MoodleJob
from series.store.runs import SyncRun
from tests.conftest import NOW

RUN = SyncRun(
    run_id=1,
    job="mirror",
    scope="malta",
    started_at=NOW,
    alive_at=NOW,
    finished_at=NOW + timedelta(seconds=3),
    outcome="done",
    counts={},
    calls=0,
    reason=None,
)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("job", "counts", "said"),
    [
        ("mirror", {"created": 1}, "1 event created"),
        ("mirror", {"created": 13, "updated": 2, "deleted": 0}, "13 events created, 2 events changed"),
        ("sweep", {"doubles": 1, "waiting": 2}, "1 double removed, 2 events wait for an earlier call to be over"),
        ("collect", {"read": 1, "taken back": 2}, "people looked at, completions taken back by Moodle"),
        ("collect", {"taken_back": 1}, "completions taken back by Moodle"),
        ("recollect", {"waiting": 1}, "completions wait for people who have not come here yet"),
        ("collect", {"held": 7}, "completions held back for their teacher to confirm"),
        ("announce", {"posted": 2}, "2 announcements posted"),
        ("check", {"right": 9, "wrong": 1}, "9 things work, 1 thing does not work"),
        ("mirror", {"frobnicated": 3}, "3 frobnicated"),
        ("a job of tomorrow", {"held": 1}, "1 held back for you to confirm"),
        ("mirror", {}, ""),
    ],
)
def test_counts(job: str, counts: dict[str, int], said: str) -> None:
    assert counts_in_words(job, counts) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "under a second"), (1, "1 second"), (89, "89 seconds"), (150, "2 minutes")]
)
def test_durations(seconds: float, said: str) -> None:
    assert duration_in_words(replace(RUN, finished_at=NOW + timedelta(seconds=seconds))) == said


def test_a_clock_that_was_put_back_makes_no_negative_duration() -> None:
    assert duration_in_words(replace(RUN, finished_at=NOW - timedelta(days=1))) == "under a second"


def test_outcomes() -> None:
    variants = [RUN, replace(RUN, reason="x"), replace(RUN, outcome="failed"), replace(RUN, outcome="running")]
    assert [outcome_in_words(run) for run in variants] == [
        "done",
        "done, with something to look at",
        "failed",
        "under way",
    ]


def test_every_job_has_words_of_its_own() -> None:
    assert len({job_in_words(job) for job in MoodleJob}) == len(MoodleJob)
