"""Tables as CSV in pieces, so that they do not grow in memory with their rows.

No cell is a formula, whoever named a session or a university: https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

Cell = str | int | float | None
BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
ROWS_IN_PIECE = 500
BOM = "\ufeff"  # by which Excel knows UTF-8


def csv_pieces(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, some hundred rows at a time."""
    text = io.StringIO(newline="")
    text.write(BOM)
    writer = csv.writer(text)
    for number, row in enumerate(rows, start=1):
        writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in row])
        if number % ROWS_IN_PIECE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(BEGINS_FORMULA) else text
