"""A transfer code is made in one university's LMS and entered in another's."""

import re

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.limits import HOST_CODE_TRIES
from series.store.tables import audit
from tests.examples import SESSION
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, form_token
from tests.integration.lti.workshop import CODE, OF_SESSION, Workshop, open_workshop, text_of

SHOWN = re.compile(r'id="code-shown">([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})<')


@pytest.fixture
def workshop(tool: ToolUnderTest, browser: Browser, login: Login) -> Workshop:
    """In Malta somebody has checked in."""
    opened = open_workshop(tool, browser, login)
    opened.open_check_in()
    assert opened.send(f"{OF_SESSION}check-in", at="", code=CODE).status_code == 303
    return opened


@pytest.fixture
def elsewhere(workshop: Workshop) -> tuple[Browser, str]:
    """The same person in Vilnius."""
    there = workshop.tool.new_browser()
    login = there.begin_login(workshop.tool.vilnius)
    return there, there.open_visit(login)


def make_code(workshop: Workshop) -> str:
    answer = workshop.send("my-data/code", at="my-data/")
    found = SHOWN.search(answer.text)
    assert found, answer.text
    return found[1]


def enter(elsewhere: tuple[Browser, str], code: str, **form: str) -> TestResponse:
    browser, path = elsewhere
    token = form_token(browser.get(f"{path}my-data/").text, "my-data/move")
    return browser.post(f"{path}my-data/move", data={"form_token": token, "code": code, **form})


def test_what_would_move_is_shown_first_and_then_moves(workshop: Workshop, elsewhere: tuple[Browser, str]) -> None:
    code = make_code(workshop)
    before = workshop.tool.rows()
    asked = enter(elsewhere, code.lower().replace("-", " "))
    assert "at University of Malta" in text_of(asked.text, "what-moves")
    assert "for 1 session." in text_of(asked.text, "what-moves")
    after = workshop.tool.rows()
    assert {name for name, number in after.items() if number != before[name]} <= {"rate_limit"}
    browser, path = elsewhere
    done = browser.post(
        f"{path}my-data/move",
        data={"form_token": form_token(asked.text, "my-data/move"), "code": code, "sure": "yes"},
    )
    assert done.status_code == 303
    assert "Your progress is here now" in browser.get(f"{path}my-data/?saved=move").text
    assert "1 of 1" in text_of(browser.get(path).text, "own-standing")
    assert "0 of 1" in text_of(workshop.page(), "own-standing")
    assert SESSION.title in browser.get(path).text


def test_dpo_13_who_has_objected_is_not_told_that_a_gradebook_hears_of_it(
    workshop: Workshop, elsewhere: tuple[Browser, str]
) -> None:
    assert "the gradebook of your course here is told" in enter(elsewhere, make_code(workshop)).text
    workshop.send("my-data/object", at="my-data/")
    asked = enter(elsewhere, make_code(workshop)).text
    assert "the gradebook of your course here is told" not in asked
    assert "so no gradebook is told" in asked


def test_a_code_is_shown_once_and_works_once(workshop: Workshop, elsewhere: tuple[Browser, str]) -> None:
    code = make_code(workshop)
    assert code not in workshop.page("my-data/")
    assert enter(elsewhere, code, sure="yes").status_code == 303
    again = enter(elsewhere, code, sure="yes")
    assert again.status_code == 422
    assert "That code does not work" in again.text


@pytest.mark.parametrize("typed", ["", "wrong", "7KX2-M9QT-RB4D-05WZ", "<b>x</b>\0" * 30])
def test_a_wrong_code_moves_nothing(typed: str, workshop: Workshop, elsewhere: tuple[Browser, str]) -> None:
    make_code(workshop)
    answer = enter(elsewhere, typed, sure="yes")
    assert answer.status_code == 422
    assert "Nothing was moved" in " ".join(answer.text.split())
    assert "<b>" not in answer.text


def test_the_own_code_is_refused_in_words(workshop: Workshop) -> None:
    code = make_code(workshop)
    answer = workshop.send("my-data/move", at="my-data/", code=code, sure="yes")
    assert answer.status_code == 422
    assert "was made in this account" in answer.text


def test_nobody_guesses_a_code(workshop: Workshop) -> None:
    for _ in range(HOST_CODE_TRIES.burst):
        assert workshop.send("my-data/move", at="my-data/", code="7KX2-M9QT-RB4D-05WZ").status_code == 422
    answer = workshop.send("my-data/move", at="my-data/", code="7KX2-M9QT-RB4D-05WZ")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_no_line_of_the_audit_names_both_accounts(workshop: Workshop, elsewhere: tuple[Browser, str]) -> None:
    enter(elsewhere, make_code(workshop), sure="yes")
    with workshop.tool.database.read() as connection:
        lines = connection.execute(sa.select(audit.c.actor, audit.c.action, audit.c.object)).all()
    assert [tuple(line) for line in lines if line.action in {"give_progress", "take_progress"}] == [
        ("participant 1", "give_progress", "participant 1"),
        ("participant 2", "take_progress", "participant 2"),
    ]
