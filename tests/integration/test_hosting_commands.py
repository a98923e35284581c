"""`moodle-sync series host|rehearse|join-hosts` as a coordinator types them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from series.join_links import JoinPlaces
from series.sessions import Session
from series.store.sessions import change_session, get_series, rehearsals_of, sessions_of
from series.store.tables import audit, session_host
from series.store.universities import add_university
from tests.examples import MALTA, SERIES
from tests.integration.coordinator import FIRST_AT, Coordinator
from tests.integration.test_plan_commands import Run, coordinator, run

__all__ = ["coordinator", "run"]
STARTS = f"{FIRST_AT + timedelta(days=1):%Y-%m-%d} 16:00"


@pytest.fixture
def malta(coordinator: Coordinator) -> None:
    with coordinator.services.database.write() as connection:
        add_university(
            connection,
            slug=MALTA.slug,
            name=MALTA.name,
            country=MALTA.country,
            time_zone=MALTA.time_zone,
            language=MALTA.language,
        )


def rehearsals(made: Coordinator) -> list[Session]:
    with made.services.database.read() as connection:
        return rehearsals_of(connection, SERIES.series_id)


def test_a_rehearsal_is_added_and_shown_as_one(coordinator: Coordinator, run: Run, malta: None) -> None:
    said = run("series", "rehearse", SERIES.slug, "--starts", STARTS, "--minutes", "30", "--hosts", "malta")
    assert said.endswith("(Europe/Berlin). It counts for nothing.\n")
    (made,) = rehearsals(coordinator)
    assert (made.title, made.end_at - made.start_at, made.hosting_university) == (
        "Rehearsal",
        timedelta(minutes=30),
        MALTA.name,
    )
    assert "Rehearsal · University of Malta  REHEARSAL, counts for nothing" in run("series", "show", SERIES.slug)
    assert '"is_rehearsal": true' in run("series", "show", SERIES.slug, "--json")
    with coordinator.services.database.read() as connection:
        assert len(sessions_of(connection, SERIES.series_id)) == 6
    assert "6 session(s)" in run("series", "copy", SERIES.slug, "next", "--title", "Next", "--starts", "2027-03-01")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--starts", "2020-01-01 16:00"], "in the past"),
        (["--starts", STARTS, "--join-link", "http://x.example"], "whole https address"),
        (["--starts", STARTS, "--title", " "], "A title has"),
        (["--starts", STARTS, "--hosts", "nowhere"], "nowhere"),
    ],
)
def test_a_rehearsal_that_cannot_be_is_none(
    coordinator: Coordinator,
    run: Run,
    more: list[str],
    words: str,
) -> None:
    assert words in run("series", "rehearse", SERIES.slug, *more, status=1)
    assert rehearsals(coordinator) == []


def test_where_meetings_may_be_is_set_shown_and_taken_away(coordinator: Coordinator, run: Run) -> None:
    assert run("series", "join-hosts", SERIES.slug) == "Meetings of autumn may be at: any https host.\n"
    with coordinator.services.database.write() as connection:
        first = sessions_of(connection, SERIES.series_id)[0]
        linked = Session(**(vars(first) | {"join_url": "https://meet.example/x"}))
        change_session(connection, linked, by="staff 1", now=coordinator.services.clock.now())
    said = run("series", "join-hosts", SERIES.slug, "https://Zoom.us/", "bbb.uni.example:8443")
    assert said.splitlines() == [
        "Meetings of autumn may be at: zoom.us, bbb.uni.example:8443.",
        "  “Week 1” still has a join link to elsewhere.",
    ]
    with coordinator.services.database.read() as connection:
        hosts = get_series(connection, SERIES.series_id).join_hosts
    assert not JoinPlaces(hosts=hosts).allow("https://meet.example/x")
    refused = run(
        "series", "rehearse", SERIES.slug, "--starts", STARTS, "--join-link", "https://meet.example/x", status=1
    )
    assert "Meetings of this series are at zoom.us, bbb.uni.example:8443" in refused
    assert "not the name of a host" in run("series", "join-hosts", SERIES.slug, "me@zoom.us", status=1)
    assert "any https host" in run("series", "join-hosts", SERIES.slug, "--anywhere")
    run("series", "join-hosts", SERIES.slug, "zoom.us", "--anywhere", status=2)


def test_who_is_named_by_a_command_hosts_rehearsals_too(coordinator: Coordinator, run: Run, malta: None) -> None:
    run("series", "rehearse", SERIES.slug, "--starts", STARTS, "--hosts", "malta")
    refused = run("series", "host", SERIES.slug, "--university", "malta", "--sub", "8", status=1)
    assert "no registered LMS" in refused
    with coordinator.services.database.read() as connection:
        assert connection.execute(sa.select(session_host)).all() == []
        assert "name_host" not in connection.execute(sa.select(audit.c.action)).scalars().all()
