"""What a check found, in words: each gap has a sentence, and the setting that mends it."""

import re
from collections.abc import Callable

import pytest

from moodle_sync.post_announcements import NO_FORUM
from series.check_words import FOUND, REMEDY, check_line, found_sentence, remedy_sentence
from series.checks import Check, Code, Outcome, decode_checks, encode_checks, gaps_of
from series.rule_words import Words

FACTS: dict[str, str | int] = dict.fromkeys(
    (
        *("site", "reason", "own", "ours", "functions", "release", "course_id", "starts", "first", "kinds"),
        *("capabilities", "names"),
    ),
    "X",
) | dict.fromkeys(("seconds", "listed", "known", "missing", "number"), 7)
GAPS = [key for key in FOUND if key[1] is Outcome.GAP]


def made(code: Code, outcome: Outcome, case: str = "", **facts: str | int) -> Check:
    return Check(code=code, outcome=outcome, facts={**FACTS, "case": case, **facts})


@pytest.mark.parametrize("key", FOUND, ids=str)
def test_every_finding_has_a_whole_sentence(key: tuple[Code, Outcome, str]) -> None:
    sentence = found_sentence(made(*key))
    assert sentence[0].isupper()
    assert sentence.endswith((".", "X"))
    assert "%" not in sentence


@pytest.mark.parametrize("key", [key for key in GAPS if key != (Code.SITE, Outcome.GAP, "")], ids=str)
def test_every_gap_names_what_to_change(key: tuple[Code, Outcome, str]) -> None:
    remedy = remedy_sentence(made(*key))
    assert remedy
    assert "%(" not in remedy


def test_no_remedy_is_for_a_finding_that_there_is_not() -> None:
    assert {key[:2] for key in REMEDY} <= {key[:2] for key in FOUND}


def test_every_code_has_a_sentence() -> None:
    assert {key[0] for key in FOUND} == set(Code)


def test_capabilities_are_named_with_the_menu() -> None:
    line = check_line(made(Code.PEOPLE, Outcome.GAP, "details", course="Teaching STEM", known=30, missing=29))
    assert line.startswith(
        "“Teaching STEM”: Students whom we know in the course: 30. Of these, the account does not see 29."
    )
    assert "moodle/user:viewdetails" in line
    assert "Site administration > Users > Permissions > Define roles" in line


def test_a_missing_forum_is_said_with_moodles_own_name_for_the_setting() -> None:
    assert "Appearance > Number of announcements to 1" in NO_FORUM
    assert check_line(made(Code.FORUM, Outcome.GAP)) == NO_FORUM


def test_pages_say_it_in_their_own_language() -> None:
    def upper(text: str, **values: object) -> str:
        return (re.sub(r"%\((\w+)\)s|[a-z]", lambda m: m[0] if m[1] else m[0].upper(), text)) % values

    translated: Callable[..., str] = upper
    check = Check(code=Code.SITE, outcome=Outcome.OK, facts={"site": "Malta"})
    assert found_sentence(check, Words(gettext=translated)) == "Malta ANSWERS."


def test_what_was_found_is_kept_as_it_was() -> None:
    checks = [made(Code.CLOCK, Outcome.GAP, "ahead", seconds=90), made(Code.TOKEN, Outcome.OK)]
    assert decode_checks(encode_checks(checks)) == checks
    assert gaps_of(checks) == checks[:1]


@pytest.mark.parametrize("text", [None, "", "[", '[{"code":"of a newer version","outcome":"ok"}]'])
def test_what_cannot_be_read_is_nothing(text: str | None) -> None:
    assert decode_checks(text) == []
