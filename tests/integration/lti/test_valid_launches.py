"""Cases 13 to 33: valid launches of a teacher and of a student, on both databases."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from series.store.lms_tables import platform_arrival
from series.store.tables import course, membership, participant, placement, spent_nonce, visit
from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import INSTITUTION, INSTRUCTOR, LEARNER, Lms
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, open_tool

NAMES = ("name", "given_name", "family_name")
UNKNOWN_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"
NEVER_SEEN = {"resource_link": {"id": "never-seen-before"}}

# id: (changes of a valid launch, claims left out); "{role}" stands for the role
SHAPES: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "one_role": ({}, ()),
    "role_and_institution_roles": ({"roles": ["{role}", f"{INSTITUTION}Staff", f"{INSTITUTION}Other"]}, ()),
    "short_role": ({"roles": ["{short}"]}, ()),
    "unknown_role_only": ({"roles": [UNKNOWN_ROLE]}, ()),
    "no_role": ({"roles": []}, ()),
    "email_only": ({}, NAMES),
    "names_only": ({}, ("email",)),
    "nothing_personal": ({}, (*NAMES, "email")),
    "email_and_no_context": ({}, (*NAMES, "context")),
    "resource_link_never_seen": (NEVER_SEEN, ()),
}
WITHOUT_RIGHTS = {"unknown_role_only", "no_role"}


@pytest.fixture
def tool(database_url: str, malta: Lms, vilnius: Lms, tmp_path: Path) -> Iterator[ToolUnderTest]:
    with open_tool(database_url, malta, vilnius, tmp_path / "clock") as opened:
        yield opened


def id_token(login: Login, shape: str, role: str) -> str:
    changes, without = SHAPES[shape]
    stands_for = {"{role}": role, "{short}": role.rpartition("#")[2]}
    roles = changes.get("roles", [role])
    assert isinstance(roles, list)
    return login.id_token({**changes, "roles": [stands_for.get(text, text) for text in roles]}, without=without)


def rights(tool: ToolUnderTest) -> tuple[bool, bool]:
    """(teacher, learner) of the one visit."""
    with tool.database.read() as connection:
        row = connection.execute(sa.select(visit.c.is_teacher, visit.c.is_learner)).one()
    return row.is_teacher, row.is_learner


@pytest.mark.parametrize("shape", SHAPES, ids=[f"lti_{13 + n:03}-{shape}" for n, shape in enumerate(SHAPES)])
def test_a_teachers_launch_is_accepted(tool: ToolUnderTest, browser: Browser, login: Login, shape: str) -> None:
    path = browser.open_visit(login, id_token(login, shape, INSTRUCTOR))
    teaches = shape not in WITHOUT_RIGHTS
    assert rights(tool) == (teaches, False)
    assert browser.get(path).status_code == 200
    has_course_page = teaches and shape != "email_and_no_context"
    assert browser.get(f"{path}course/").status_code == (200 if has_course_page else 403)


@pytest.mark.parametrize("shape", SHAPES, ids=[f"lti_{23 + n:03}-{shape}" for n, shape in enumerate(SHAPES)])
def test_a_students_launch_is_accepted(tool: ToolUnderTest, browser: Browser, login: Login, shape: str) -> None:
    path = browser.open_visit(login, id_token(login, shape, LEARNER))
    assert rights(tool) == (False, shape not in WITHOUT_RIGHTS)
    assert browser.get(path).status_code == 200
    assert browser.get(f"{path}course/").status_code == 403


@pytest.mark.parametrize("roles", [[], [""], ["", " "]], ids=str)
def test_lti_017_no_role_opens_with_the_least_rights(
    tool: ToolUnderTest, browser: Browser, login: Login, roles: list[str]
) -> None:
    browser.open_visit(login, login.id_token({"roles": roles}))
    assert rights(tool) == (False, False)


def test_lti_033_a_student_with_only_a_resource_link_is_accepted(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    names = (
        "email",
        *NAMES,
        "context",
        "launch_presentation",
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint",
    )
    path = browser.open_visit(login, login.id_token({"resource_link": {"id": "7"}}, without=names))
    assert browser.get(path).status_code == 200


def test_a_launch_stores_the_person_by_number_alone(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    browser.open_visit(login)
    with tool.database.read() as connection:
        person = connection.execute(sa.select(participant)).one()
        stored = [str(connection.execute(sa.select(table)).all()) for table in (participant, visit, course, placement)]
    assert (person.issuer, person.sub) == ("https://malta.lms.example", "student-5")
    assert "Marija" not in str(stored)
    assert "Borg" not in str(stored)
    assert "@" not in str(stored)


def test_a_launch_is_answered_by_the_way_to_its_visit_alone(browser: Browser, login: Login) -> None:
    answer = browser.launch(login)
    path = answer.headers["Location"].removeprefix(PUBLIC_URL)
    assert answer.headers["Location"] == PUBLIC_URL + path
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (303, b"", "0")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("visit=")
    attributes = {"Max-Age=129600", "Secure", "HttpOnly", f"Path={path}", "SameSite=None", "Partitioned"}
    assert set(cookie.split("; ")[1:]) == attributes


def test_a_second_launch_adds_a_visit_and_nothing_else(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    browser.open_visit(browser.begin_login(malta))
    once = tool.rows()
    browser.open_visit(browser.begin_login(malta))
    assert tool.rows() == once | {visit.name: 2, spent_nonce.name: 2}
    assert once[participant.name] == once[membership.name] == once[placement.name] == 1


def test_which_claims_came_is_noted_by_name_and_once(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    for given in ({}, {"roles": [INSTRUCTOR]}, {"picture": "https://pictures.example/marija"}):
        login = browser.begin_login(malta)
        browser.open_visit(login, login.id_token(given))
        with tool.database.read() as connection:
            (row,) = connection.execute(sa.select(platform_arrival))
        assert "Marija" not in str(row)
        assert ("picture" in row.claims) is ("picture" in given)
    assert {"email", "name", "sub", "roles"} <= set(json.loads(row.claims))


def test_a_launch_like_the_last_ones_writes_no_claims(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    browser.open_visit(browser.begin_login(malta))
    with tool.database.write() as connection:
        connection.execute(sa.delete(platform_arrival))
    browser.open_visit(browser.begin_login(malta))
    assert tool.rows_of(platform_arrival) == 0


def test_the_same_sub_at_two_lmss_is_two_people(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    for lms in (malta, vilnius):
        browser.open_visit(browser.begin_login(lms))
    assert tool.rows()[participant.name] == 2


def test_a_launch_normally_makes_no_outgoing_call(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    for _ in range(3):
        browser.open_visit(browser.begin_login(malta))
    assert malta.times_asked_for_keys == 1


@pytest.mark.parametrize("locale", ["en-" + "x" * 40, ""])
def test_a_locale_that_is_no_language_tag_is_ignored(
    tool: ToolUnderTest, browser: Browser, login: Login, locale: str
) -> None:
    path = browser.open_visit(login, login.id_token({"launch_presentation": {"locale": locale}}))
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sub", "a\0b"),
        ("resource_link", {"id": "a\0b"}),
        ("context", {"id": "1", "title": "a\0b"}),
        ("deployment_id", "a\0b"),
        ("launch_presentation", {"return_url": "https://lms.example/\0"}),
    ],
)
def test_text_that_no_database_stores_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, name: str, value: object
) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({name: value}))


def test_a_login_for_a_platform_that_no_database_finds_is_refused(tool: ToolUnderTest, browser: Browser) -> None:
    tool.refuses("platform_mismatch", lambda: browser.start_login(tool.malta, {"iss": "a\0b"}))
    form = {"iss": "a\0b", "login_hint": "5", "target_link_uri": "http://localhost:8999/"}
    tool.refuses("platform_unknown", lambda: browser.post("/lti/login", data=form))
    tool.refuses("platform_unknown", lambda: browser.post("/lti/login/a%00b", data=form))
