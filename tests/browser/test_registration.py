"""An administrator connects their LMS alone: each product as the sandbox plays it, in a real browser."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from sandbox_lms.demo_programs import Programs, make_environment
from sandbox_lms.registered_tools import all_tools
from tests.browser.conftest import Chromium
from tests.browser.people import looks_right, open_in_frame, sign_in, tool_looks_right
from tests.browser.world import World, serve_world

pytestmark = pytest.mark.browser
IN_FRAMES = {"canvas": "Canvas", "blackboard": "Blackboard", "sakai": "Sakai"}
RITA, MARIA = "Rita Azzopardi", "Maria Vella"


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A university with one LMS, and the operator's commands."""

    world: World
    programs: Programs

    @property
    def lms(self) -> str:
        return self.world.campus("plain").url

    def play(self, product: str, *faults: str) -> None:
        self.world.sandbox.switches["plain"].set(registers_as=product, registration_faults=faults)

    def invite(self, *options: str) -> str:
        said = self.programs.run("lti-tool", "platform", "invite", "plain", "--json", *options)
        return str(json.loads(said)["link"])

    def newest_client_id(self) -> str:
        return all_tools(self.world.sandbox.sites["plain"])[-1].client_id


@pytest.fixture(scope="module")
def partner(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    """Asks for Chromium, so that nothing is started where there is none."""
    folder = tmp_path_factory.mktemp("registration")
    with serve_world(folder, {"plain": {}}) as world:
        yield Partner(
            world=world, programs=Programs(folder=folder, environment=make_environment(folder, world.tool_url))
        )


def _paste(page: Page, partner: Partner, link: str) -> None:
    """Into the LMS, as its administrator."""
    page.get_by_role("link", name="Tools").click()
    page.get_by_label("Registration URL").fill(link)
    page.get_by_role("button", name="Register the tool").click()


def _connect(page: Page, document: FrameLocator | Page, product: str) -> None:
    expect(document.get_by_role("heading", name=f"Connect {product} with Shared Sessions?")).to_be_visible()
    looks_right(page)
    document.get_by_role("button", name="Connect").click()
    expect(document.get_by_role("heading", name=f"{product} is connected")).to_be_visible()
    expect(document.get_by_role("heading", name=f"What is left to do in {product}")).to_be_visible()
    looks_right(page)


def _activate(page: Page, partner: Partner) -> None:
    entry = page.get_by_role("listitem").filter(has_text=partner.newest_client_id())
    entry.get_by_role("button", name="Activate").click()
    expect(page.get_by_role("listitem").filter(has_text=partner.newest_client_id())).to_contain_text("active")


def _a_student_gets_in(page: Page, partner: Partner) -> None:
    sign_in(page, partner.lms, MARIA)
    frame = open_in_frame(page)
    expect(frame.get_by_role("heading", name="All sessions")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 320])
def test_moodle_is_connected_in_its_own_frame(partner: Partner, new_page: Callable[..., Page], width: int) -> None:
    partner.play("moodle")
    link, page = partner.invite("--approve"), new_page(width)
    page.goto(link)
    looks_right(page)
    page.get_by_role("link", name="Moodle").click()
    expect(page.get_by_label("Your link")).to_have_value(link)
    expect(page.get_by_role("button", name="Your link")).to_be_visible()
    tool_looks_right(page)
    sign_in(page, partner.lms, RITA)
    _paste(page, partner, link)
    frame = page.frame_locator("iframe.tool")
    _connect(page, frame, "Moodle")
    expect(frame.get_by_text("press “Activate” on the card of Shared Sessions")).to_be_visible()
    expect(frame.get_by_text("Show in activity chooser")).to_be_visible()
    expect(frame.get_by_text("Completion is off for new activities")).to_be_visible()
    frame.get_by_role("button", name="Close this page").click()
    expect(page.get_by_role("heading", name="External tools")).to_be_visible()
    _activate(page, partner)
    _a_student_gets_in(new_page(width), partner)


@pytest.mark.parametrize(("product", "name"), IN_FRAMES.items())
def test_others_are_connected_in_a_frame(
    partner: Partner, new_page: Callable[..., Page], product: str, name: str
) -> None:
    partner.play(product)
    page = new_page()
    sign_in(page, partner.lms, RITA)
    _paste(page, partner, partner.invite("--approve"))
    frame = page.frame_locator("iframe.tool")
    _connect(page, frame, name)
    frame.get_by_role("button", name="Close this page").click()
    _activate(page, partner)


def test_brightspace_is_connected_in_a_tab_of_its_own(partner: Partner, new_page: Callable[..., Page]) -> None:
    partner.play("brightspace")
    page = new_page()
    sign_in(page, partner.lms, RITA)
    _paste(page, partner, partner.invite("--approve"))
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open the tool's registration").click()
    tab = popup.value
    _connect(tab, tab, "Brightspace")
    tab.get_by_role("button", name="Close this page").click()
    tab.wait_for_event("close") if not tab.is_closed() else None
    _activate(page, partner)


def test_a_launch_before_the_approval_says_who_has_to_do_what(partner: Partner, new_page: Callable[..., Page]) -> None:
    partner.play("generic")  # needs no activation
    page = new_page(320)
    sign_in(page, partner.lms, RITA)
    _paste(page, partner, partner.invite())
    frame = page.frame_locator("iframe.tool")
    frame.get_by_role("button", name="Connect").click()
    expect(frame.get_by_text("The coordinator of the series still has to approve it.")).to_be_visible()
    looks_right(page)
    student = new_page(320)
    sign_in(student, partner.lms, MARIA)
    refused = open_in_frame(student)
    expect(refused.get_by_text("the coordinator has not approved it yet")).to_be_visible()
    looks_right(student)
    rows = json.loads(partner.programs.run("lti-tool", "platform", "list", "--json"))
    (waiting,) = [row["slug"] for row in rows if row["state"] == "pending"]
    partner.programs.run("lti-tool", "platform", "approve", waiting)


def test_what_comes_to_nothing_is_said_inside_the_lms(partner: Partner, new_page: Callable[..., Page]) -> None:
    partner.play("moodle", "html_registration")
    page = new_page(320)
    sign_in(page, partner.lms, RITA)
    _paste(page, partner, partner.invite())
    frame = page.frame_locator("iframe.tool")
    frame.get_by_role("button", name="Connect").click()
    expect(frame.get_by_role("heading", name="Nothing was connected")).to_be_visible()
    looks_right(page)


def test_the_coordinator_makes_approves_and_takes_back(partner: Partner, new_page: Callable[..., Page]) -> None:
    page = new_page(320)
    _coordinator_signs_in(page, partner)
    page.goto(f"{partner.world.tool_url}/admin/lms/plain/connect/")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("status").first).to_contain_text("Send it to the administrator")
    tool_looks_right(page)
    link = page.get_by_label("Link for the LMS's administrator").first.input_value()
    partner.play("generic")
    lms = new_page()
    sign_in(lms, partner.lms, RITA)
    _paste(lms, partner, link)
    frame = lms.frame_locator("iframe.tool")
    frame.get_by_role("button", name="Connect").click()
    expect(frame.get_by_text("still has to approve it")).to_be_visible()
    page.goto(f"{partner.world.tool_url}/admin/")
    page.get_by_role("listitem").filter(has_text="its LMS has registered").get_by_role("link").first.click()
    tool_looks_right(page)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status").first).to_contain_text("Approved")
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("link", name="Take it back").first.click()
    tool_looks_right(page)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").first).to_contain_text("Taken back")
    page.get_by_role("link", name="Connect by hand").click()
    tool_looks_right(page)


def _coordinator_signs_in(page: Page, partner: Partner) -> None:
    email, password = "maria@example.org", "correct horse battery staple"
    said = partner.programs.run("lti-tool", "admin", "create", email, "--name", "Maria Borg", "--role", "coordinator")
    page.goto(next(word for word in said.split() if "/admin/set-up/" in word))
    for field in page.locator("input[type=password]").all():
        field.fill(password)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


@pytest.mark.parametrize("product", ["moodle", "canvas", "brightspace", "blackboard", "sakai", "generic"])
def test_the_steps_of_each_product_and_the_form_by_hand_fit(
    partner: Partner, new_page: Callable[..., Page], product: str
) -> None:
    link, page = partner.invite(), new_page(320)
    page.goto(f"{link}?lms={product}")
    page.get_by_text("By hand, if the link does not work").click()
    tool_looks_right(page)
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()
    tool_looks_right(page)
