"""The clock that a test moves while programs and threads read it."""

from datetime import timedelta

from config.clock import Clock


def move_clock(clock: Clock, *, by: timedelta) -> None:
    """At one blow: a file that is being written is empty for a moment, and who reads it then lives in another time."""
    assert clock.offset_file is not None
    fresh = clock.offset_file.with_name(f"{clock.offset_file.name}.new")
    fresh.write_text(str((clock.offset() + by).total_seconds()))
    fresh.replace(clock.offset_file)
