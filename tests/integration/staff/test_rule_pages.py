"""The coordinator's page of the rule: what counts, what another rule would change, and rules of single sessions."""

import re
from datetime import timedelta
from html import unescape

import pytest
from msgspec import structs
from werkzeug.test import TestResponse

from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Rule, SessionRule
from series.sessions import Session
from series.store.proposals import COMMAND_LINE
from series.store.rules import Rules, rules_of, set_rule, set_session_rule
from series.store.sessions import change_session, sessions_of
from tests.examples import SERIES, moved
from tests.integration.staff.desk import LMS_ADMIN, OURS, Desk, Office, form_token, path_of
from tests.seeds import LAUNCH, code_of, launch, record, somebody_takes_part

PAGE = f"/coordinator/series/{SERIES.slug}/rule/"
CODE_AND_LIVE = (*CHECK_IN, Demand(kind=Kind.LIVE, at_least=60))
FORM = {"do": "show", "code_live": "on", "code_live_percent": "60", "approval": "on", "required": "2"}


@pytest.fixture
def sessions(office: Office) -> list[Session]:
    """The first has started, the others are to come."""
    now = office.tool.clock.now()
    with office.database.write() as connection:
        found = sessions_of(connection, SERIES.series_id)
        for each in found:
            change_session(
                connection, moved(each, now - timedelta(minutes=5) - found[0].start_at), by="staff 1", now=now
            )
        return sessions_of(connection, SERIES.series_id)


@pytest.fixture
def desk(office: Office, sessions: list[Session]) -> Desk:
    browser = office.new_browser()
    browser.sign_in()
    return browser


def rules(office: Office) -> Rules:
    with office.database.read() as connection:
        return rules_of(connection, SERIES.series_id)


def starts_now(office: Office, sessions: list[Session]) -> None:
    """The second one."""
    started = moved(sessions[1], sessions[0].start_at - sessions[1].start_at)
    with office.database.write() as connection:
        change_session(connection, started, by="staff 1", now=office.tool.clock.now())


def sets(office: Office, rule: Rule) -> None:
    with office.database.write() as connection:
        set_rule(connection, SERIES.series_id, rule, by=COMMAND_LINE, now=office.tool.clock.now())


def save(desk: Desk, shown: TestResponse, do: str = "save") -> TestResponse:
    """What the page of the effect has shown."""
    hidden = dict(re.findall(r'name="(digest|rule|form_token)" value="([^"]*)"', shown.text))
    data = {"do": do, "digest": hidden["digest"], "rule": unescape(hidden["rule"])}
    return desk.post(PAGE, data=data | {"form_token": form_token(shown.text, PAGE)}, headers=OURS)


def text_of(answer: TestResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


# Who may


def test_only_a_coordinator_sees_and_sets_the_rule(office: Office, sessions: list[Session]) -> None:
    browser = office.new_browser()
    own = f"{PAGE}{sessions[1].session_id}/"
    assert [browser.get(path).status_code for path in (PAGE, own)] == [303, 303]
    browser.sign_in(LMS_ADMIN)
    assert [browser.get(path).status_code for path in (PAGE, own)] == [403, 403]


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    for path in ("/coordinator/series/nowhere/rule/", f"{PAGE}{SERIES.series_id}/"):
        assert desk.get(path).status_code == 404


def test_a_form_from_elsewhere_changes_nothing(office: Office, desk: Desk, sessions: list[Session]) -> None:
    for path in (PAGE, f"{PAGE}{sessions[1].session_id}/"):
        assert desk.post(path, data=FORM | {"do": "set", "form_token": "x"}, headers=OURS).status_code == 403
    assert rules(office).version == 1


# What counts


def test_the_rule_is_said_in_words_with_who_set_it(office: Office, desk: Desk) -> None:
    sets(office, Rule(ways=(CODE_AND_LIVE,), required=2))
    page = text_of(desk.get(PAGE))
    assert "by its check-in code together with presence for at least 60 % of its time." in page
    assert "2 sessions complete the series." in page
    assert "A cancelled session is missing from nobody's count" in page
    assert re.search(r"Version 2, set on .* by the command line\.", page)
    assert page.count("Fixed") == 2, "the session that runs, and what the word means"
    assert "by its check-in code, or by the confirmation of a person. " in page, "of the session that runs"
    assert PAGE in desk.get(f"/coordinator/series/{SERIES.slug}/").text


def test_the_public_page_of_a_session_says_what_counts_for_it(office: Office, sessions: list[Session]) -> None:
    started, ahead, _ = sessions
    sets(office, Rule(ways=(CODE_AND_LIVE,), required=2))
    public = office.new_browser()
    assert "presence for at least 60 %" in public.get(f"/s/{ahead.session_id}").text
    page = public.get(f"/s/{started.session_id}").text
    assert "A session is completed by its check-in code, or by the confirmation of a person." in page


def test_what_the_form_cannot_say_stands_in_words(office: Office, desk: Desk) -> None:
    way = (*CHECK_IN, Demand(kind=Kind.REFLECTION, at_least=30))
    sets(office, Rule(ways=(way, CONFIRMED), required=2))
    page = text_of(desk.get(PAGE))
    assert (
        "The rule in force says more than this form can: A session is completed by its check-in code together" in page
    )
    assert "Saving the form replaces that, too." in page


# The effect, and saving


def test_the_effect_is_shown_before_anything_is_saved(office: Office, desk: Desk, sessions: list[Session]) -> None:
    for sub in range(5):
        visit = launch(office.database, structs.replace(LAUNCH, sub=str(sub)), now=office.tool.clock.now())
        record(office.database, code_of(visit, sessions[0].session_id), now=office.tool.clock.now())
    shown = desk.send(PAGE, PAGE, **FORM | {"required": "1"})
    page = text_of(shown)
    assert shown.status_code == 200
    assert "Now A session is completed by its check-in code, or by the confirmation of a person. 2 sessions" in page
    assert "Then A session is completed by its check-in code together with presence" in page
    assert "1 session completes the series." in page
    assert "now fewer than 5 people, then at least 5" in page
    assert "Nobody has less by the new numbers. Where they give more, the higher grade is sent" in page
    assert "2 sessions are then completed by the new rule" in page
    assert "1 session has started and stays as it is" in page
    assert rules(office).version == 1


def numbers(page: TestResponse) -> list[str]:
    """Of people, in the part about them."""
    found = re.search(r'aria-labelledby="people-title".*?</section>', page.text, re.DOTALL)
    assert found
    return re.findall(r"\d+", re.sub(r"<[^>]*>", " ", found[0]))


def test_the_effect_tells_nothing_of_fewer_than_five(office: Office, desk: Desk, sessions: list[Session]) -> None:
    """Nobody looks like four people, whatever rule is tried; and there is no sum to take the others from."""
    rules_tried = [FORM | {"required": required} for required in ("1", "2")]
    shown = [numbers(desk.send(PAGE, PAGE, **tried)) for tried in rules_tried]
    for sub in range(4):
        visit = launch(office.database, structs.replace(LAUNCH, sub=str(sub)), now=office.tool.clock.now())
        record(office.database, code_of(visit, sessions[0].session_id), now=office.tool.clock.now())
    assert [numbers(desk.send(PAGE, PAGE, **tried)) for tried in rules_tried] == shown == [["5", "5"]] * 2


def test_what_a_harder_rule_may_do_follows_from_the_rule(office: Office, desk: Desk, sessions: list[Session]) -> None:
    with office.database.write() as connection:
        for each in sessions_of(connection, SERIES.series_id):
            change_session(connection, moved(each, timedelta(days=1)), by="staff 1", now=office.tool.clock.now())
    page = text_of(desk.send(PAGE, PAGE, **FORM | {"required": "3"}))
    assert "By the new numbers somebody may have less than now. A grade that was sent is not lowered." in page


def test_what_was_seen_is_saved_with_who_did_it(office: Office, desk: Desk) -> None:
    done = save(desk, desk.send(PAGE, PAGE, **FORM))
    assert path_of(done) == f"{PAGE}?saved=rule"
    assert rules(office).series == Rule(ways=(CODE_AND_LIVE, CONFIRMED), required=2)
    actor, action, detail = office.audit()[-1]
    assert (action, detail) == ("set_rule", '{"version": 2}')
    page = text_of(desk.get(done.location))
    assert "Saved. All scores are worked out anew" in page
    assert re.search(r"Version 2, set on .* by Maria Borg\.", page)
    assert actor.startswith("staff ")


def test_the_rule_in_force_changes_nothing(office: Office, desk: Desk) -> None:
    shown = desk.send(PAGE, PAGE, do="show", code="on", approval="on", required="2")
    assert "Nothing: this is the rule in force." in text_of(shown)
    assert "Save this rule" not in shown.text


def test_what_was_perhaps_not_meant_is_remarked(desk: Desk) -> None:
    page = text_of(desk.send(PAGE, PAGE, **FORM | {"code": "on"}))
    assert re.search(
        r"Please note: this way changes nothing, .*: A session .* together with presence for at least 60 %", page
    )


def test_back_to_the_form_with_what_was_chosen(office: Office, desk: Desk) -> None:
    page = save(desk, desk.send(PAGE, PAGE, **FORM), do="again").text
    assert re.search(r'id="code_live_percent"[^>]* value="60"', page)
    assert re.search(r'id="code_live" name="code_live" checked', page)
    assert rules(office).version == 1


def test_a_rule_that_changed_meanwhile_is_asked_about_again(office: Office, desk: Desk) -> None:
    shown = desk.send(PAGE, PAGE, **FORM)
    sets(office, Rule(ways=(CHECK_IN,), required=2))
    again = save(desk, shown)
    assert (again.status_code, "are others than when you looked" in again.text) == (409, True)
    assert rules(office).version == 2
    assert save(desk, again).status_code == 303


def test_a_session_that_started_meanwhile_is_asked_about_again(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    shown = desk.send(PAGE, PAGE, **FORM)
    starts_now(office, sessions)
    assert save(desk, shown).status_code == 409


def test_what_cannot_be_set_is_said_and_the_form_kept(office: Office, desk: Desk, sessions: list[Session]) -> None:
    somebody_takes_part(office.database, sessions[0].session_id, now=office.tool.clock.now())
    for changes, says in (
        ({"code_live": "", "approval": ""}, "choose at least one way"),
        ({"code_live_percent": "101"}, "“101” cannot be taken"),
        ({"required": "9" * 5000}, "cannot be taken"),
        ({"required": "2\0"}, "cannot be taken"),
        ({"required": "3"}, "may only be lowered now"),
        ({"recordings": "1"}, "be raised"),
    ):
        refused = desk.send(PAGE, PAGE, **FORM | changes)
        assert (refused.status_code, says in text_of(refused)) == (422, True), changes
        assert 'id="code_live_percent"' in refused.text
    assert rules(office).version == 1


def test_a_rule_that_nobody_has_shown_is_refused(office: Office, desk: Desk) -> None:
    for rule in ("", "{", '{"required": 0}', '{"ways": 3}', "\0"):
        assert desk.send(PAGE, PAGE, do="save", rule=rule, digest="x").status_code == 400, rule
    for do in ("again", "dance", ""):
        assert desk.send(PAGE, PAGE, do=do, rule="", digest="x").status_code == 400, do
    assert rules(office).version == 1


def test_a_rule_that_is_too_hard_by_now_is_refused_on_saving(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    somebody_takes_part(office.database, sessions[0].session_id, now=office.tool.clock.now())
    refused = desk.send(PAGE, PAGE, do="save", rule='{"ways":[[{"kind":"code"}]],"required":9}', digest="x")
    assert (refused.status_code, "may only be lowered" in refused.text) == (422, True)
    assert re.search(r'id="required"[^>]* value="9"', refused.text)


# One session


def own_page(session: Session) -> str:
    return f"{PAGE}{session.session_id}/"


def save_own(desk: Desk, page: str, shown: TestResponse, do: str = "save") -> TestResponse:
    """What the page between has shown."""
    hidden = dict(re.findall(r'name="(version|series_version|rule)" value="([^"]*)"', shown.text))
    data = {name: unescape(value) for name, value in hidden.items()}
    return desk.post(page, data=data | {"do": do, "form_token": form_token(shown.text, page)}, headers=OURS)


def test_a_session_gets_a_rule_of_its_own_and_loses_it_again(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    page, session_id = own_page(sessions[1]), sessions[1].session_id
    done = save_own(desk, page, desk.send(page, page, do="show", reflection="on", reflection_words="50"))
    assert path_of(done) == f"{page}?saved=rule"
    own = rules(office).of_sessions[session_id]
    assert (own.is_own, own.version, own.rule) == (
        True,
        2,
        SessionRule(ways=((Demand(kind=Kind.REFLECTION, at_least=50),),)),
    )
    assert "Rule of its own" in desk.get(PAGE).text
    assert "1 session keeps its own rule" in desk.send(PAGE, PAGE, **FORM).text
    assert path_of(save_own(desk, page, desk.send(page, page, do="drop"))) == f"{page}?saved=rule"
    assert not rules(office).of_sessions[session_id].is_own
    assert [action for _, action, _ in office.audit()[-2:]] == ["set_session_rule", "drop_session_rule"]
    assert "It has no rule of its own any more." in desk.get(PAGE).text


def test_the_words_before_and_after_are_shown_before_anything_is_saved(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    page = own_page(sessions[1])
    shown = desk.send(page, page, do="show", reflection="on", reflection_words="50")
    words = text_of(shown)
    assert "The session has not started" in words
    assert "Nothing is saved so far." in words
    now, then = words.partition(" Now ")[2].split(" Then ")
    assert ("check-in code" in now, "reflection" in now) == (True, False)
    assert "50 words" in then
    assert rules(office).version == 1
    assert re.search(r'id="reflection_words"[^>]* value="50"', save_own(desk, page, shown, do="again").text)
    same = desk.send(page, page, do="drop")
    assert ("this is the rule in force" in same.text, 'value="save"' in same.text) == (True, False)


def test_a_session_that_has_started_offers_no_form(office: Office, desk: Desk, sessions: list[Session]) -> None:
    page = desk.get(own_page(sessions[0])).text
    assert "The session has started, so it stays as it is." in page
    assert 'name="do"' not in page


def test_a_session_that_starts_while_the_form_is_open_says_so(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    page = own_page(sessions[1])
    token, shown = form_token(desk.get(page).text, page), desk.send(page, page, do="show", code="on")
    starts_now(office, sessions)
    for refused in (
        desk.post(page, data={"form_token": token, "do": "show", "code": "on"}, headers=OURS),
        save_own(desk, page, shown),
    ):
        assert (refused.status_code, "This session has started" in refused.text) == (422, True)


def test_a_rule_of_a_session_that_changed_meanwhile_is_not_overwritten(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    page, rule = own_page(sessions[1]), SessionRule(ways=(CHECK_IN,))
    shown = desk.send(page, page, do="show", lms="on")
    with office.database.write() as connection:
        set_session_rule(connection, sessions[1].session_id, rule, by=COMMAND_LINE, now=office.tool.clock.now())
    refused = save_own(desk, page, shown)
    assert (refused.status_code, "is another than when you looked" in refused.text) == (409, True)
    assert rules(office).of_sessions[sessions[1].session_id].rule == rule
    assert path_of(save_own(desk, page, refused)) == f"{page}?saved=rule", "what is shown then is what counts"


def test_the_rule_of_the_series_that_changed_meanwhile_is_shown_before_it_counts(
    office: Office, desk: Desk, sessions: list[Session]
) -> None:
    page = own_page(sessions[1])
    save_own(desk, page, desk.send(page, page, do="show", lms="on"))
    shown = desk.send(page, page, do="drop")
    sets(office, Rule(ways=(CHECK_IN,), required=rules(office).series.required))
    assert save_own(desk, page, shown).status_code == 409
    assert rules(office).of_sessions[sessions[1].session_id].is_own


def test_a_form_that_is_none_of_ours_is_refused(desk: Desk, sessions: list[Session]) -> None:
    page = own_page(sessions[1])
    for fields in (
        {"do": "save"},
        {"do": "save", "version": "²", "series_version": "1"},
        {"do": "x", "version": "1", "series_version": "1"},
        {"do": "save", "version": "1", "series_version": "1", "rule": "{"},
    ):
        assert desk.send(page, page, **fields).status_code == 400, fields
    assert desk.send(page, page, do="show").status_code == 422, "nothing was ticked"
    empty = desk.send(page, page, do="save", version="1", series_version="1", rule='{"ways":[]}')
    assert (empty.status_code, "nobody could complete a session" in empty.text) == (422, True)
