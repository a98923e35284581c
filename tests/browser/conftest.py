"""The whole demo as a person starts it, and a real Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from sandbox_lms.demo import PORTS
from tests.browser.classroom import Classroom, open_classroom
from tests.browser.cookie_modes import CookieMode, browser_of, open_with_cookies
from tests.browser.world import World, serve_world
from tests.databases import Databases

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 90
PATIENCE_MS = 15_000  # for what is clicked and for what is expected: three browsers share two cores
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Demo:
    """A running `make demo`."""

    port: int
    folder: Path
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def tool(self) -> str:
        return f"http://localhost:{self.port + 1}"

    @property
    def malta(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def vilnius(self) -> str:
        return f"http://127.0.0.1:{self.port + 3}"


def start_demo(folder: Path, port: int) -> Demo:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox_lms.demo", "--data", str(folder), "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            return Demo(port=port, folder=folder, process=process)
    raise AssertionError("the demo did not start: " + "".join(said))


def stop_demo(demo: Demo, ending: int = signal.SIGINT) -> str:
    """What it said at the end."""
    demo.process.send_signal(ending)
    said, _ = demo.process.communicate(timeout=40)
    return said


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    for first in range(20_000 + os.getpid() % 1000 * 10, 60_000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                sockets.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in sockets:
                probe.close()
    raise AssertionError("no free ports")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = start_demo(tmp_path_factory.mktemp("demo"), free_ports(PORTS))
    yield started
    stop_demo(started)
    assert started.process.returncode == 0


@dataclass(frozen=True)
class Chromium:
    """The system's Chromium, and what drives it."""

    playwright: Playwright
    executable: str


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("There is no Chromium, and CI must not skip what a person sees.")
        pytest.skip("BROWSER TESTS SKIPPED: there is no Chromium here. Install the package chromium.")
    with sync_playwright() as playwright:
        yield Chromium(playwright, executable)


@pytest.fixture(scope="session")
def browser(chromium: Chromium) -> Iterator[Browser]:
    opened = chromium.playwright.chromium.launch(
        executable_path=chromium.executable, args=["--disable-background-networking"]
    )
    yield opened
    opened.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages of separate people: each has cookies of its own."""
    contexts = []

    def make(width: int = 1280, zone: str = "Europe/Berlin", scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, timezone_id=zone, locale="en-GB", color_scheme=scheme
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def browsers(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[CookieMode], Browser]]:
    """One browser for each cookie mode, opened when it is asked for."""
    opened: dict[CookieMode, BrowserContext] = {}

    def of(mode: CookieMode) -> Browser:
        if mode not in opened:
            profile = tmp_path_factory.mktemp(f"cookies-{mode}")
            opened[mode] = open_with_cookies(chromium.playwright, chromium.executable, mode, profile)
        return browser_of(opened[mode])

    yield of
    for context in opened.values():
        context.close()


@pytest.fixture
def new_person(browsers: Callable[[CookieMode], Browser]) -> Iterator[Callable[[CookieMode], BrowserContext]]:
    """The browsers of separate people: each has cookies of its own, and keeps those of its mode."""
    contexts = []

    def make(mode: CookieMode) -> BrowserContext:
        context = browsers(mode).new_context(timezone_id="Europe/Malta", locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def world(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Asks for Chromium, so that nothing is started where there is none."""
    with serve_world(tmp_path_factory.mktemp("world")) as served:
        yield served


@pytest.fixture(scope="module")
def classroom(browser: Browser, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """Asks for the browser, so that nothing is started where there is none."""
    with databases.fresh("sqlite") as url, open_classroom(tmp_path_factory.mktemp("classroom"), url) as opened:
        yield opened
