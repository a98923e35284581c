"""The coordinator records what lets named data cross a border."""

import sqlalchemy as sa

from series.store.borders import homes, may_be_shown_in, record_instrument, shown_at_the_centre, withdraw_instrument
from series.store.database import Database
from series.store.tables import audit, university
from tests.conftest import NOW
from tests.integration.staff.desk import Desk, Office
from tests.seeds import seed

PAGE = "/admin/partners/vilnius/privacy/"
CONTRACT = "Standard contractual clauses, signed by all partners on 1 October 2026"


def test_dpo_20_named_data_cross_only_while_an_instrument_is_recorded(office: Office, signed_in: Desk) -> None:
    _move_to_turkiye(office.database)
    assert "do not cross" in signed_in.get(PAGE).text
    assert signed_in.send(PAGE, PAGE, instrument=CONTRACT).status_code == 303
    assert CONTRACT in signed_in.get(PAGE).text
    with office.database.read() as connection:
        assert may_be_shown_in(connection, of=1, to=2, today=NOW.date())
    assert signed_in.send(PAGE, f"{PAGE}withdraw").status_code == 303
    with office.database.read() as connection:
        assert not may_be_shown_in(connection, of=1, to=2, today=NOW.date())
        acts = connection.execute(sa.select(audit.c.action).where(audit.c.object == "university 2")).scalars().all()
    assert acts[-2:] == ["record_instrument", "withdraw_instrument"]


def test_too_little_said_records_nothing(office: Office, signed_in: Desk) -> None:
    _move_to_turkiye(office.database)
    answer = signed_in.send(PAGE, PAGE, instrument="signed")
    assert answer.status_code == 422
    assert "name the contract" in answer.text
    with office.database.read() as connection:
        assert not homes(connection)[2].has_instrument


def test_inside_nothing_needs_to_be_recorded(signed_in: Desk) -> None:
    assert "Nothing needs to be recorded" in signed_in.get(PAGE).text


def test_dpo_20_coordinators_see_named_data_from_outside_only_with_an_instrument(database: Database) -> None:
    seed(database)
    _move_to_turkiye(database)
    today = NOW.date()
    with database.write() as connection:
        assert shown_at_the_centre(connection, country="", today=today) == {1}
        assert shown_at_the_centre(connection, country="TR", today=today) == {2}
        record_instrument(connection, 2, CONTRACT, actor="staff 1", now=NOW)
        record_instrument(connection, 2, CONTRACT, actor="staff 1", now=NOW)
        assert shown_at_the_centre(connection, country="FI", today=today) == {1, 2}
        assert withdraw_instrument(connection, 2, actor="staff 1", now=NOW)
        assert not withdraw_instrument(connection, 2, actor="staff 1", now=NOW)


def _move_to_turkiye(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.update(university).where(university.c.id == 2).values(country="TR"))
