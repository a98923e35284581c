"""Sessions of a series, and which of them a person wants to see now."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo


class Status(StrEnum):
    PLANNED = "planned"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Series:
    """One run of the workshop: a term."""

    series_id: UUID
    slug: str
    title: str
    time_zone: str
    source: str | None
    join_hosts: tuple[str, ...] = ()  # where its meetings may be; none: anywhere


class Field(StrEnum):
    """What of a session is edited by hand, or says the calendar."""

    TIME = "time"
    STATUS = "status"
    TITLE = "title"
    DESCRIPTION = "description"
    HOST = "host"
    PEOPLE = "people"
    JOIN_URL = "join_url"

    @property
    def attributes(self) -> tuple[str, ...]:
        """Of Session."""
        return {
            Field.TIME: ("start_at", "end_at", "wall_start", "zone", "moved_from_at"),
            Field.HOST: ("hosting_university", "hosting_university_id"),
            Field.PEOPLE: ("co_hosts", "speakers"),
        }.get(self, (self.value,))


@dataclass(frozen=True, kw_only=True)
class Session:
    """One weekly meeting. Instants are aware UTC; `wall_start` in `zone` is what the people agreed on. `by_hand`: where
    a person's word counts and not the calendar's."""

    session_id: UUID
    series_id: UUID
    title: str
    description: str
    hosting_university: str | None
    hosting_university_id: int | None
    join_url: str | None
    start_at: datetime
    end_at: datetime
    wall_start: datetime
    zone: str
    status: Status
    moved_from_at: datetime | None
    sequence: int
    co_hosts: str = ""  # names, as somebody has written them
    speakers: str = ""
    by_hand: tuple[Field, ...] = ()
    is_own: bool = False  # made here: no calendar takes it away
    copied_from_id: UUID | None = None  # in the round before; said once, when it is made
    is_rehearsal: bool = False  # to try everything with: it counts for nothing, and is in nobody's calendar
    refused_join_host: str | None = None  # where its calendar would have the meeting, and the series does not

    @property
    def is_cancelled(self) -> bool:
        return self.status is Status.CANCELLED

    def is_over(self, now: datetime) -> bool:
        return now >= self.end_at

    def is_running(self, now: datetime) -> bool:
        return not self.is_cancelled and self.start_at <= now < self.end_at


@dataclass(frozen=True, kw_only=True)
class DatedSession:
    """A session, and when it was last changed (aware UTC)."""

    session: Session
    changed_at: datetime


def is_its_day(session: Session, now: datetime, zone: str) -> bool:
    """On the clocks of `zone`, the series' own."""
    return session.start_at.astimezone(ZoneInfo(zone)).date() == now.astimezone(ZoneInfo(zone)).date()


JOIN_OPENS_BEFORE = timedelta(minutes=15)


def may_join(session: Session, now: datetime) -> bool:
    """The join button works from a quarter of an hour before the start to the end."""
    return not session.is_cancelled and session.start_at - JOIN_OPENS_BEFORE <= now < session.end_at


def without_join_link(text: str, session: Session, instead: str) -> str:
    """For what everybody reads: calendar programs write the meeting's address into the text, too."""
    if not session.join_url:
        return text
    parts = urlsplit(session.join_url)
    link = rf"(?:https?://)?{re.escape(parts.netloc + parts.path.rstrip('/'))}[^\s<>\"]*"
    return re.sub(link, lambda _: instead, text, flags=re.IGNORECASE)


MIN_PASSPHRASE_CHARS, MAX_PASSPHRASE_CHARS = 10, 100


def same_passphrase_form(text: str) -> str:
    """As it is compared: whatever the keyboard made of its capitals and blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def this_weeks_session(sessions: list[Session], *, now: datetime, zone: str) -> Session | None:
    """The session that a page shows first: the running or next one of this ISO week (in the series' zone), else the
    last one of this week, else the next one at all. A cancelled one only when the week has no other."""
    week = _iso_week(now, zone)
    planned = sorted((s for s in sessions if not s.is_cancelled), key=lambda s: s.start_at)
    this_week = [s for s in planned if _iso_week(s.start_at, zone) == week]
    ahead = [s for s in this_week if not s.is_over(now)]
    if ahead or this_week:
        return ahead[0] if ahead else this_week[-1]
    cancelled = [s for s in sessions if s.is_cancelled and _iso_week(s.start_at, zone) == week]
    if cancelled:
        return cancelled[0]
    return next((s for s in planned if not s.is_over(now)), None)


def _iso_week(instant: datetime, zone: str) -> tuple[int, int]:
    year, week, _ = instant.astimezone(ZoneInfo(zone)).isocalendar()
    return year, week
