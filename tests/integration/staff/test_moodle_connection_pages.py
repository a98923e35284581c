"""Connecting a university's Moodle on the pages: who may, what is asked for, and what the token can do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from lms.moodle_levels import functions_of
from lti_tool.pages.staff_proof import token_for
from moodle_sync.moodle_runs import begin, connection_of, run_job
from moodle_sync.services import make_services
from sandbox_lms.campus import VILNIUS as CAMPUS
from series.mirrors import Mirror
from series.moodle_jobs import Level, MoodleJob
from series.store.keys import seal
from series.store.mirrors import drop_mirrors, save_mirrors, tie_course
from series.store.moodle_connections import (
    MoodleConnection,
    NewConnection,
    disconnect,
    find_connection,
    save_connection,
)
from series.store.moodle_jobs import planned_jobs
from series.store.moodle_tables import moodle_account
from series.store.runs import slot_by_hand
from series.store.tables import audit, course, course_series, moodle_connection, rate_limit, sync_run
from tests.conftest import make_settings
from tests.databases import Databases
from tests.examples import MALTA, SERIES, SESSION, VILNIUS
from tests.integration.sandbox_client import World
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, Desk, Office, open_office, path_of
from tests.seeds import ENCRYPTION_KEY

BASE = "/admin/moodle/vilnius/connection/"
SET_UP = f"{BASE}completions/"
TOKEN = CAMPUS.moodle_token
GETS = ["", "calendar/", "completions/?announcements=1", "completions/role-course.xml", "course/", "disconnect"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), [CAMPUS]) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    clock_file = tmp_path_factory.mktemp("office") / "clock"
    with databases.fresh("sqlite") as url, open_office(replace(make_settings(url), clock_file=clock_file)) as opened:
        yield opened


@pytest.fixture
def office(shared: Office, world: World) -> Iterator[Office]:
    """Nothing is connected, and nobody has tried anything."""
    yield shared
    world.sandbox.sites["vilnius"].switches.reset()
    with shared.database.write() as connection:
        disconnect(connection, VILNIUS.university_id)
        for table in (course_series, course, rate_limit, audit, sync_run, moodle_account):
            connection.execute(sa.delete(table))


@pytest.fixture
def admin(office: Office) -> Desk:
    """Of Vilnius."""
    browser = office.new_browser()
    browser.sign_in(LMS_ADMIN)
    return browser


def connect(desk: Desk, world: World, page: str = SET_UP, **changes: str) -> str:
    """Where it leads, or the page that says why not."""
    answer = desk.send(page, page, **{"address": world.campus.url, "token": TOKEN, **changes})
    return path_of(answer) if answer.status_code == 303 else f"{answer.status_code} {answer.text}"


def connected(office: Office) -> MoodleConnection | None:
    with office.database.read() as connection:
        return find_connection(connection, "vilnius", encryption_key=ENCRYPTION_KEY)


def test_an_admin_connects_chooses_a_course_and_sees_what_the_token_can_do(
    office: Office, admin: Desk, world: World
) -> None:
    assert "complete path" in admin.get(BASE).text
    assert connect(admin, world) == f"{BASE}course?saved=connected"
    known = connected(office)
    assert known is not None
    assert (known.level, known.token, known.base_url) == (Level.COMPLETIONS, TOKEN, world.campus.url)
    page = admin.get(f"{BASE}course/?saved=connected").text
    assert re.search(rf'<option value="{CAMPUS.course_id}">{CAMPUS.course_title} ', page)
    chosen = admin.send(f"{BASE}course/", f"{BASE}course/", course=str(CAMPUS.course_id), series=SERIES.slug)
    assert path_of(chosen) == f"{BASE}?saved=course"
    assert "not been tried out yet" in admin.get(BASE).text
    world.sandbox.sites["vilnius"].switches.set(lacks=["moodle/calendar:manageentries"])
    run_the_check(office)
    page = admin.get(BASE).text
    assert "Allow moodle/calendar:manageentries" in page
    assert f"Course “{CAMPUS.course_title}”" in page
    assert TOKEN not in page
    assert [action for _, action, _ in office.audit()][-2:] == ["connect_moodle", "choose_moodle_course"]
    assert not [detail for _, _, detail in office.audit() if TOKEN in detail]


def run_the_check(office: Office) -> None:
    services = make_services(office.tool.settings)
    known = connection_of(services, "vilnius")
    assert known is not None
    run_id = begin(services, known, MoodleJob.CHECK, slot=slot_by_hand())
    assert run_id is not None
    run_job(services, MoodleJob.CHECK, run_id)
    services.http.close()
    services.database.dispose()


def test_check_again_asks_the_worker(office: Office, admin: Desk, world: World) -> None:
    connect(admin, world)
    run_the_check(office)
    assert path_of(admin.send(BASE, f"{BASE}check")) == f"{BASE}?saved=check"
    with office.database.read() as connection:
        (planned,) = [one for one in planned_jobs(connection, VILNIUS.university_id) if one.job is MoodleJob.CHECK]
    assert planned.next_at <= office.tool.clock.now()
    assert office.audit()[-1][1] == "check_moodle"


def test_disconnecting_asks_first(office: Office, admin: Desk, world: World) -> None:
    connect(admin, world)
    assert "What stands in Moodle stays there" in admin.get(f"{BASE}disconnect").text
    assert path_of(admin.send(f"{BASE}disconnect", f"{BASE}disconnect")) == f"{BASE}?saved=disconnected"
    assert connected(office) is None
    assert office.audit()[-1][1] == "disconnect_moodle"
    assert path_of(admin.get(f"{BASE}disconnect")) == BASE
    assert path_of(admin.get(f"{BASE}course/")) == BASE


def test_after_a_change_of_the_encryption_key_the_token_is_entered_again(
    office: Office, admin: Desk, world: World
) -> None:
    connect(admin, world)
    change_the_key(office)
    assert "enter the token again" in admin.get(BASE).text
    assert "takes the place of the present token" in admin.get(SET_UP).text
    assert path_of(admin.get(f"{BASE}course/")) == BASE
    assert connect(admin, world).startswith(BASE)
    known = connected(office)
    assert known is not None
    assert known.token == TOKEN
    change_the_key(office)
    admin.send(f"{BASE}disconnect", f"{BASE}disconnect")
    assert connected(office) is None


def change_the_key(office: Office) -> None:
    with office.database.write() as connection:
        sealed = seal(TOKEN.encode(), Fernet.generate_key())
        connection.execute(sa.update(moodle_connection).values(token_sealed=sealed))


def test_what_announcements_lack_keeps_nobody_from_connecting(office: Office, admin: Desk, world: World) -> None:
    connect(admin, world)
    admin.send(f"{BASE}course/", f"{BASE}course/", course=str(CAMPUS.course_id), series=SERIES.slug)
    with office.database.write() as connection:
        connection.execute(sa.update(course).values(announces=True))
    world.sandbox.sites["vilnius"].switches.set(lacks_functions=["mod_forum_add_discussion"])
    assert connect(admin, world, f"{SET_UP}?announcements=1") == f"{BASE}?saved=connected"
    run_the_check(office)
    assert "mod_forum_add_discussion" in admin.get(BASE).text


def test_the_address_is_kept_as_the_site_has_it(office: Office, admin: Desk, world: World) -> None:
    connect(admin, world, address=world.campus.url.replace("127.0.0.1", "localhost"))
    known = connected(office)
    assert known is not None
    assert known.base_url == world.campus.url


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"address": ""}, "address", "Please enter the address"),
        ({"address": "http://moodle.example"}, "address", "must begin with https://, because"),
        ({"address": "https://moodle.example/login/"}, "address", "probably https://moodle.example"),
        ({"address": "https://" + "x" * 5000}, "address", "This is no web address"),
        ({"address": "https://mo\0odle.example"}, "address", "This is no web address"),
        ({"address": "http://127.0.0.1:9"}, "address", "did not accept the connection"),
        ({"address": "https://10.0.0.1"}, "address", "private or reserved address"),
        ({"token": ""}, "token", "Please enter the token"),
        ({"token": f"Token: {TOKEN}"}, "token", "without the words around it"),
        ({"token": "a-token-that-nobody-knows"}, "token", "does not know our web service token"),
    ],
    ids=str,
)
def test_what_will_not_do_is_said_beside_the_field(
    office: Office, admin: Desk, world: World, changes: dict[str, str], field: str, sentence: str
) -> None:
    page = connect(admin, world, **changes)
    assert page.startswith("422 ")
    fault = re.search(rf'id="{field}-fault" role="alert">([^<]+)', page)
    assert fault, page
    assert sentence in fault[1]
    assert f'id="{field}" name="{field}"' in page
    assert f'aria-describedby="{field}-fault"' in page
    assert TOKEN not in page
    assert f'value="{world.campus.url}"' in page or "address" in changes
    assert connected(office) is None


def test_a_token_that_lacks_functions_of_the_level_connects_at_the_lower_one(
    office: Office, admin: Desk, world: World
) -> None:
    world.sandbox.sites["vilnius"].switches.set(lacks_functions=["core_enrol_get_enrolled_users"])
    assert "core_enrol_get_enrolled_users. Add them under" in connect(admin, world)
    assert connected(office) is None
    assert connect(admin, world, f"{BASE}calendar/").startswith(BASE)


def test_too_many_tries_wait(admin: Desk, world: World) -> None:
    said = [connect(admin, world, token="x")[:4] for _ in range(11)]
    assert said == ["422 "] * 10 + ["429 "]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"course": "", "series": SERIES.slug}, "Please choose a course"),
        ({"course": "2; DROP", "series": SERIES.slug}, "digits alone"),
        ({"number": "9" * 30, "series": SERIES.slug}, "digits alone"),
        ({"number": "1", "series": SERIES.slug}, "everybody would see the events"),
        ({"number": "99", "series": SERIES.slug}, "may not open a course with this number"),
        ({"course": "2", "series": "\0"}, "Please choose the series"),
    ],
    ids=str,
)
def test_a_course_that_cannot_be_is_refused(
    office: Office, admin: Desk, world: World, fields: dict[str, str], sentence: str
) -> None:
    connect(admin, world)
    answer = admin.send(f"{BASE}course/", f"{BASE}course/", **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    with office.database.read() as connection:
        assert connection.execute(sa.select(course)).all() == []


def test_a_moodle_that_does_not_list_its_courses_lets_enter_the_number(admin: Desk, world: World) -> None:
    connect(admin, world)
    world.sandbox.sites["vilnius"].switches.set(moodle_status=503, moodle_status_times=1)
    assert "number instead" in admin.get(f"{BASE}course/").text
    chosen = admin.send(f"{BASE}course/", f"{BASE}course/", number=str(CAMPUS.course_id), series=SERIES.slug)
    assert path_of(chosen) == f"{BASE}?saved=course"


@pytest.mark.parametrize("level", Level)
def test_the_steps_name_every_function_and_offer_the_roles(admin: Desk, level: Level) -> None:
    page = admin.get(f"{BASE}{level}/").text
    (functions,) = re.findall(r"<textarea[^>]*>([^<]+)</textarea>", page)
    assert functions.split() == [one.value for one in functions_of(level, announcements=False)]
    for href in re.findall(r'<a download href="([^"]+)"', page):
        answer = admin.get(href)
        assert answer.mimetype == "application/xml"
        assert "attachment" in answer.headers["Content-Disposition"]
        assert ElementTree.fromstring(answer.text).tag == "role"
    assert "(the category) &gt; Permissions &gt; (list at the top) Assign roles" in page
    assert "under “Disabled”, which is right" in page
    assert "mod/forum:addnews" not in page
    assert "mod/forum:addnews" in admin.get(f"{BASE}{level}/?announcements=1").text


@pytest.mark.parametrize(
    ("email", "slug", "status"),
    [(COORDINATOR, "vilnius", 200), (COORDINATOR, "malta", 200), (LMS_ADMIN, "malta", 403), (LMS_ADMIN, "nobody", 404)],
)
def test_a_coordinator_sees_all_and_an_admin_the_own_one(office: Office, email: str, slug: str, status: int) -> None:
    browser = office.new_browser()
    browser.sign_in(email)
    for path in GETS:
        answer = browser.get(f"/admin/moodle/{slug}/connection/{path}")
        is_of_connected = path in {"course/", "disconnect"}  # which none is: back to the first page
        assert (path, answer.status_code) == (path, 303 if is_of_connected and status == 200 else status)


@pytest.mark.parametrize("path", ["check", "disconnect", "completions/", "course/"])
def test_only_a_form_of_ours_by_who_may_does_anything(office: Office, admin: Desk, world: World, path: str) -> None:
    connect(admin, world)
    for browser in (admin, office.new_browser()):  # without the form's token; without a sign-in
        answer = browser.post(f"{BASE}{path}", data={"address": world.campus.url, "token": TOKEN}, headers=OURS)
        assert answer.status_code in {401, 403}
        assert TOKEN not in answer.text
    assert connected(office) is not None
    assert len([action for _, action, _ in office.audit() if action.endswith("moodle")]) == 1


def test_the_form_of_another_university_is_not_for_an_admin(office: Office, admin: Desk, world: World) -> None:
    malta = SET_UP.replace("vilnius", "malta")
    fields = {"address": world.campus.url, "token": TOKEN}
    secret = admin.get_cookie("staff")
    assert secret is not None
    token = token_for(secret.value, "connect-moodle malta completions")
    assert admin.post(malta, data={"form_token": token, **fields}, headers=OURS).status_code == 403
    with office.database.read() as connection:
        assert connection.execute(sa.select(moodle_connection)).all() == []


@pytest.mark.parametrize("path", ["nothing/", "completions/role-other.xml", "CALENDAR/", "completions%00/"])
def test_what_there_is_not_is_not_found(admin: Desk, path: str) -> None:
    assert admin.get(f"{BASE}{path}").status_code == 404
    assert admin.get("/admin/moodle/vil%00nius/connection/").status_code == 404


# Other addresses, and courses that were the wrong ones


def chosen(admin: Desk, world: World) -> None:
    connect(admin, world)
    admin.send(f"{BASE}course/", f"{BASE}course/", course=str(CAMPUS.course_id), series=SERIES.slug)


def came_from(office: Office, address: str) -> None:
    """The Moodle was at another address before."""
    with office.database.write() as connection:
        connection.execute(sa.update(moodle_account).values(base_url=address))


@pytest.mark.parametrize(
    ("fields", "where", "number"),
    [({}, "course?saved=elsewhere", None), ({"same_site": "1"}, "?saved=connected", CAMPUS.course_id)],
    ids=["another", "same"],
)
def test_at_another_address_courses_are_chosen_anew_unless_it_is_the_same_moodle(
    office: Office, admin: Desk, world: World, fields: dict[str, str], where: str, number: int | None
) -> None:
    chosen(admin, world)
    came_from(office, "https://old.example")
    assert "Until now it was https://old.example." in admin.get(SET_UP).text
    assert connect(admin, world, **fields) == BASE + where
    with office.database.read() as connection:
        assert connection.execute(sa.select(course.c.moodle_course_id)).scalar_one() == number
    detail = office.audit()[-1][2]
    assert ("same_site" in detail) == bool(fields)


def test_a_course_is_untied_after_a_question(office: Office, admin: Desk, world: World) -> None:
    chosen(admin, world)
    (link,) = re.findall(r'href="([^"]+/untie/[^"]+)"', admin.get(BASE).text)
    assert "The worker deletes the events" in admin.get(link).text
    assert admin.post(link, headers=OURS).status_code == 403
    assert path_of(admin.send(link, link)) == f"{BASE}?saved=untied"
    page = admin.get(f"{BASE}?saved=untied").text
    assert "none yet" in page
    assert link not in page
    assert office.audit()[-1][1] == "untie_moodle_course"
    assert path_of(admin.get(link)) == BASE
    assert admin.get(link.replace("vilnius", "malta")).status_code == 403
    assert admin.get(f"{BASE}untie/{'9' * 40}/%00").status_code == 303


def test_before_disconnecting_our_events_can_be_deleted(office: Office, admin: Desk, world: World) -> None:
    chosen(admin, world)
    with office.database.write() as connection:
        course_id = connection.execute(sa.select(course.c.id)).scalar_one()
        mirror = Mirror(session_id=SESSION.session_id, event_id=7, fingerprint="")
        save_mirrors(connection, course_id, [mirror], now=office.tool.clock.now())
    page = f"{BASE}disconnect"
    assert "1 event of ours stands there." in admin.get(page).text
    token = re.search(r'untie/all">\s*<input type="hidden" name="form_token" value="([^"]+)"', admin.get(page).text)
    assert token is not None
    answer = admin.post(f"{BASE}untie/all", data={"form_token": token[1]}, headers=OURS)
    assert path_of(answer) == page
    assert "The worker is deleting them." in admin.get(page).text
    assert "1 event of ours there is still to be deleted" in admin.get(BASE).text
    with office.database.write() as connection:
        drop_mirrors(connection, course_id, [SESSION.session_id])
    assert "of ours" not in admin.get(page).text


def test_a_course_that_another_university_shows_is_refused(office: Office, admin: Desk, world: World) -> None:
    connect(admin, world)
    new = NewConnection(university_id=MALTA.university_id, base_url=world.campus.url, token="t", moodle_user_id=9)
    with office.database.write() as connection:
        now = office.tool.clock.now()
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=now)
        there = {"moodle_course_id": CAMPUS.course_id, "title": "", "series_id": SERIES.series_id}
        tie_course(connection, university_id=MALTA.university_id, now=now, **there)
    answer = admin.send(f"{BASE}course/", f"{BASE}course/", number=str(CAMPUS.course_id), series=SERIES.slug)
    with office.database.write() as connection:
        disconnect(connection, MALTA.university_id)
    assert answer.status_code == 422
    assert f"{MALTA.name} shows a series in this very course" in answer.text
