"""`moodle-sync series show --held|accept|reject` as a coordinator types them."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from moodle_sync.cli import main
from series.store.tables import audit, series, session
from tests.examples import SERIES
from tests.integration.coordinator import FIRST_AT, Coordinator, as_calendar, open_coordinator, weekly

Run = Callable[..., str]


@pytest.fixture
def coordinator(sqlite_url: str, tmp_path: Path) -> Iterator[Coordinator]:
    with open_coordinator(sqlite_url, tmp_path) as made:
        made.begins_with(*weekly(6))
        yield made


@pytest.fixture
def run(coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs moodle-sync in this process; gives what it printed, or what it said when it failed."""
    settings = coordinator.services.settings
    environment = {
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": settings.encryption_key.decode(),
        "CLOCK_FILE": str(coordinator.clock_file),
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)

    def run(*command: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["moodle-sync", *command])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == status, (out, err)
        return str(err if status else out)

    return run


def test_what_is_held_is_shown_and_accepted_by_its_digest(coordinator: Coordinator, run: Run) -> None:
    coordinator.writes(*weekly(6)[3:])
    imported = run("series", "import", str(coordinator.file), "--series", SERIES.slug)
    assert imported == f"Held, nothing was changed: see `moodle-sync series show {SERIES.slug} --held`.\n"
    assert "Changes wait for a yes" in run("series", "show", SERIES.slug)
    shown = run("series", "show", SERIES.slug, "--held")
    assert "because it cancels several sessions" in shown
    assert len(re.findall(r"Week [123]  \[CANCELLED\]", shown)) == 3
    accept = re.search(r"moodle-sync (series accept \S+ \w+)\n", shown)
    assert accept
    assert run(*accept[1].split()) == "Done: 3 session(s).\n"
    assert sum(session.is_cancelled for session in coordinator.sessions().values()) == 3
    assert run("series", "show", SERIES.slug, "--held") == f"Nothing is held for {SERIES.slug}.\n"
    with coordinator.services.database.read() as connection:
        assert connection.execute(sa.select(audit.c.actor, audit.c.action)).all() == [("operator", "accept_plan")]


def test_a_no_changes_nothing_and_is_shown(coordinator: Coordinator, run: Run) -> None:
    held = coordinator.changes_to(*weekly(6)[3:]).held
    assert held is not None
    assert run("series", "reject", SERIES.slug, held.digest) == "Rejected. Nothing was changed.\n"
    assert "Rejected" in run("series", "show", SERIES.slug, "--held")
    assert "Changes wait" not in run("series", "show", SERIES.slug)
    assert "what was rejected" in run("series", "import", str(coordinator.file), "--series", SERIES.slug)
    assert not any(session.is_cancelled for session in coordinator.sessions().values())


def test_guesses_are_shown_with_what_they_are_apart(coordinator: Coordinator, run: Run) -> None:
    first, *others = weekly(6)
    coordinator.changes_to(replace(first, uid="x", start_at=first.start_at + timedelta(hours=1)), *others)
    shown = run("series", "show", SERIES.slug, "--held")
    assert "[the same session?]  was " in shown
    assert re.search(r"Or, if these are not the same sessions .*\n.*\[CANCELLED\]\n.*\[new\]\n", shown)
    held = coordinator.held()
    assert held is not None
    assert run("series", "accept", SERIES.slug, held.digest, "--apart") == "Done: 2 session(s).\n"
    assert len(coordinator.sessions()) == 6  # by title: the old one and the new one share theirs


@pytest.mark.parametrize("command", ["accept", "reject"])
def test_only_what_was_seen_can_be_answered(coordinator: Coordinator, run: Run, command: str) -> None:
    said = run("series", command, SERIES.slug, "0123", status=1)
    assert "is not what is held" in said
    coordinator.changes_to(*weekly(6)[3:])
    assert "is not what is held" in run("series", command, SERIES.slug, "0123", status=1)


def test_what_has_changed_since_says_what_to_do(coordinator: Coordinator, run: Run) -> None:
    held = coordinator.changes_to(*weekly(6)[3:]).held
    assert held is not None
    coordinator.waits(8 * 24 * 3600)
    said = run("series", "accept", SERIES.slug, held.digest, status=1)
    assert "Nothing was changed" in said
    assert "Traceback" not in said


def test_the_next_round_is_copied_and_a_calendar_is_then_taken_for_it(coordinator: Coordinator, run: Run) -> None:
    first_on = (coordinator.sessions()["Week 1"].wall_start + timedelta(weeks=20)).date()
    copy = ("series", "copy", SERIES.slug, "spring", "--title", "Spring", "--starts", first_on.isoformat())
    assert run(*copy).startswith("Spring: 6 session(s).")
    with coordinator.services.database.read() as connection:
        round_before = sa.select(series.c.copied_from_id).where(series.c.slug == "spring")
        assert connection.execute(round_before).scalar_one() == SERIES.series_id
        sessions_before = sa.select(session.c.copied_from_id).where(session.c.copied_from_id.is_not(None))
        copied = set(connection.execute(sessions_before).scalars())
    assert copied == {one.session_id for one in coordinator.sessions().values()}
    assert run(*copy, status=1) == "There is already a series 'spring'.\n"
    before = json.loads(run("series", "show", "spring", "--json"))
    coordinator.file.write_bytes(as_calendar(*weekly(6, first_at=FIRST_AT + timedelta(weeks=20))))
    assert "Held" in run("series", "import", str(coordinator.file), "--series", "spring")
    shown = run("series", "show", "spring", "--held")
    accept = re.search(r"moodle-sync (series accept \S+ \w+)", shown)
    assert accept
    run(*accept[1].split())
    after = json.loads(run("series", "show", "spring", "--json"))
    assert [s["session_id"] for s in after] == [s["session_id"] for s in before]


def test_a_source_that_fails_is_shown_with_since_when_and_why(coordinator: Coordinator, run: Run) -> None:
    coordinator.file.unlink()
    assert coordinator.runs_the_job().outcome == "failed"
    assert re.search(r"has not been read since .* UTC: .*No such file", run("series", "show", SERIES.slug))
