"""`make bench` works; what it measures is not asserted here."""

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import Sizes, main


def test_the_benchmarks_run_and_lose_no_launch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Sizes(
        rounds=1,
        times=1,
        passes=2,
        launches=30,
        burst=10,
        connections=2,
        readings=1,
        recurring=20,
        rated=0,
        soaked=0,
        moodles=2,
        students=4,
        thousand=0,
        attacked=2,
        shares=1,
        pooled_series=1,
        completions=6_000,
        pages=3,
        crowd=8,
        export_rows=(100, 1_000),
    )
    assert main(tmp_path, small)
    printed = capsys.readouterr().out
    assert "none lost, no outgoing calls" in printed
    assert printed.count("name a pooled table: 0") == 2  # on both databases
