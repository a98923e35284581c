"""What must not be in the log when something goes wrong on our side."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lti.lms import Lms
from tests.integration.lti.made_launches import HINTS, PERSON
from tests.integration.lti.tool import ToolUnderTest, open_tool
from tests.integration.lti.twists import MARK
from tests.integration.lti.watched import OUR_KEYS, log_in_memory

NOBODY_MORE = {
    "sqlite": "CREATE TRIGGER never BEFORE INSERT ON participant BEGIN SELECT RAISE(ABORT, 'nobody more'); END",
    "postgresql": "ALTER TABLE participant ADD CONSTRAINT never CHECK (false) NOT VALID",
}


@pytest.fixture
def tool(database_url: str, malta: Lms, vilnius: Lms, tmp_path: Path) -> Iterator[ToolUnderTest]:
    with open_tool(database_url, malta, vilnius, tmp_path / "clock") as opened:
        yield opened


def test_dpo_16_an_error_of_the_database_is_logged_without_the_values(tool: ToolUnderTest, malta: Lms) -> None:
    browser = tool.new_browser()
    login = browser.begin_login(malta, HINTS)
    with tool.database.write() as connection:
        connection.exec_driver_sql(NOBODY_MORE[connection.dialect.name])
    with log_in_memory() as log:
        answer = browser.launch(login, login.id_token(PERSON))
    written = log.take()
    assert answer.status_code == 500
    assert '"event": "unexpected"' in written
    assert "Traceback" in written, "nobody can tell what went wrong"
    assert login.parameters["nonce"] not in written
    assert MARK not in written


def test_dpo_16_a_launch_is_logged_without_the_person_and_without_a_key(tool: ToolUnderTest, malta: Lms) -> None:
    browser = tool.new_browser()
    with log_in_memory() as log:
        login = browser.begin_login(malta, HINTS)
        id_token = login.id_token(PERSON)
        answer = browser.launch(login, id_token)
    written = log.take()
    assert answer.status_code in {200, 303}
    assert '"event": "launched"' in written
    secrets = (*OUR_KEYS, *id_token.split("."), login.parameters["nonce"], login.parameters["state"])
    assert [one for one in (MARK, *secrets) if one in written] == []
