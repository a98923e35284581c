"""Memory of an export: the same, however many rows it has."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lti_tool.spreadsheets import Cell, csv_pieces, xlsx_pieces

CELLS = 15  # thirteen universities, a name and a sum
FLAT_BYTES = 2_000_000  # more for ten times the rows: what is kept back before it goes to the disk is 1 MB


@dataclass(frozen=True, kw_only=True)
class Grown:
    """Most bytes that were in use at once, by rows."""

    format: str
    peaks: dict[int, int]

    @property
    def is_flat(self) -> bool:
        return max(self.peaks.values()) - min(self.peaks.values()) < FLAT_BYTES

    def words(self) -> str:
        peaks = ", ".join(f"{rows:,} rows {peak / 1e6:.2f} MB" for rows, peak in self.peaks.items())
        return f"{self.format} of {CELLS} columns, most memory at once: {peaks}: {'flat' if self.is_flat else 'GROWS'}"


def measure(sizes: Iterable[int]) -> list[Grown]:
    wanted = list(sizes)
    return [
        Grown(format="CSV", peaks={size: _peak(csv_pieces(_rows(size))) for size in wanted}),
        Grown(format="XLSX", peaks={size: _peak_of_xlsx(size) for size in wanted}),
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
