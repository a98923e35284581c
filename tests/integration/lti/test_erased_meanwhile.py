"""A request is let in, and then its person is erased elsewhere: a clear page, and nothing is written for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from series.store.database import Database
from series.store.erasure import erase_person
from series.store.tombstones import whom
from tests.conftest import NOW
from tests.integration.lti.test_my_data_moved import SHOWN
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, form_token
from tests.integration.lti.workshop import CODE, OF_SESSION, Workshop, open_workshop
from tests.seeds import SECRET_KEY


@pytest.fixture
def workshop(tool: ToolUnderTest, browser: Browser, login: Login) -> Workshop:
    opened = open_workshop(tool, browser, login)
    opened.open_check_in()
    return opened


@contextmanager
def erased_meanwhile(workshop: Workshop) -> Iterator[None]:
    """By another process, when the next request has looked up its visit, and before it does anything else."""
    engine, done = workshop.tool.database.engine, list[bool]()

    def erase(*_: Any) -> None:
        if done:
            return
        done.append(True)
        other = Database(workshop.tool.database.url)
        with other.write() as connection:
            person = whom(connection, workshop.participant_id)
            erase_person(connection, person, by="operator", secret_key=SECRET_KEY, now=NOW)
        other.dispose()

    sa.event.listen(engine, "checkin", erase)
    try:
        yield
    finally:
        sa.event.remove(engine, "checkin", erase)
    assert done


@pytest.mark.parametrize("path", ["my-data/", "my-data.json", "my-data.pdf"])
def test_dpo_12_my_data_say_that_they_are_erased_and_how_to_start_again(workshop: Workshop, path: str) -> None:
    with erased_meanwhile(workshop):
        answer = workshop.browser.get(workshop.path + path)
    assert answer.status_code == 410
    assert "Everything is erased" in answer.text
    assert "whether you want to start again" in answer.text


FORMS = {
    "my-data/object": {},
    "my-data/code": {},
    "my-data/erase": {"sure": "yes"},
    f"{OF_SESSION}check-in": {"code": CODE},
    f"{OF_SESSION}more-time": {},
    f"{OF_SESSION}reflection": {"text": "What I have seen.", "do": "save"},
    f"{OF_SESSION}objection": {"text": "This is wrong."},
}
AT = {"my-data/erase": "my-data/erase", "my-data/object": "my-data/", "my-data/code": "my-data/"}


@pytest.mark.parametrize("action", FORMS)
def test_dpo_12_what_is_sent_meanwhile_is_not_stored(workshop: Workshop, action: str) -> None:
    token = workshop.token(action, at=AT.get(action, OF_SESSION))
    with erased_meanwhile(workshop):
        answer = workshop.post(action, token, **FORMS[action])
    assert answer.status_code == 410
    assert "was not stored" in answer.text
    left = {name: number for name, number in workshop.tool.rows().items() if name in OF_A_PERSON}
    assert left == dict.fromkeys(OF_A_PERSON, 0)


OF_A_PERSON = ("evidence", "completion", "reflection", "objection", "more_time", "transfer_code", "delivery", "visit")


def test_dpo_12_nothing_moves_to_who_was_erased_meanwhile(workshop: Workshop) -> None:
    there = workshop.tool.new_browser()
    path = there.open_visit(there.begin_login(workshop.tool.vilnius))
    page = there.post(f"{path}my-data/code", data={"form_token": form_token(there.get(f"{path}my-data/").text, "code")})
    found = SHOWN.search(page.text)
    assert found
    token = workshop.token("my-data/move", at="my-data/")
    with erased_meanwhile(workshop):
        answer = workshop.post("my-data/move", token, code=found[1], sure="yes")
    assert answer.status_code == 410
    assert workshop.tool.rows()["transfer_code"] == 1  # and the code still works
