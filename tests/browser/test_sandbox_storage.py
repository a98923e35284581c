"""The platform storage of the pretend LMSs, asked from a tool's frame: https://www.imsglobal.org/spec/lti-pm-s/v0p1"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page

from config.clock import Clock
from sandbox_lms.campus import MALTA, STORAGE_FRAME, Campus
from sandbox_lms.server import Sandbox
from tests.browser.people import sign_in
from tests.browser.probe import serve_probe

pytestmark = pytest.mark.browser
KINDS: dict[str, dict[str, Any]] = {
    "parent": {"platform_storage": "parent"},
    "frame": {"platform_storage": "frame"},
    "nested": {"platform_storage": "frame", "nests_frames": True},
    "legacy": {"platform_storage": "parent", "storage_dialect": "legacy"},
}

# Post the messages to a window `up` steps above, or to a frame in there; the first answer to the last of them ends it.
ASK = """({up, frame, messages, origin}) => new Promise((resolve) => {
  let target = window;
  for (let step = 0; step < up; step += 1) target = target.parent;
  if (frame) target = target.frames[frame];
  const answers = [], last = `m${messages.length - 1}`;
  addEventListener("message", function hear(event) {
    if (event.source !== target || event.origin !== origin) return;
    answers.push(event.data);
    if (event.data.message_id !== last) return;
    removeEventListener("message", hear);
    resolve(answers);
  });
  messages.forEach((message, number) => target.postMessage({ message_id: `m${number}`, ...message }, origin));
})"""
ADD_FRAME = "(src) => document.body.append(Object.assign(document.createElement('iframe'), { src }))"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A blank page of the tool in an activity of an LMS, and where the LMS's storage is: a frame there, or above it."""

    page: Page
    lms: str
    storage_frame: str | None

    @property
    def window(self) -> Frame:
        return next(frame for frame in self.page.frames if "/lti/login" in frame.url)

    def ask(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        """What the storage answers. The last message must be one that is answered."""
        return self.ask_from(self.window, *messages, frame=self.storage_frame)

    def ask_from(
        self, window: Frame, *messages: dict[str, Any], frame: str | None = None, up: int = 1
    ) -> list[dict[str, Any]]:
        question = {"up": up, "frame": frame, "messages": messages, "origin": self.lms}
        answers: list[dict[str, Any]] = window.evaluate(ASK, question)
        return answers


@pytest.fixture(scope="module")
def campuses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Campus]]:
    made = [replace(MALTA, slug=slug, port=0, **attributes) for slug, attributes in KINDS.items()]
    with serve_probe() as port:
        tool_url = f"http://localhost:{port}"
        with Sandbox(tmp_path_factory.mktemp("sandbox"), made, tool_url, Clock()) as sandbox:
            yield sandbox.campuses


@pytest.fixture(scope="module")
def page(browser: Browser, campuses: dict[str, Campus]) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    for campus in campuses.values():
        sign_in(page, campus.url, "Maria Vella")
    yield page
    context.close()


def open_tool(page: Page, campus: Campus) -> Tool:
    """A new page of the LMS, where nothing is stored yet."""
    page.goto(f"{campus.url}/activity/1")  # ends when its frames have loaded, too
    name = STORAGE_FRAME if campus.platform_storage == "frame" else None
    return Tool(page=page, lms=campus.url, storage_frame=name)


@pytest.fixture(params=["parent", "frame", "nested"])
def tool(request: pytest.FixtureRequest, page: Page, campuses: dict[str, Campus]) -> Tool:
    return open_tool(page, campuses[request.param])


def put(key: Any, value: Any = None) -> dict[str, Any]:
    return {"subject": "lti.put_data", "key": key, "value": value}


def get(key: Any) -> dict[str, Any]:
    return {"subject": "lti.get_data", "key": key}


def error_of(answer: dict[str, Any]) -> str:
    return str(answer["error"]["code"])


def test_a_value_comes_back_until_it_is_taken_away(tool: Tool) -> None:
    assert tool.ask(get("state"), put("state", "abc"), get("state"), put("state"), get("state")) == [
        {"subject": "lti.get_data.response", "message_id": "m0", "key": "state", "value": None},
        {"subject": "lti.put_data.response", "message_id": "m1", "key": "state", "value": "abc"},
        {"subject": "lti.get_data.response", "message_id": "m2", "key": "state", "value": "abc"},
        {"subject": "lti.put_data.response", "message_id": "m3", "key": "state", "value": None},
        {"subject": "lti.get_data.response", "message_id": "m4", "key": "state", "value": None},
    ]


def test_the_window_above_says_what_is_answered_and_where(tool: Tool) -> None:
    (answer,) = tool.ask_from(tool.window, {"subject": "lti.capabilities"})
    where = {"frame": tool.storage_frame} if tool.storage_frame else {}
    assert (answer["subject"], answer["message_id"]) == ("lti.capabilities.response", "m0")
    assert answer["supported_messages"] == [
        {"subject": "lti.capabilities"},
        {"subject": "lti.put_data", **where},
        {"subject": "lti.get_data", **where},
    ]


def test_what_is_not_answered_here_is_refused(tool: Tool) -> None:
    unknown = {"subject": "lti.close"}
    not_here = {"subject": "lti.capabilities"} if tool.storage_frame else unknown
    assert [error_of(answer) for answer in tool.ask(unknown, not_here)] == ["unsupported_subject"] * 2
    if tool.storage_frame:
        (answer,) = tool.ask_from(tool.window, put("state", "abc"))
        assert error_of(answer) == "unsupported_subject"


def test_no_origin_learns_the_values_of_another(tool: Tool) -> None:
    tool.ask(put("state", "abc"))
    with serve_probe() as port:
        other = f"http://localhost:{port}/other"
        with tool.page.expect_event("framenavigated", lambda frame: frame.url == other) as navigated:
            tool.window.evaluate(ADD_FRAME, other)
        asked = tool.ask_from(
            navigated.value, get("state"), put("state", "of the other"), up=2, frame=tool.storage_frame
        )
    assert asked[0]["value"] is None
    assert tool.ask(get("state"))[0]["value"] == "abc"


def test_what_is_too_long_or_no_text_is_not_kept(tool: Tool) -> None:
    full, too_long = "x" * (4096 - len("state")), "x" * 4096
    answers = tool.ask(
        put("state", too_long), put("state", full), put(7, "abc"), put("state", 7), get(None), get("state")
    )
    errors = [error_of(answer) if "error" in answer else None for answer in answers]
    assert errors == ["storage_exhaustion", None, "bad_request", "bad_request", "bad_request", None]
    assert answers[-1]["value"] == full


def test_an_origin_may_keep_so_many_values_and_no_more(tool: Tool) -> None:
    answers = tool.ask(*(put(f"key {number}", "abc") for number in range(501)), put("key 0", "new"), get("key 500"))
    assert [number for number, answer in enumerate(answers) if "error" in answer] == [500]
    assert error_of(answers[500]) == "storage_exhaustion"
    assert answers[-1]["value"] is None


def test_messages_without_an_id_or_of_others_are_not_answered(tool: Tool) -> None:
    stray: list[dict[str, Any]] = [
        {"subject": "lti.frameResize", "message_id": 7},
        {"subject": "lti.put_data.response"},
        {"subject": None},
        {"subject": "org.imsglobal.lti.get_data", "key": "state"},
    ]
    (answer,) = tool.ask(*stray, get("state"))
    assert answer["message_id"] == "m4"


def test_an_old_lms_knows_the_old_names_only(page: Page, campuses: dict[str, Campus]) -> None:
    old = "org.imsglobal.lti."
    messages = [put("state", "abc"), {"subject": f"{old}put_data", "key": "state", "value": "old"}]
    asked = [{"subject": f"{old}capabilities"}, get("state"), {"subject": f"{old}get_data", "key": "state"}]
    stored, capable, got = open_tool(page, campuses["legacy"]).ask(*messages, *asked)
    assert (stored["subject"], stored["value"]) == (f"{old}put_data.response", "old")
    assert [message["subject"] for message in capable["supported_messages"]] == [
        f"{old}capabilities",
        f"{old}put_data",
        f"{old}get_data",
    ]
    assert got["value"] == "old"
