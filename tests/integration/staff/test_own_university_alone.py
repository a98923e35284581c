"""Every page of staff, as the LMS admin of one university: another one's are closed, and nothing of them is told."""

import re
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.routing import Rule

from series.store.tables import platform
from tests.examples import SERIES, SESSION
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, Desk, Office

# What stands in the addresses of Malta, of the series, and of somebody who is not signed in.
OF_OTHERS = {
    "slug": ("malta", SERIES.slug),
    "university": ("malta",),
    "staff_id": ("1",),
    "participant_id": ("1",),
    "deployment_pk": ("1",),
    "session_id": (str(SESSION.session_id), str(UUID(int=1))),
    "level": ("calendar", "completions"),
    "kind": ("user", "service"),
    "job": ("mirror",),
    "run_id": ("1",),
    "platform": ("malta",),
}
SECRETS = (
    "University of Malta",
    SERIES.title,
    SESSION.title,
    "Maria Borg",
    COORDINATOR,
    "https://lms.malta.example",
    "client",
)
# Of who asks: their sign-in, password and launches; and before anybody has signed in.
OWN = {"staff.", "staff_sign_in.", "staff_waiting.", "bind."}
LIST_OF_OWN = {"lms.show_all", "moodle.show_all"}  # lead on to the own university


@pytest.fixture
def jonas(office: Office, browser: Desk) -> Desk:
    """Of Vilnius."""
    browser.sign_in(LMS_ADMIN)
    return browser


def rules(office: Office) -> list[Rule]:
    return [
        rule
        for rule in office.app.url_map.iter_rules()
        if rule.rule.startswith(("/admin/", "/coordinator/")) and not rule.endpoint.startswith(tuple(OWN))
    ]


def addresses(rule: Rule) -> list[str]:
    """With everything of others that could stand in it."""
    found = [rule.rule]
    for name in rule.arguments:
        values = OF_OTHERS.get(name, ("1",))
        found = [re.sub(rf"<(?:[^<>]*:)?{name}>", value, one) for one in found for value in values]
    return found


def test_every_page_of_another_university_is_closed(office: Office, jonas: Desk) -> None:
    walked = 0
    for rule in rules(office):
        if rule.endpoint in LIST_OF_OWN or "GET" not in (rule.methods or ()):
            continue
        for address in addresses(rule):
            answer = jonas.get(address)
            assert answer.status_code in {403, 404}, f"{address} {rule.endpoint} {answer.status_code}"
            assert not [secret for secret in SECRETS if secret in answer.text], address
            walked += 1
    assert walked > 20


def test_every_form_of_another_university_is_closed(office: Office, jonas: Desk) -> None:
    """Also one whose token is right: a person who reads our code can make their own."""
    with office.database.read() as connection:
        before = office.audit(), connection.execute(sa.select(platform)).all()
    walked = 0
    for rule in rules(office):
        for address in addresses(rule) if "POST" in (rule.methods or ()) else []:
            for token in [jonas.token(action) for action in guessed(address)]:
                answer = jonas.post(address, data={"form_token": token}, headers=OURS)
                assert answer.status_code in {400, 403, 404, 422}, f"{address} {answer.status_code}"
                assert not [secret for secret in SECRETS if secret in answer.text], address
            walked += 1
    assert walked > 10
    with office.database.read() as connection:
        assert (office.audit(), connection.execute(sa.select(platform)).all()) == before


def guessed(address: str) -> list[str]:
    """Actions of forms by the names that our pages use."""
    last = [part for part in address.split("/") if part][-1]
    return [
        *(f"{what}-staff 1" for what in ("link", "reset", "disable", "enable")),
        *("invite-staff", "add-university", "change-university malta", "approve-deployment 1", "undo-binding 1"),
        *("moodle run malta mirror", "connect-moodle malta calendar", "disconnect-moodle malta", "untie-moodle malta"),
        last,
    ]


@pytest.mark.parametrize("path", ["/admin/", "/admin/moodle/vilnius/", "/admin/password"])
def test_the_own_pages_tell_nothing_of_others(jonas: Desk, path: str) -> None:
    answer = jonas.get(path)
    assert answer.status_code == 200
    assert not [secret for secret in SECRETS[:-1] if secret in answer.text]
    for elsewhere in ("/admin/partners/", "/admin/people/", "/coordinator/"):
        assert elsewhere not in answer.text


def test_where_they_may_not_look_it_does_not_show_what_is_there(jonas: Desk) -> None:
    there, nowhere = jonas.get("/admin/people/1/"), jonas.get("/admin/people/999/")
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text) == (403, there.text)
