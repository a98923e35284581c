"""Many launches at once, as when a lecture begins: none may be lost, and none may call out."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from itertools import chain
from pathlib import Path

from tests.benchmarks.browser import Browser, SignedLaunch, sign
from tests.benchmarks.servers import BIN, serve
from tests.benchmarks.the_tool import set_up
from tests.integration.lti.lms import Lms
from tests.ports import free_port


@dataclass(frozen=True, kw_only=True)
class Burst:
    launches: int
    connections: int
    opened: int
    per_s: float
    p50_ms: float
    p99_ms: float
    key_set_requests: int

    @property
    def holds(self) -> bool:
        return self.opened == self.launches and self.key_set_requests == 0

    def words(self) -> str:
        lost = self.launches - self.opened
        return (
            f"burst: {self.launches} launches over {self.connections} connections, {self.per_s:.0f} a second, "
            f"p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms; {lost or 'none'} lost, "
            f"{self.key_set_requests or 'no'} outgoing calls"
        )


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int | None  # None: the connection broke
    seconds: float


def measure(folder: Path, lms: Lms, *, launches: int, connections: int) -> Burst:
    """The logins are made before, and one launch has made the LMS's keys known."""
    port = free_port()
    command = [str(BIN / "lti-tool"), "serve", "--port", str(port)]
    with serve(command, set_up(folder / "burst.db", lms), port=port, log=folder / "serve.log"):
        first, *prepared = _prepare(port, lms, launches + 1)
        (warm_up,) = _launch_all(port, [first])
        assert warm_up.status == 303, f"the first launch was answered by {warm_up.status}"
        asked, begun = lms.times_asked_for_keys, time.perf_counter()
        with ThreadPoolExecutor(connections) as threads:
            shares = [prepared[number::connections] for number in range(connections)]
            answers = list(chain.from_iterable(threads.map(partial(_launch_all, port), shares)))
        elapsed = time.perf_counter() - begun
    percentiles = statistics.quantiles([answer.seconds * 1000 for answer in answers], n=100, method="inclusive")
    return Burst(
        launches=launches,
        connections=connections,
        opened=sum(answer.status == 303 for answer in answers),
        per_s=launches / elapsed,
        p50_ms=percentiles[50 - 1],
        p99_ms=percentiles[99 - 1],
        key_set_requests=lms.times_asked_for_keys - asked,
    )


def _prepare(port: int, lms: Lms, launches: int) -> list[SignedLaunch]:
    """All logins first, then all tokens, so that the last token is launched while it is young."""
    with closing(Browser(port)) as browser:
        at_lms = [browser.reach_lms(browser.start_login(lms)) for _ in range(launches)]
    return [sign(lms, step, number) for number, step in enumerate(at_lms)]


def _launch_all(port: int, share: Sequence[SignedLaunch]) -> list[Answer]:
    """One after the other on one connection."""
    with closing(Browser(port)) as browser:
        return [_launch(browser, signed) for signed in share]


def _launch(browser: Browser, signed: SignedLaunch) -> Answer:
    """Sent once: a launch that is not answered is lost."""
    begun = time.perf_counter()
    try:
        status = browser.launch(signed)
    except (OSError, HTTPException):
        browser.close()  # the next one connects anew
        status = None
    return Answer(status=status, seconds=time.perf_counter() - begun)
