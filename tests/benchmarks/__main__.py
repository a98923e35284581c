"""`make bench`: what a launch and a check-in cost, as ratios to a floor that is measured in the same run.

The machines are noisy: the floor and the thing are measured in turns, and the ratio of their medians is what counts.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.logging import quiet_logging
from tests.benchmarks.launches import Bench

ROUNDS, TIMES = 7, 60


@dataclass(frozen=True)
class Row:
    name: str
    floor_name: str
    thing: Callable[[], None]
    floor: Callable[[], None]


def main() -> None:
    quiet_logging()
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder), times=ROUNDS * TIMES) as bench:
        rows = [
            Row("verify an id_token, claims and all", "its bare RSA verification", bench.verify, bench.rsa_verify),
            Row("open a visit, durable", "one durable insert (same database)", bench.open_visit, bench.insert),
            Row("a whole launch, HTTP form to 303", "the same app's /healthz", bench.launch, bench.healthz),
            Row("a check-in: evidence to delivery", "one durable insert (same database)", bench.check_in, bench.insert),
        ]
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, medians of {ROUNDS} rounds of {TIMES}\n")
        print(f"{'what':36}{'µs':>10}{'floor':>40}{'µs':>10}{'ratio':>8}")
        for row in rows:
            thing, floor = _measure(row)
            print(f"{row.name:36}{thing:>10.0f}{row.floor_name:>40}{floor:>10.0f}{thing / floor:>8.1f}")


def _measure(row: Row) -> tuple[float, float]:
    """Median µs of the thing and of its floor, in turns."""
    things, floors = [], []
    for _ in range(ROUNDS):
        things.append(_time(row.thing))
        floors.append(_time(row.floor))
    return statistics.median(things), statistics.median(floors)


def _time(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    for _ in range(TIMES):
        work()
    return (time.perf_counter() - begun) / TIMES * 1e6


if __name__ == "__main__":
    main()
