"""When the numbers of others are renewed: for everybody at once, however often somebody looks, and whoever runs it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

STEP_HOUR = 4  # on Mondays, on the clocks of the series
STEPS_AFTER_END = timedelta(weeks=26)  # well before retention takes away what is counted


def step_due_at(now: datetime, zone: str) -> datetime:
    """The last Monday morning that is not after `now` (aware UTC)."""
    local = now.astimezone(ZoneInfo(zone))
    monday = local.replace(hour=STEP_HOUR, minute=0, second=0, microsecond=0, fold=0) - timedelta(days=local.weekday())
    return (monday if monday <= local else monday - timedelta(weeks=1)).astimezone(UTC)


def next_step_at(now: datetime, zone: str) -> datetime:
    """The first Monday morning after `now` (aware UTC)."""
    due = step_due_at(now, zone).astimezone(ZoneInfo(zone))
    return (due + timedelta(weeks=1)).astimezone(UTC)


def month_of(start_at: datetime, zone: str) -> str:
    """As in series.pooled.Block: "2026-11"."""
    return start_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
