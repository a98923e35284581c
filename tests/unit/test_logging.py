"""Records as lines of JSON."""

import io
import json
from datetime import UTC, datetime

import pytest
import structlog

from config.logging import configure_logging


def lines(*, for_good: bool = False) -> list[dict[str, object]]:
    out = io.StringIO()
    configure_logging(stream=out, for_good=for_good)
    log = structlog.get_logger()
    log.info("plain", name="Żammit \udc80", count=3)
    log.warning("odd", at=datetime(2026, 11, 24, tzinfo=UTC), error=ValueError("no"), many={"a": (1, 2)})
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("for_good", [False, True])
def test_a_record_is_a_line_of_json_whatever_is_in_it(for_good: bool) -> None:  # noqa: FBT001
    plain, odd = lines(for_good=for_good)
    assert (plain["event"], plain["name"], plain["count"], plain["level"]) == ("plain", "Żammit \udc80", 3, "info")
    assert str(plain["timestamp"]).endswith("Z")
    assert (odd["error"], odd["many"]) == ("ValueError('no')", {"a": [1, 2]})
    assert "2026" in str(odd["at"])
