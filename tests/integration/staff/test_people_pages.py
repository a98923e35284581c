"""The accounts of staff on the coordinator's pages: who there is, inviting, new links, off and on."""

import re
from datetime import timedelta
from html import unescape

import pytest

from series.staff import INVITATION_LIFE, LINK_LIFE
from tests.conftest import PUBLIC_URL
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, PASSWORD, Desk, Office, path_of

PEOPLE, INVITE = "/admin/people/", "/admin/people/invite"
NEW = {"name": "Anna Vella", "email": "Anna@Example.org ", "role": "lms_admin", "university": "malta"}
SECOND = timedelta(seconds=1)


def invite(browser: Desk, **changes: str) -> str:
    """The page with the link."""
    answer = browser.send(INVITE, PEOPLE, **(NEW | changes))
    assert answer.status_code == 200, answer.text
    return answer.text


def link_of(page: str) -> str:
    found = re.search(rf'value="{re.escape(PUBLIC_URL)}(/admin/set-up/[\w-]+)"', page)
    assert found, page
    return found[1]


def page_of(office: Office, email: str) -> str:
    return f"{PEOPLE}{office.account(email).staff_id}/"


def test_all_accounts_are_shown_with_what_they_may(signed_in: Desk) -> None:
    page = signed_in.get(PEOPLE).text
    for words in (
        "Maria Borg",
        "Coordinator",
        "Jonas Petraitis",
        "LMS administrator",
        "Vilnius University",
        "2 accounts",
    ):
        assert words in page


@pytest.mark.parametrize(("search", "found"), [("jonas", True), ("VILNIUS", True), ("borg", False), ("100%", False)])
def test_somebody_is_found_by_name_and_university(signed_in: Desk, search: str, found: bool) -> None:  # noqa: FBT001
    page = signed_in.get(PEOPLE, query_string={"q": search}).text
    assert (LMS_ADMIN in page) is found


def test_who_is_invited_chooses_a_password_and_sees_the_own_university(office: Office, signed_in: Desk) -> None:
    link = link_of(invite(signed_in))
    person = office.new_browser()
    assert path_of(person.send(link, link, password="a walk in the park", again="a walk in the park")).startswith(
        "/admin/sign-in"
    )
    assert path_of(person.sign_in("anna@example.org", "a walk in the park")) == "/admin/"
    page = person.get("/admin/").text
    assert "LMS administrator of University of Malta" in page
    assert PEOPLE not in page
    assert "/admin/partners/" not in page
    assert ("staff 1", "create_staff", '{"role": "lms_admin"}') in office.audit()


def test_the_text_to_send_says_what_it_is_and_what_they_need(signed_in: Desk) -> None:
    page = unescape(invite(signed_in))
    for words in (
        "Dear Anna Vella,",
        f"{PUBLIC_URL}{link_of(page)}",
        "ten minutes",
        "administrator's rights",
        "University of Malta",
        "(Europe/Malta)",
        "anna@example.org",
        "Kind regards\nMaria Borg",
    ):
        assert words in page


def test_the_link_of_an_invitation_is_good_for_a_week(office: Office, signed_in: Desk) -> None:
    link = link_of(invite(signed_in))
    office.jump(INVITATION_LIFE - timedelta(minutes=1))
    assert office.new_browser().get(link).status_code == 200
    office.jump(INVITATION_LIFE + SECOND)
    assert office.new_browser().get(link).status_code == 410


def test_the_link_is_shown_once(office: Office, signed_in: Desk) -> None:
    link = link_of(invite(signed_in))
    for path in (PEOPLE, page_of(office, "anna@example.org"), "/admin/partners/malta/"):
        page = signed_in.get(path)
        assert page.status_code == 200
        assert link not in page.text
        assert "a link waits, for 6 days" in page.text or path == "/admin/partners/malta/"


def test_a_new_link_ends_the_one_before(office: Office, signed_in: Desk) -> None:
    old = link_of(invite(signed_in))
    page = page_of(office, "anna@example.org")
    new = link_of(signed_in.send(page, f"{page}link").text)
    assert office.new_browser().get(old).status_code == 410
    assert office.new_browser().get(new).status_code == 200


def test_a_reset_ends_the_password_and_the_sign_ins_and_is_good_for_a_day(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in(LMS_ADMIN)
    page = page_of(office, LMS_ADMIN)
    answer = signed_in.send(f"{page}reset", f"{page}reset")
    link = link_of(answer.text)
    assert "your password for Shared Sessions was reset" in answer.text
    assert not other.is_signed_in()
    assert other.sign_in(LMS_ADMIN).status_code == 422
    office.jump(LINK_LIFE + SECOND)
    assert other.get(link).status_code == 410


def test_disabled_is_signed_out_at_once_and_enabled_signs_in_again(office: Office, signed_in: Desk) -> None:
    other = office.new_browser()
    other.sign_in(LMS_ADMIN)
    page = page_of(office, LMS_ADMIN)
    assert path_of(signed_in.send(f"{page}disable", f"{page}disable")) == f"{page}?saved=disabled"
    assert "Disabled, and signed out everywhere." in signed_in.get(f"{page}?saved=disabled").text
    assert not other.is_signed_in()
    signed_in.send(page, f"{page}enable")
    assert other.sign_in(LMS_ADMIN).status_code == 303
    assert [action for _, action, _ in office.audit()][-3:-1] == ["disable_staff", "enable_staff"]


def test_nobody_disables_or_resets_themself(office: Office, signed_in: Desk) -> None:
    page = page_of(office, COORDINATOR)
    assert "Disable" not in signed_in.get(page).text
    for what in ("disable", "reset"):
        assert signed_in.get(f"{page}{what}").status_code == 409
    forged = signed_in.token(f"disable-staff {office.account().staff_id}")
    answer = signed_in.post(f"{page}disable", data={"form_token": forged}, headers=OURS)
    assert (answer.status_code, "You cannot disable your own account." in answer.text) == (409, True)
    assert signed_in.is_signed_in()


def test_a_coordinator_may_disable_another_one(office: Office, signed_in: Desk) -> None:
    invite(signed_in, role="coordinator", university="")
    page = page_of(office, "anna@example.org")
    assert path_of(signed_in.send(f"{page}disable", f"{page}disable")) == f"{page}?saved=disabled"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": " "}, "Please enter the name"),
        ({"name": "x" * 256}, "Please enter the name"),
        ({"name": "A\u202eB"}, "Please enter the name"),
        ({"email": "anna"}, "This is no e-mail address."),
        ({"role": "operator"}, "Please choose one of the two."),
        ({"role": ""}, "Please choose one of the two."),
        ({"university": ""}, "Please choose the university"),
        ({"university": "nowhere"}, "Please choose the university"),
        ({"name": "\0"}, "Please enter the name"),
    ],
    ids=str,
)
def test_what_does_not_do_is_explained_and_nothing_is_made(
    office: Office, signed_in: Desk, changes: dict[str, str], fault: str
) -> None:
    before = office.audit()
    answer = signed_in.send(INVITE, PEOPLE, **(NEW | changes))
    assert (answer.status_code, fault in answer.text) == (422, True)
    assert office.audit() == before


def test_one_address_has_one_account(office: Office, signed_in: Desk) -> None:
    answer = signed_in.send(INVITE, PEOPLE, **(NEW | {"email": LMS_ADMIN.upper()}))
    assert answer.status_code == 409
    assert "already. It is of Jonas Petraitis (LMS administrator, Vilnius University; active)." in answer.text
    assert office.new_browser().sign_in(LMS_ADMIN, PASSWORD).status_code == 303


@pytest.mark.parametrize("number", ["99", str(2**63), str(10**30)])
def test_an_account_that_is_not_there_is_said_so(signed_in: Desk, number: str) -> None:
    assert signed_in.get(f"{PEOPLE}{number}/").status_code == 404
