"""Cases 101 to 109, 112 and 113: targets, roles, ids and text from the LMS."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from series.store.sessions import save_import
from series.store.tables import membership, participant, visit
from tests.conftest import PUBLIC_URL
from tests.examples import SERIES, SESSION, moved
from tests.integration.lti.lms import AGS, INSTITUTION, INSTRUCTOR, LEARNER, TEST_USER, Lms, claim
from tests.integration.lti.tool import LAUNCH_URL, Browser, Login, ToolUnderTest

SUB_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
CSP = "Content-Security-Policy"
HOSTILE = "<script>alert(1)</script>\"'&"


def test_lti_101_a_missing_target_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    tool.refuses_token("claim_missing", login, browser, login.id_token(without=("target_link_uri",)))


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/lti/launch",
        "http://localhost:8998/lti/launch",
        "https://localhost:8999/lti/launch",
        "http://localhost:8999@evil.example/",
        "//localhost:8999/lti/launch",
        "/lti/launch",
        "javascript:alert(1)",
        "http://[",
    ],
)
def test_lti_101_a_target_elsewhere_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms, target: str
) -> None:
    tool.refuses_token("target_not_ours", login, browser, login.id_token({"target_link_uri": target}))
    tool.refuses("target_not_ours", lambda: browser.start_login(malta, {"target_link_uri": target}))


def test_lti_101_another_target_than_the_logins_is_refused(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    token = login.id_token({"target_link_uri": f"{PUBLIC_URL}/lti/launch?session=2"})
    tool.refuses_token("target_not_ours", login, browser, token)


@pytest.mark.parametrize("roles", ["Instructor", None, [1], [None], {"Instructor": True}, [["Instructor"]]], ids=str)
def test_lti_102_roles_that_are_no_list_of_texts_are_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, roles: object
) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({"roles": roles}))


@pytest.mark.parametrize(
    "resource_link",
    ["activity-1", {"id": ""}, {"id": "x" * 256}, {"id": 5}, {"id": None}, {}, None, []],
    ids=lambda value: str(value)[:12],
)
def test_lti_103_a_resource_link_without_a_usable_id_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, resource_link: object
) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({"resource_link": resource_link}))


@pytest.mark.parametrize("sub", ["x" * 256, "Zoë", 5, "", None, ["a"]], ids=lambda value: str(value)[:12])
def test_lti_104_a_sub_that_is_no_short_ascii_text_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, sub: object
) -> None:
    tool.refuses_token("claim_malformed", login, browser, login.id_token({"sub": sub}))


def test_lti_104_the_longest_allowed_ids_are_accepted(browser: Browser, login: Login) -> None:
    longest = {"sub": "x" * 255, "resource_link": {"id": "é" * 255}, "context": {"id": "é" * 255, "title": "T" * 999}}
    browser.open_visit(login, login.id_token(longest))


def rights(tool: ToolUnderTest) -> tuple[bool, bool]:
    with tool.database.read() as connection:
        row = connection.execute(sa.select(visit.c.is_teacher, visit.c.is_learner)).one()
    return row.is_teacher, row.is_learner


def test_lti_106_an_instructor_of_the_institution_who_learns_in_the_course_is_no_teacher(
    tool: ToolUnderTest, browser: Browser, login: Login
) -> None:
    path = browser.open_visit(login, login.id_token({"roles": [f"{INSTITUTION}Instructor", LEARNER]}))
    assert rights(tool) == (False, True)
    assert browser.get(f"{path}course/").status_code == 403


@pytest.mark.parametrize("role", ["Instructor", "Administrator", "Staff", "Faculty"])
def test_lti_106_a_role_in_the_institution_alone_makes_no_teacher(
    tool: ToolUnderTest, browser: Browser, login: Login, role: str
) -> None:
    browser.open_visit(login, login.id_token({"roles": [INSTITUTION + role]}))
    assert rights(tool) == (False, False)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([f"{SUB_ROLE}/Instructor#TeachingAssistant"], (True, False)),
        ([f"{SUB_ROLE}/Instructor#Lecturer", INSTRUCTOR], (True, False)),
        ([f"{SUB_ROLE}#TeachingAssistant"], (True, False)),
        ([f"{SUB_ROLE}/Learner#GuestLearner"], (False, True)),
        ([f"{SUB_ROLE}/Learner#Instructor"], (False, True)),
        ([f"{SUB_ROLE}/Administrator#Administrator"], (False, False)),
        ([f"{SUB_ROLE}#Mentor"], (False, False)),
        ([f"{INSTITUTION}Student"], (False, True)),
        ([INSTRUCTOR, LEARNER], (True, True)),
    ],
    ids=lambda value: value[0].rpartition("/")[2] if isinstance(value, list) else "",
)
def test_lti_107_a_sub_role_counts_as_its_principal_role(
    tool: ToolUnderTest, browser: Browser, login: Login, roles: list[str], expected: tuple[bool, bool]
) -> None:
    browser.open_visit(login, login.id_token({"roles": roles}))
    assert rights(tool) == expected


MENTOR = {"roles": [f"{SUB_ROLE}#Mentor"], "role_scope_mentor": ["student-6", "student-7"]}


def test_lti_108_a_mentor_looks_and_no_more(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    path = browser.open_visit(login, login.id_token(with_claim(MENTOR)))
    assert rights(tool) == (False, False)
    page = browser.get(path)
    assert page.status_code == 200
    assert "you are here as an observer" in page.text
    assert browser.get(f"{path}course/").status_code == 403
    with tool.database.read() as connection:
        assert "student-6" not in str(connection.execute(sa.select(participant)).all())


@pytest.mark.parametrize("mentored", ["student-6", {"student-6": 1}, [6], 5], ids=str)
def test_lti_108_a_list_of_the_mentored_that_is_none_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, mentored: object
) -> None:
    claims = with_claim(MENTOR | {"role_scope_mentor": mentored})
    tool.refuses_token("claim_malformed", login, browser, login.id_token(claims))


def test_lti_109_a_test_user_may_look_and_nothing_counts(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    path = browser.open_visit(login, login.id_token({"roles": [LEARNER, TEST_USER]}))
    assert "nothing is counted" in browser.get(path).text
    with tool.database.read() as connection:
        assert connection.execute(sa.select(visit.c.is_test_user, visit.c.is_learner)).one() == (True, True)
        assert connection.execute(sa.select(membership.c.is_learner)).scalar_one() is False, "grades would be sent"


def test_lti_109_a_test_user_cannot_check_in(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    now = datetime.now(UTC)
    running = moved(SESSION, now - timedelta(minutes=10) - SESSION.start_at)
    path = browser.open_visit(login, login.id_token({"roles": [LEARNER, TEST_USER]}))
    with tool.database.write() as connection:
        save_import(connection, SERIES.series_id, new=[(running, ("uid", now))], changed=[], rekeyed=[], now=now)
    page = browser.get(path).text
    assert "A test student cannot check in" in page
    action = f"sessions/{SESSION.session_id}/check-in"
    proof = browser.get_cookie("visit", domain="localhost", path=path)
    assert proof is not None
    token = hmac.new(proof.value.encode(), f"check-in {SESSION.session_id}".encode(), hashlib.sha256).hexdigest()
    assert browser.post(path + action, data={"form_token": token, "code": "123456"}).status_code == 403


def with_claim(changes: dict[str, object]) -> dict[str, object]:
    """`role_scope_mentor` by its full name: a student's launch does not have it."""
    return {claim(name) if name == "role_scope_mentor" else name: value for name, value in changes.items()}


@pytest.mark.parametrize("name", ["lineitem", "lineitems"])
def test_a_service_address_that_no_database_indexes_is_refused(
    tool: ToolUnderTest, browser: Browser, login: Login, name: str
) -> None:
    ags = {"scope": [], name: "https://malta.lms.example/" + "x" * 8_000}
    tool.refuses_token("claim_malformed", login, browser, login.id_token({AGS: ags}))


def test_lti_021_a_launch_without_a_context_does_not_take_the_activity_from_its_course(
    tool: ToolUnderTest, browser: Browser, login: Login, malta: Lms
) -> None:
    teacher = browser.open_visit(login, login.id_token({"roles": [INSTRUCTOR]}))
    assert browser.get(f"{teacher}course/").status_code == 200
    other = tool.new_browser()
    without = other.begin_login(malta)
    other.open_visit(without, without.id_token({"sub": "student-6"}, without=("context",)))
    assert browser.get(f"{teacher}course/").status_code == 200


def test_lti_112_html_in_the_courses_title_is_escaped(browser: Browser, login: Login) -> None:
    changes = {"roles": [INSTRUCTOR], "context": {"id": "1", "title": HOSTILE}, "name": HOSTILE, "sub": HOSTILE}
    path = browser.open_visit(login, login.id_token(changes | {"resource_link": {"id": HOSTILE, "title": HOSTILE}}))
    for page in (browser.get(path).text, (course := browser.get(f"{path}course/").text)):
        assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in course


def test_lti_112_html_in_the_error_of_an_lms_is_escaped(tool: ToolUnderTest, browser: Browser, login: Login) -> None:
    form = {"state": login.state, "error": HOSTILE, "error_description": HOSTILE}
    page = tool.refuses("lms_error", lambda: browser.post("/lti/launch", data=form))
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") == 2


def test_lti_112_html_in_the_login_is_escaped(browser: Browser, malta: Lms) -> None:
    hostile = {"lti_message_hint": HOSTILE, "login_hint": HOSTILE, "target_link_uri": f"{LAUNCH_URL}?{HOSTILE}"}
    started = browser.start_login(malta, hostile)
    without_cookies = browser.application.test_client(use_cookies=False)
    page = without_cookies.get(started.location)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "return_url", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", " ", "//evil"]
)
def test_lti_113_a_return_url_that_is_no_web_address_is_ignored(
    tool: ToolUnderTest, browser: Browser, login: Login, return_url: str
) -> None:
    token = login.id_token({"launch_presentation": {"return_url": return_url}})
    opened = browser.get(browser.open_visit(login, token))
    assert f'href="{return_url}' not in opened.text
    assert "frame-ancestors https://malta.lms.example https://vilnius.lms.example" in opened.headers[CSP]
    assert "Back to your course" not in tool.refuses_token("nonce_spent", login, browser, token)
