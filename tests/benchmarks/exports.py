"""Memory of an export: the same, however many rows it has."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lti_tool.spreadsheets import Cell, csv_pieces, xlsx_pieces
from tests.benchmarks.servers import ROOT
from tests.conftest import PUBLIC_URL, make_environment

CELLS = 15  # thirteen universities, a name and a sum
FLAT_BYTES = 2_000_000  # more for ten times the rows: what is kept back before it goes to the disk is 1 MB


# Of a process itself: what the operating system tells its parent begins with the parent's own.
WITH_PEAK = """
import atexit, re
from lti_tool.cli import main
atexit.register(lambda: print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]))
main()
"""
FLAT_PROCESS_BYTES = 30_000_000  # more for a whole process, whose database keeps pages at hand


@dataclass(frozen=True, kw_only=True)
class Grown:
    """Most bytes that were in use at once, by rows."""

    format: str
    peaks: dict[int, int]
    flat_bytes: int = FLAT_BYTES

    @property
    def is_flat(self) -> bool:
        return max(self.peaks.values()) - min(self.peaks.values()) < self.flat_bytes

    def words(self) -> str:
        peaks = ", ".join(f"{rows:,} rows {peak / 1e6:.2f} MB" for rows, peak in self.peaks.items())
        return f"{self.format}, most memory at once: {peaks}: {'flat' if self.is_flat else 'GROWS'}"


def measure(sizes: Iterable[int]) -> list[Grown]:
    wanted = list(sizes)
    return [
        Grown(format=f"CSV of {CELLS} columns", peaks={size: _peak(csv_pieces(_rows(size))) for size in wanted}),
        Grown(format=f"XLSX of {CELLS} columns", peaks={size: _peak_of_xlsx(size) for size in wanted}),
    ]


def _rows(size: int) -> Iterator[list[Cell]]:
    for number in range(size):
        yield [f"Session {number}", *(cell + number for cell in range(CELLS - 1))]


def _peak_of_xlsx(size: int) -> int:
    def made() -> Iterator[bytes]:
        yield from xlsx_pieces([("Results", _rows(size))])

    return _peak(made())


def _peak(pieces: Iterator[bytes]) -> int:
    tracemalloc.start()
    try:
        for _ in pieces:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measure_stores(kind: str, urls: Iterable[str], folder: Path) -> Grown:
    """What `lti-tool export completions` takes for one series of each store, all of the process. Linux only."""
    peaks = dict(_peak_of_process(url, folder / "completions.csv") for url in urls)
    return Grown(format=f"export of one series, {kind}, whole process", peaks=peaks, flat_bytes=FLAT_PROCESS_BYTES)


def _peak_of_process(url: str, written: Path) -> tuple[int, int]:
    """Rows, and bytes."""
    command = [sys.executable, "-c", WITH_PEAK, "export", "completions", "series-1", "--output", str(written)]
    environment = make_environment(PUBLIC_URL, url)
    said = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    with written.open("rb") as lines:
        rows = sum(1 for _ in lines) - 1
    written.unlink()  # an export writes over nothing
    return rows, int(said) * 1024
