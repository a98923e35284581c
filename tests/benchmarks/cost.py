"""What a launch costs the server: CPU of one process on one core, in turns with the peer and the floor."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from tests.benchmarks import floor, known_lms
from tests.benchmarks.browser import Browser, sign
from tests.benchmarks.servers import Server, granian, serve
from tests.benchmarks.the_tool import set_up
from tests.integration.lti.lms import Lms
from tests.ports import free_port

A = TypeVar("A")
B = TypeVar("B")
TOOL, PEER, FLOOR = "Shared Sessions", "PyLTI1p3 2.0.0, in memory", "bare floor, durable"
QUICK_FLOOR = "bare floor, not waiting"  # for the disk: nor does our launch, which anybody can repeat
PEER_AIM, PEER_ACCEPTED, FLOOR_AIM = 1.0, 1.25, 1.5  # times the peer's, and the floor's, CPU for a launch


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Server CPU for each of a batch, in ms. Only our tool has a check step."""

    login: float
    check: float
    launch: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    low: float  # quartile
    median: float
    high: float  # quartile

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low=low, median=median, high=high)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One Cost a pass for each target."""

    costs: Mapping[str, Sequence[Cost]]
    key_set_requests: int  # after the warm-up

    def table(self) -> str:
        lines = [f"{'':28}{'login':>20}{'check':>20}{'launch':>20}{'our launch / its':>24}"]
        for name, costs in self.costs.items():
            columns = [[cost.login for cost in costs], [cost.check for cost in costs], [cost.launch for cost in costs]]
            spreads = [str(Spread.of(column)) if any(column) else "" for column in columns]
            ratio = "" if name == TOOL else str(self.ratio_to(name))
            lines.append(f"{name:28}" + "".join(f"{text:>20}" for text in spreads) + f"{ratio:>24}")
        return "\n".join(lines)

    def ratio_to(self, name: str) -> Spread:
        """Of launches in the same pass, so that a slow minute counts for both."""
        pairs = zip(self.costs[TOOL], self.costs[name], strict=True)
        return Spread.of([ours.launch / other.launch for ours, other in pairs])

    def verdict(self) -> str:
        peer, bare, quick = (self.ratio_to(name).median for name in (PEER, FLOOR, QUICK_FLOOR))
        holds = "holds" if peer <= PEER_AIM else "is accepted" if peer <= PEER_ACCEPTED else "does not hold"
        return (
            f"A launch costs {peer:.2f} times PyLTI1p3's (aim {PEER_AIM}, accepted {PEER_ACCEPTED}): this {holds}. "
            f"It costs {bare:.2f} times the floor's (aim {FLOOR_AIM}): "
            f"this {'holds' if bare <= FLOOR_AIM else 'does not hold'}. "
            f"Beside the floor that does not wait for the disk either: {quick:.2f}."
        )


def measure(folder: Path, lms: Lms, *, passes: int, launches: int) -> Comparison:
    """Every launch must be answered by 303."""
    costs: dict[str, list[Cost]] = {TOOL: [], PEER: [], FLOOR: [], QUICK_FLOOR: []}
    with _servers(folder, lms) as servers:
        for server in servers.values():
            _batch(server, lms, launches=20)  # imports, caches, the LMS's keys
        asked = lms.times_asked_for_keys
        for _ in range(passes):
            for name, server in servers.items():
                costs[name].append(_batch(server, lms, launches=launches))
    return Comparison(costs=costs, key_set_requests=lms.times_asked_for_keys - asked)


@contextmanager
def _servers(folder: Path, lms: Lms) -> Iterator[dict[str, Server]]:
    known = known_lms.to_environment(lms)
    apps = {
        TOOL: ("lti_tool.wsgi:app", set_up(folder / "cost.db", lms)),
        PEER: ("tests.benchmarks.peer:make_app", known),
        FLOOR: ("tests.benchmarks.floor:make_app", known | _floor(folder, "FULL")),
        QUICK_FLOOR: ("tests.benchmarks.floor:make_app", known | _floor(folder, "NORMAL")),
    }
    with ExitStack() as stack:
        servers = {}
        for name, (app, environment) in apps.items():
            port, log = free_port(), folder / f"{name}.log"
            servers[name] = stack.enter_context(serve(granian(app, port=port), environment, port=port, log=log))
        yield servers


def _floor(folder: Path, synchronous: str) -> dict[str, str]:
    return {floor.DATABASE: f"sqlite:///{folder}/floor-{synchronous}.db", floor.SYNCHRONOUS: synchronous}


def _batch(server: Server, lms: Lms, *, launches: int) -> Cost:
    with closing(Browser(server.port)) as browser:
        started, login = _timed(server, browser.start_login, [lms] * launches)
        at_lms, check = _timed(server, browser.reach_lms, started)
        signed = [sign(lms, step, number) for number, step in enumerate(at_lms)]
        statuses, launch = _timed(server, browser.launch, signed)
    assert set(statuses) == {303}, f"launches were answered by {set(statuses)}:\n{server.log.read_text()[-4000:]}"
    return Cost(login=login, check=check, launch=launch)


def _timed(server: Server, ask: Callable[[A], B], batch: Sequence[A]) -> tuple[list[B], float]:
    """The answers, and the server's CPU for each in ms."""
    begun = server.cpu_s()
    answers = [ask(one) for one in batch]
    return answers, (server.cpu_s() - begun) / len(batch) * 1000
