"""The coordinator's pages of rehearsals."""

from datetime import UTC, datetime, timedelta

from werkzeug.test import TestResponse

from series.sessions import Session
from series.store.sessions import rehearsals_of
from tests.examples import SERIES
from tests.integration.staff.desk import Desk, Office
from tests.integration.staff.hosting.pages import PLAN, follow, page_of


def add_rehearsal(desk: Desk, **fields: str) -> TestResponse:
    day = datetime.now(UTC) + timedelta(days=3)
    form = {"title": "Rehearsal", "date": f"{day:%Y-%m-%d}", "start": "16:00", "end": "17:00", "host": "1"}
    return desk.send(f"{PLAN}sessions/rehearse", f"{PLAN}sessions/rehearse", **(form | fields))


def test_a_rehearsal_is_added_marked_and_removed_again(office: Office, signed_in: Desk) -> None:
    assert 'value="Rehearsal"' in signed_in.get(f"{PLAN}sessions/rehearse").text
    shown = follow(signed_in, add_rehearsal(signed_in))
    assert "It counts for nothing" in shown
    assert "Cancel it" not in shown
    assert "Or swap it" not in shown
    assert "Rehearsal: counts for nothing" in signed_in.get(PLAN).text
    with office.database.read() as connection:
        (made,) = rehearsals_of(connection, SERIES.series_id)
    assert (made.is_own, made.is_rehearsal, made.hosting_university_id) == (True, True, 1)
    page = page_of(made)
    assert "Nothing was removed" in signed_in.send(page, f"{page}/remove").text
    gone = follow(signed_in, signed_in.send(page, f"{page}/remove", confirmed="yes"))
    assert "The rehearsal is removed" in gone
    assert "Rehearsal: counts for nothing" not in gone
    assert signed_in.get(page).status_code == 404
    assert [action for _, action, _ in office.audit()][-2:] == ["add_session", "remove_rehearsal"]


def test_what_is_wrong_with_a_rehearsal_is_said_and_what_was_typed_stays(signed_in: Desk) -> None:
    refused = add_rehearsal(signed_in, title="Try it", join_url="http://meet.example")
    assert (refused.status_code, "whole https address" in refused.text) == (422, True)
    assert 'value="Try it"' in refused.text
    assert "Add the rehearsal" in refused.text


def test_a_session_that_counts_offers_no_removal(signed_in: Desk, ahead: Session) -> None:
    page = page_of(ahead)
    assert f"{page}/remove" not in signed_in.get(page).text


def test_the_pages_of_the_rule_know_no_rehearsal(office: Office, signed_in: Desk) -> None:
    add_rehearsal(signed_in, title="Try it")
    with office.database.read() as connection:
        (made,) = rehearsals_of(connection, SERIES.series_id)
    assert "Try it" not in signed_in.get(f"{PLAN}rule/").text
    assert signed_in.get(f"{PLAN}rule/sessions/{made.session_id}").status_code == 404
