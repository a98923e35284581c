"""`make bench`: what a launch and a check-in cost, as ratios to a floor that is measured in the same run.

The machines are noisy: the floor and the thing are measured in turns, and the ratio of their medians is what counts.
First the parts in one process, then launches on a real server beside a peer and a floor, then many launches at once.
Then Moodles: the calls of each job beside the naive way, and a thousand universities on one worker. Then exports, and
the pooled results in a full store. Then scores on their way to gradebooks. Each section says how long it took; one that
breaks does not keep the others from running. Noise fails nothing; a lost launch, one that asks the LMS for keys that we
have, a job that makes more calls than it may, a check-in that writes a pooled count, an export that grows in memory, or
a wrong cell in a gradebook does (exit status 1).
"""

import os
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.logging import quiet_logging
from series.store.database import Database
from series.store.migrate import migrate
from tests.benchmarks import burst, calendars, cost, deliveries, exports, moodles, pooled, protection, thousand
from tests.benchmarks.launches import Bench
from tests.benchmarks.servers import CAN_COUNT_CPU, ROOT, beside_the_servers
from tests.integration.lti.conftest import new_lms
from tests.integration.lti.lms import KeySets


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """All of it but the soak and the full store stays under some three minutes on two noisy cores; the soak takes about
    ten more, and BENCH_SOAKED in the environment makes it shorter. The full store takes about three; its completions
    are BENCH_COMPLETIONS, which may be 15000000."""

    rounds: int = 7
    times: int = 60  # a round
    passes: int = 7
    launches: int = 400  # a pass
    burst: int = 5000
    connections: int = 8
    readings: int = 7  # of a large calendar
    recurring: int = calendars.SERIES  # series in it, of four events each
    rated: int = 1300  # deliveries whose rate and CPU are measured; none: not at all
    soaked: int = 10_000  # deliveries to LMSs in trouble, in each configuration; none: not at all
    kills: int = 10
    moodles: int = 13  # whose calls and seconds are counted
    students: int = 300  # in the course of each
    thousand: int = 1000  # universities on one worker; none: not at all
    hanging: int = 50  # of them
    attacked: int = 1000  # series whose hidden numbers are attacked
    shares: int = 20  # series of each kind whose shown cells are counted
    pooled_series: int = 80  # of thirteen universities
    completions: int = 1_500_000  # in all of them
    pages: int = 60  # of pooled results
    crowd: int = 200  # who check in at once
    export_rows: tuple[int, int] = (5_000, 50_000)


@dataclass(frozen=True)
class Row:
    name: str
    floor_name: str
    thing: Callable[[], None]
    floor: Callable[[], None]


def main(folder: Path, sizes: Sizes) -> bool:
    """Print the tables; all files are made in `folder`. False when a launch was lost, or called out, or when a
    gradebook ended with a wrong cell."""
    begun, all_right = time.perf_counter(), True
    sections: dict[str, Callable[[Path, Sizes], bool]] = {
        "Launch and check-in, in one process": _print_parts,
        "A large calendar": _print_calendar,
        "Launches on real servers": _print_servers,
        "Scores, and what they cost": _print_rate,
        "Moodles": _print_moodles,
        "Pooled results in a full store, and exports": _print_pooled,
        "Scores to LMSs in trouble": _print_soak,
        "Protection of small groups": _print_protection,
    }
    for heading, section in sections.items():
        print(f"== {heading}\n", flush=True)
        section_begun = time.perf_counter()
        try:
            holds = section(folder, sizes)
        except Exception:  # the others are worth their time all the same
            traceback.print_exc(file=sys.stdout)
            holds = False
        all_right &= holds
        fails = "" if holds else "; THIS FAILS"
        print(f"\n({time.perf_counter() - section_begun:.0f} s{fails})\n", flush=True)
    print(
        f"All of it took {(time.perf_counter() - begun) / 60:.1f} min: {'all right' if all_right else 'NOT ALL RIGHT'}."
    )
    return all_right


def _print_calendar(_folder: Path, sizes: Sizes) -> bool:
    print(calendars.measure(rounds=sizes.readings, series=sizes.recurring).words())
    return True


def _print_rate(folder: Path, sizes: Sizes) -> bool:
    if CAN_COUNT_CPU and sizes.rated:
        print(deliveries.measure_rate(folder, deliveries=sizes.rated))
    return True


def _print_soak(folder: Path, sizes: Sizes) -> bool:
    return not sizes.soaked or deliveries.soak_all(folder, deliveries=sizes.soaked, kills=sizes.kills)


def _print_protection(_folder: Path, sizes: Sizes) -> bool:
    protection.print_shares(series=sizes.shares)
    return protection.attack(series=sizes.attacked)


def _print_moodles(folder: Path, sizes: Sizes) -> bool:
    """Whether each job made as few calls as it may."""
    url = f"sqlite:///{folder / 'moodles.db'}"
    migrate(Database(url))
    rows = moodles.measure(folder / "moodles", url, universities=sizes.moodles, students=sizes.students)
    print(f"{moodles.table(rows, universities=sizes.moodles, students=sizes.students)}")
    if sizes.thousand:
        measured = thousand.measure(folder / "thousand", universities=sizes.thousand, hanging=sizes.hanging)
        print(f"\n{measured.words()}")
    return all(row.holds for row in rows)


def _print_pooled(folder: Path, sizes: Sizes) -> bool:
    """Whether exports are flat, and no check-in writes a count; how long all takes is said, and left to the reader."""
    grown = exports.measure(sizes.export_rows)
    for one in grown:
        print(one.words())
    all_right = all(one.is_flat for one in grown)
    for measured in pooled.measure_all(
        folder, series=sizes.pooled_series, completions=sizes.completions, times=sizes.pages, people=sizes.crowd
    ):
        print(measured.words(), flush=True)
        all_right &= measured.statements == 0 and (measured.exported is None or measured.exported.is_flat)
    return all_right


def _print_parts(folder: Path, sizes: Sizes) -> bool:
    with Bench(folder, times=sizes.rounds * sizes.times) as bench:
        rows = [
            Row("verify an id_token, claims and all", "its bare RSA verification", bench.verify, bench.rsa_verify),
            Row("open a visit", "one insert (same database)", bench.open_visit, bench.quick_insert),
            Row("a whole launch, HTTP form to 303", "the same app's /healthz", bench.launch, bench.healthz),
            Row("a check-in: evidence to delivery", "one durable insert (same database)", bench.check_in, bench.insert),
        ]
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, medians of {sizes.rounds} rounds of {sizes.times}\n")
        print(f"{'what':36}{'µs':>10}{'floor':>40}{'µs':>10}{'ratio':>8}")
        for row in rows:
            thing, floor = _measure(row, sizes)
            print(f"{row.name:36}{thing:>10.0f}{row.floor_name:>40}{floor:>10.0f}{thing / floor:>8.1f}")
    return True


def _print_servers(folder: Path, sizes: Sizes) -> bool:
    key_sets = KeySets()
    try:
        with beside_the_servers():
            return _print_launches(folder, key_sets, sizes)
    finally:
        key_sets.stop()


def _print_launches(folder: Path, key_sets: KeySets, sizes: Sizes) -> bool:
    comparison = None
    if CAN_COUNT_CPU:
        comparison = cost.measure(folder, new_lms("malta", key_sets), passes=sizes.passes, launches=sizes.launches)
        print(
            f"server CPU in ms, one process on one core; {sizes.passes} passes of {sizes.launches} in turns, ", end=""
        )
        print(f"median (quartiles)\n\n{comparison.table()}")
    else:
        print("The CPU of a server can be counted on Linux only.")
    many = burst.measure(folder, new_lms("malta", key_sets), launches=sizes.burst, connections=sizes.connections)
    print(f"\n{many.words()}")
    if comparison:
        print(comparison.verdict())
    return many.holds and (comparison is None or comparison.key_set_requests == 0)


def _measure(row: Row, sizes: Sizes) -> tuple[float, float]:
    """Median µs of the thing and of its floor, in turns."""
    things, floors = [], []
    for _ in range(sizes.rounds):
        things.append(_time(row.thing, sizes.times))
        floors.append(_time(row.floor, sizes.times))
    return statistics.median(things), statistics.median(floors)


def _time(work: Callable[[], None], times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begun) / times * 1e6


if __name__ == "__main__":
    quiet_logging()
    build = ROOT / "build"  # on the disk, where /tmp may be memory
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as made:
        wanted = Sizes(
            soaked=int(os.environ.get("BENCH_SOAKED", Sizes.soaked)),
            completions=int(os.environ.get("BENCH_COMPLETIONS", Sizes.completions)),
        )
        holds = main(Path(made), wanted)
    sys.exit(not holds)
