"""The LMS admin's page: who sees which LMS, what it says, and what can be done there."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec import structs

from lti_tool.pages.staff_proof import token_for
from series.checks import Outcome
from series.preflight import Code, Trial
from series.store.arrivals import save_arrival
from series.store.deployments import list_deployments, note_pending
from series.store.keys import add_tool_key, tool_keys
from series.store.lms_tables import platform_check
from series.store.platform_checks import EVERY, LEASE, checked_platform, claim_check, save_trials
from series.store.refusals import note_refusal
from series.store.tables import deployment, platform
from series.store.universities import NewPlatform, add_platform
from tests.examples import VILNIUS
from tests.integration.sandbox_client import TOOL_KEY
from tests.integration.staff.desk import COORDINATOR, LMS_ADMIN, OURS, Desk, Office, path_of
from tests.seeds import ENCRYPTION_KEY, LAUNCH, launch

PAGE = "/admin/lms/vilnius/vilnius/"
ISSUER = "https://lms.vilnius.example"
PLATFORM = NewPlatform(
    slug="vilnius",
    university_id=VILNIUS.university_id,
    issuer=ISSUER,
    client_id="client-of-vilnius",
    authorization_endpoint=f"{ISSUER}/auth",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/certs",
    token_audience="https://audience.example",
    deployment_ids=("1",),
    product="moodle",
)
GETS = ["/admin/lms/{}/", "/admin/lms/{}/{}/", "/admin/lms/{}/{}/deployments/{}/switch-off"]
POSTS = ["check", "deployments/{}/attach", "deployments/{}/switch-off", "keys/rotate"]


@pytest.fixture
def platform_id(office: Office) -> int:
    """Of Vilnius; its tool key is there."""
    now = office.tool.clock.now()
    with office.database.write() as connection:
        pem = TOOL_KEY.as_pem(private=True)
        add_tool_key(connection, kid="tool-key", private_key_pem=pem, encryption_key=ENCRYPTION_KEY, now=now)
        return add_platform(connection, PLATFORM, now=now)


@pytest.fixture
def admin(office: Office, platform_id: int) -> Desk:
    """Of Vilnius."""
    browser = office.new_browser()
    browser.sign_in(LMS_ADMIN)
    return browser


def found(office: Office, platform_id: int, *trials: Trial) -> None:
    """What the worker has written down."""
    now = office.tool.clock.now()
    timed = [structs.replace(trial, at=now, ms=120) for trial in trials]
    with office.database.write() as connection:
        save_trials(connection, platform_id, timed, began_at=now, now=now, next_at=now + EVERY)


def pending(office: Office, platform_id: int, course: str = "Teaching <STEM>") -> int:
    """A deployment that a launch has named; our number of it."""
    with office.database.write() as connection:
        note_pending(
            connection,
            platform_id=platform_id,
            deployment_id="D-9",
            course_title=course,
            now=office.tool.clock.now(),
        )
    return deployments(office, platform_id)["D-9"][0]


def deployments(office: Office, platform_id: int) -> dict[str, tuple[int, str]]:
    with office.database.read() as connection:
        known = list_deployments(connection, platform_id=platform_id)
    return {one.deployment_id: (one.deployment_pk, one.state) for one in known}


def test_a_new_lms_says_how_to_begin(admin: Desk) -> None:
    page = admin.get(PAGE).text
    assert "Not checked yet." in page
    assert "The first check begins within seconds while the worker runs." in page
    assert "open it there as a teacher" in page
    assert "No launch was refused." in page
    for address in (ISSUER, "client-of-vilnius", f"{ISSUER}/certs", "https://audience.example"):
        assert f'value="{address}" readonly' in page
    for path in ("/lti/launch", "/lti/login/vilnius", "/lti/jwks.json", "/lti/canvas.json"):
        assert f'value="http://localhost:8999{path}" readonly' in page


def test_the_board_says_what_to_do_in_the_words_of_the_product(office: Office, admin: Desk, platform_id: int) -> None:
    found(
        office,
        platform_id,
        Trial(code=Code.LMS_KEYS, outcome=Outcome.OK, facts={"keys": 2}),
        Trial(code=Code.TOKEN, outcome=Outcome.GAP, facts={"case": "refused", "said": "invalid_client"}),
        Trial(code=Code.ROSTER, outcome=Outcome.SKIPPED),
        Trial(code=Code.LAUNCH, outcome=Outcome.OK, facts={"last": "2026-11-24T15:10Z"}),
    )
    page = admin.get(PAGE).text
    assert '<h2 id="board-title">1 thing to do</h2>' in page
    assert "The LMS does not accept who we say we are (invalid_client)." in page
    assert "Site administration &gt; Plugins &gt; Activity modules &gt; External tool" in page
    assert "Not tried: it needs what does not work above." in page
    assert "24 November 2026, 17:10 (Vilnius)" in page  # in the university's own time
    assert "1 thing to do" in admin.get("/admin/lms/vilnius/").text


def test_what_a_new_lms_still_needs_is_no_fault(office: Office, admin: Desk, platform_id: int) -> None:
    found(
        office,
        platform_id,
        Trial(code=Code.LAUNCH, outcome=Outcome.GAP),
        Trial(code=Code.DEPLOYMENT, outcome=Outcome.GAP, facts={"case": "none"}),
        Trial(code=Code.TEST_SCORE, outcome=Outcome.SKIPPED, facts={"case": "no_launch"}),
    )
    page = admin.get(PAGE).text
    assert "2 things to do" in page
    assert page.count("</span> to do</td>") == 2
    assert "If the activity is in no course yet, add it to one." in page
    assert "</span> does not work</td>" not in page


def test_what_an_earlier_check_has_found_has_its_day(office: Office, admin: Desk, platform_id: int) -> None:
    now = office.tool.clock.now()
    trials = [
        Trial(code=Code.TOKEN, outcome=Outcome.OK, at=now),
        Trial(code=Code.TEST_SCORE, outcome=Outcome.OK, facts={"case": "nobody"}, at=now - timedelta(days=3)),
    ]
    with office.database.write() as connection:
        save_trials(connection, platform_id, trials, began_at=now, now=now, next_at=now + EVERY)
    assert f"{now - timedelta(days=3):%-d %B %Y}" in admin.get(PAGE).text


def test_when_everything_works_it_says_so(office: Office, admin: Desk, platform_id: int) -> None:
    found(office, platform_id, Trial(code=Code.LMS_KEYS, outcome=Outcome.OK, facts={"keys": 1}))
    assert '<h2 id="board-title">Everything works</h2>' in admin.get(PAGE).text
    found(office, platform_id, Trial(code=Code.CLOCK, outcome=Outcome.UNKNOWN))
    assert "It works, with 1 thing to look at" in admin.get(PAGE).text


def test_check_now_asks_the_worker_and_the_page_waits_for_it(office: Office, admin: Desk, platform_id: int) -> None:
    assert path_of(admin.send(PAGE, f"{PAGE}check", test_student=" 17 ")) == f"{PAGE}?saved=check"
    now = office.tool.clock.now()
    with office.database.read() as connection:
        row = connection.execute(sa.select(platform_check)).one()
    assert (row.next_at <= now, row.test_user) == (True, "17")
    page = admin.get(PAGE).text
    assert "The worker begins within seconds." in page
    assert 'data-refresh-every="2000"' in page
    with office.database.write() as connection:
        assert claim_check(connection, platform_id, now=now) is not None
    assert "It is being checked right now" in admin.get(PAGE).text
    found(office, platform_id, Trial(code=Code.LMS_KEYS, outcome=Outcome.OK, facts={"keys": 1}))
    page = admin.get(PAGE).text
    assert "being checked" not in page
    assert "data-refresh-every" not in page
    with office.database.read() as connection:
        assert connection.execute(sa.select(platform_check.c.test_user)).scalar_one() is None
    assert office.audit()[-1][1:] == ("check_lms", '{"test_student": "yes"}')  # and not whose number


def test_without_a_worker_the_page_says_so(office: Office, admin: Desk) -> None:
    admin.send(PAGE, f"{PAGE}check")
    office.jump(timedelta(minutes=2))
    page = admin.get(PAGE).text
    assert "the worker does not seem to run" in page
    assert "moodle-sync worker" in page


def test_a_worker_that_died_in_the_middle_is_noticed(office: Office, admin: Desk, platform_id: int) -> None:
    admin.send(PAGE, f"{PAGE}check")
    with office.database.write() as connection:
        claim_check(connection, platform_id, now=office.tool.clock.now())
    office.jump(LEASE + timedelta(seconds=1))
    assert "being checked right now" not in admin.get(PAGE).text


@pytest.mark.parametrize("typed", ["Ġorġ", "x" * 300, "1\x002"])
def test_what_is_no_user_id_is_refused_beside_the_field(office: Office, admin: Desk, typed: str) -> None:
    answer = admin.send(PAGE, f"{PAGE}check", test_student=typed)
    assert answer.status_code == 422
    assert 'id="test-student-fault"' in answer.text
    with office.database.read() as connection:
        assert connection.execute(sa.select(platform_check)).all() == []


def test_a_pending_deployment_is_attached_by_one_click(office: Office, admin: Desk, platform_id: int) -> None:
    number = pending(office, platform_id)
    page = admin.get(PAGE).text
    assert "from the course “Teaching &lt;STEM&gt;”" in page
    assert "1 deployment waits to be attached." in admin.get("/admin/lms/vilnius/").text
    action = f"{PAGE}deployments/{number}/attach"
    assert path_of(admin.send(PAGE, action)) == f"{PAGE}?saved=attached"
    assert deployments(office, platform_id)["D-9"][1] == "approved"
    with office.database.read() as connection:
        assert checked_platform(connection, platform_id) is not None  # and is checked with it
    assert office.audit()[-1][1] == "approve_deployment"


def test_switching_a_deployment_off_asks_first(office: Office, admin: Desk, platform_id: int) -> None:
    number = deployments(office, platform_id)["1"][0]
    page = f"{PAGE}deployments/{number}/switch-off"
    assert page in admin.get(PAGE).text
    assert "Switch off deployment 1?" in admin.get(page).text
    assert deployments(office, platform_id)["1"][1] == "approved"
    assert path_of(admin.send(page, page)) == f"{PAGE}?saved=switched-off"
    assert deployments(office, platform_id)["1"][1] == "disabled"
    assert office.audit()[-1][1] == "disable_deployment"
    attach = f"{PAGE}deployments/{number}/attach"
    assert "The coordinator can attach it again." in admin.get(PAGE).text
    secret = admin.get_cookie("staff")
    assert secret is not None
    form = {"form_token": token_for(secret.value, f"attach {number}")}
    assert admin.post(attach, data=form, headers=OURS).status_code == 403
    coordinator = office.new_browser()
    coordinator.sign_in()
    assert path_of(coordinator.send(PAGE, attach)) == f"{PAGE}?saved=attached"


@pytest.mark.parametrize("state", ["pending", "rejected"])
def test_on_an_lms_that_nobody_has_approved_only_the_coordinator_attaches(
    office: Office, admin: Desk, platform_id: int, state: str
) -> None:
    number = pending(office, platform_id)
    with office.database.write() as connection:
        connection.execute(sa.update(platform).where(platform.c.id == platform_id).values(state=state))
    page = admin.get(PAGE).text
    assert "The coordinator approves the LMS first." in page
    secret = admin.get_cookie("staff")
    assert secret is not None
    form = {"form_token": token_for(secret.value, f"attach {number}")}
    assert admin.post(f"{PAGE}deployments/{number}/attach", data=form, headers=OURS).status_code == 403
    coordinator = office.new_browser()
    coordinator.sign_in(COORDINATOR)
    assert coordinator.send(PAGE, f"{PAGE}deployments/{number}/attach").status_code == 303


def test_an_lms_that_was_turned_down_is_said_to_be(office: Office, admin: Desk, platform_id: int) -> None:
    with office.database.write() as connection:
        connection.execute(sa.update(platform).where(platform.c.id == platform_id).values(state="rejected"))
    page = admin.get("/admin/lms/vilnius/").text
    assert "The coordinator has turned it down: its launches are refused." in page
    assert "rejected" not in page


def test_refusals_are_said_in_plain_words_once_each(office: Office, admin: Desk, platform_id: int) -> None:
    with office.database.write() as connection:
        for code, reference in (("token_expired", "aaaa1111"), ("nonce_wrong", "bbbb"), ("token_expired", "cccc2222")):
            note_refusal(
                connection, platform_id=platform_id, code=code, reference=reference, now=office.tool.clock.now()
            )
        note_refusal(connection, platform_id=platform_id, code="of_old", reference="d", now=office.tool.clock.now())
    page = admin.get(PAGE).text
    assert page.count("Set the clock of the LMS") == 1
    assert "References: cccc2222, aaaa1111" in page
    assert "2 times" in page
    assert "This reason is of another version of the tool." in page


def test_dpo_05_claims_are_named_and_personal_ones_are_dropped(office: Office, admin: Desk, platform_id: int) -> None:
    with office.database.write() as connection:
        save_arrival(
            connection,
            platform_id,
            "LtiResourceLinkRequest",
            claims=("sub", "email", "lis.person_sourcedid", "iss", "tool_platform"),
            unexpanded=("link_history",),
            now=office.tool.clock.now(),
        )
    page = admin.get(PAGE).text
    assert page.count("dropped right after the launch was checked") == 2
    assert "Share launcher&#39;s name with tool" in page
    assert "Moodle sends the ID number of a person" in page
    assert "link_history" in page
    assert "or not at all: iss, tool_platform." in page


def test_launches_are_shown_without_the_person(office: Office, admin: Desk, platform_id: int) -> None:
    now = office.tool.clock.now()
    new = structs.replace(
        LAUNCH,
        platform_id=platform_id,
        university_id=VILNIUS.university_id,
        issuer=ISSUER,
        sub="student-4711",
        nonce_expires_at=now + timedelta(minutes=20),
    )
    launch(office.database, new, now=now)
    page = admin.get(PAGE).text
    assert "Teaching STEM" in page
    assert "4711" not in page
    assert "student</td>" in page


def test_the_next_key_is_made_once(office: Office, admin: Desk, platform_id: int) -> None:
    page = admin.get(PAGE).text
    assert "The keys are the same for the LMSs of all universities." in page
    assert path_of(admin.send(PAGE, f"{PAGE}keys/rotate")) == f"{PAGE}?saved=rotated"
    page = admin.get(PAGE).text
    assert "A rotation is under way" in page
    assert "keys/rotate" not in page
    secret = admin.get_cookie("staff")
    assert secret is not None
    form = {"form_token": token_for(secret.value, "rotate-keys")}
    again = admin.post(f"{PAGE}keys/rotate", data=form, headers=OURS)
    assert path_of(again) == f"{PAGE}?saved=waits"
    with office.database.read() as connection:
        assert len(tool_keys(connection, encryption_key=ENCRYPTION_KEY)) == 2
    assert [action for _, action, _ in office.audit()].count("rotate_keys") == 1


def test_the_old_key_goes_before_another_next_one_comes(office: Office, admin: Desk, platform_id: int) -> None:
    """An LMS admin who rotates daily would fill the key set of everybody."""
    admin.send(PAGE, f"{PAGE}keys/rotate")
    for days, may_rotate in ((2, False), (9, True)):
        office.jump(timedelta(days=days))
        admin.sign_in(LMS_ADMIN)
        assert ("keys/rotate" in admin.get(PAGE).text) is may_rotate


@pytest.mark.parametrize(
    ("email", "slug", "status"),
    [
        (COORDINATOR, "vilnius", 200),
        (COORDINATOR, "malta", 200),
        (LMS_ADMIN, "vilnius", 200),
        (LMS_ADMIN, "malta", 403),
    ],
)
def test_an_admin_sees_the_own_lms_alone(office: Office, platform_id: int, email: str, slug: str, status: int) -> None:
    browser = office.new_browser()
    browser.sign_in(email)
    number = deployments(office, platform_id if slug == "vilnius" else 1)["1"][0]
    for path in GETS:
        answer = browser.get(path.format(slug, slug, number))
        assert (path, answer.status_code) == (path, status)
        assert status == 200 or "lms.malta.example" not in answer.text


@pytest.mark.parametrize("post", POSTS)
def test_only_a_form_of_ours_by_who_may_does_anything(office: Office, admin: Desk, platform_id: int, post: str) -> None:
    own, others = deployments(office, platform_id)["1"][0], deployments(office, 1)["1"][0]
    before = office.audit()
    for browser in (admin, office.new_browser()):
        assert browser.post(PAGE + post.format(own), headers=OURS).status_code in {401, 403}
    secret = admin.get_cookie("staff")
    assert secret is not None
    action = {
        "check": "check-lms malta",
        "deployments/{}/attach": f"attach {others}",
        "deployments/{}/switch-off": f"switch-off {others}",
        "keys/rotate": "rotate-keys",
    }[post]
    form = {"form_token": token_for(secret.value, action)}
    malta = f"/admin/lms/malta/malta/{post.format(others)}"
    assert admin.post(malta, data=form, headers=OURS).status_code == 403
    assert office.audit() == before
    with office.database.read() as connection:
        states = connection.execute(sa.select(deployment.c.state)).scalars().all()
    assert set(states) == {"approved"}


@pytest.mark.parametrize(
    "path",
    ["/admin/lms/vilnius/malta/", "/admin/lms/nobody/", "/admin/lms/vilnius/n%00/", PAGE + "deployments/99/switch-off"],
)
def test_there_is_nothing_at_other_addresses(office: Office, platform_id: int, path: str) -> None:
    browser = office.new_browser()
    browser.sign_in(COORDINATOR)
    assert browser.get(path).status_code == 404


def test_a_coordinator_sees_all_and_an_admin_is_led_to_the_own(office: Office, admin: Desk) -> None:
    assert path_of(admin.get("/admin/lms/")) == "/admin/lms/vilnius/"
    coordinator = office.new_browser()
    coordinator.sign_in(COORDINATOR)
    page = coordinator.get("/admin/lms/").text
    assert "University of Malta" in page
    assert "Vilnius University" in page
    assert "University of Malta" not in coordinator.get("/admin/lms/?q=viln").text
    assert "No university is called so." in coordinator.get("/admin/lms/?q=%00zzz").text
    assert 'href="/admin/lms/"' in coordinator.get("/admin/").text


def test_many_lmss_are_listed_with_as_few_questions_as_one(office: Office, platform_id: int) -> None:
    coordinator = office.new_browser()
    coordinator.sign_in(COORDINATOR)
    coordinator.get("/admin/lms/")

    def questions() -> int:
        asked: list[str] = []

        def note(*args: object) -> None:
            asked.append(str(args[2]))

        sa.event.listen(office.database.engine, "before_cursor_execute", note)
        assert coordinator.get("/admin/lms/").status_code == 200
        sa.event.remove(office.database.engine, "before_cursor_execute", note)
        return len(asked)

    before = questions()
    assert before > 0
    with office.database.write() as connection:
        for number in range(5):
            new = replace(PLATFORM, slug=f"lms-{number}", client_id=f"c-{number}")
            add_platform(connection, new, now=office.tool.clock.now())
    assert questions() == before
