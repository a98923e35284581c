"""The bytes behind a series' source: a file, or an https or webcal address, asked conditionally where that may help."""

import hashlib
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from lms.errors import LmsError
from lms.guarded import CALENDAR_MAX_BYTES, Answer, GuardedSession
from moodle_sync.errors import SourceUnreadable
from series.store.calendar_sources import CalendarSource

ACCEPT = "text/calendar, text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, */*;q=0.5"
TRUST_FOR = timedelta(hours=24)  # after that the whole body is asked for, whatever the validators say
LONGEST_WAIT = timedelta(hours=6)
FIRST_WAIT = timedelta(minutes=1)
_SAYS = {
    401: "asks for a password; use the calendar's secret or public address",
    403: "refuses us; use the calendar's secret or public address",
    404: "has no calendar at this address (any more)",
    410: "has no calendar at this address any more",
    429: "is asked too often; we wait as long as it says",
}


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """`body` is None when it is as it was read last. `state` is to be kept once the body was read well."""

    body: bytes | None
    state: CalendarSource


def fetch(http: GuardedSession, before: CalendarSource, *, now: datetime) -> Fetched:
    """Raises SourceUnreadable."""
    well = replace(before, failing_since=None, failures=0, reason=None, next_fetch_at=None)
    trusted = before.read_at is not None and now - before.read_at < TRUST_FOR
    if "://" not in before.source:
        body = _read_file(Path(before.source))
    else:
        answer = _ask(http, before if trusted else CalendarSource(source=before.source))
        if answer.status == 304 and trusted:
            return Fetched(body=None, state=well)
        body = answer.body
        well = replace(well, etag=_header(answer, "ETag", 255), last_modified=_header(answer, "Last-Modified", 64))
    digest = hashlib.sha256(body).hexdigest()
    if trusted and digest == before.body_hash:
        return Fetched(body=None, state=well)
    return Fetched(body=body, state=replace(well, body_hash=digest, read_at=now))


def failed(before: CalendarSource, error: Exception, *, now: datetime) -> CalendarSource:
    """What to keep of a fetch that came to nothing: why, since when, and how long to wait; longer each time, and never
    as long as everybody else."""
    doubled = FIRST_WAIT * 2 ** min(before.failures, 16)
    wait = min(doubled, LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, hides nothing
    asked_s = error.retry_after_s if isinstance(error, SourceUnreadable) else None
    if asked_s is not None:
        wait = max(wait, min(timedelta(seconds=asked_s), timedelta(days=1)))
    return replace(
        before,
        failing_since=before.failing_since or now,
        failures=before.failures + 1,
        reason=str(error)[:1000],
        next_fetch_at=now + wait,
    )


def _ask(http: GuardedSession, known: CalendarSource) -> Answer:
    url = "https://" + known.source.removeprefix("webcal://") if known.source.startswith("webcal://") else known.source
    headers = {"Accept": ACCEPT}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    try:
        answer = http.get(url, headers=headers, max_bytes=CALENDAR_MAX_BYTES, max_redirects=3)
    except LmsError as error:
        raise SourceUnreadable(f"The calendar cannot be fetched: {error} Nothing was changed.") from error
    if not answer.ok and answer.status != 304:
        says = _SAYS.get(answer.status, f"answered with status {answer.status}")
        raise SourceUnreadable(
            f"The calendar cannot be fetched: {answer.host} {says}. Nothing was changed.",
            retry_after_s=answer.retry_after_s,
        )
    return answer


def _header(answer: Answer, name: str, longest: int) -> str | None:
    """A validator, if it is one that we can send back as it came."""
    value = answer.headers.get(name, "").strip()
    return value if 0 < len(value) <= longest and value.isascii() and value.isprintable() else None


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(CALENDAR_MAX_BYTES + 1)
    except OSError as error:
        raise SourceUnreadable(f"The calendar file {path} cannot be read: {error.strerror}.") from error
    if len(body) > CALENDAR_MAX_BYTES:
        raise SourceUnreadable(f"The calendar file {path} is larger than {CALENDAR_MAX_BYTES // 1_000_000} MB.")
    return body
