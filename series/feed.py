"""Our own calendar feed: sessions to the bytes of an iCalendar file, for whoever subscribes to it.

One flat VEVENT for each session, without recurrence, with a UID that never changes. The same sessions give the same
bytes at any time, but that a cancelled one is left out 30 days after its date.
https://www.rfc-editor.org/rfc/rfc5545, https://www.rfc-editor.org/rfc/rfc7986 (NAME, REFRESH-INTERVAL)
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import icalendar

from series.sessions import DatedSession, Session, without_join_link

CANCELLED_FOR = timedelta(days=30)  # long enough for every calendar to have heard of it
REFRESH_EVERY = timedelta(hours=1)
PRODID = "-//Shared Sessions//Feed//EN"

LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Reader(StrEnum):
    """For whom the feed is written."""

    CALENDAR = "calendar"
    MOODLE = "moodle"  # its importer ignores STATUS (calendar/lib.php), so the title must say "CANCELLED"


def write_feed(
    dated: Iterable[DatedSession], *, name: str, public_url: str, now: datetime, reader: Reader = Reader.CALENDAR
) -> bytes:
    """The feed as UTF-8 with CRLF, folded at 75 octets between characters. It holds no join link."""
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("METHOD", "PUBLISH")
    calendar.add("NAME", one_line(name))
    calendar.add("X-WR-CALNAME", one_line(name))
    calendar.add("REFRESH-INTERVAL", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT1H")  # what Outlook knows in its place
    shown = [one for one in dated if not _is_forgotten(one.session, now)]
    for one in sorted(shown, key=lambda one: (one.session.start_at, one.session.session_id)):
        calendar.add_component(_event(one, public_url, reader))
    written: bytes = calendar.to_ical()
    return written


def session_url(session: Session, public_url: str) -> str:
    return f"{public_url}/s/{session.session_id}"


def one_line(text: str) -> str:
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """What may stand in a value of type TEXT: no control characters, one kind of line end. Anything else stays as
    somebody wrote it; nothing is escaped for HTML. https://www.rfc-editor.org/rfc/rfc5545#section-3.3.11"""
    return NOT_TEXT.sub("", LINE_ENDS.sub("\n", text))


class _Text(icalendar.vText):
    r"""A value of type TEXT. icalendar writes a line end where somebody wrote \N: that is the escaped form of one,
    but this text is yet to be escaped. https://www.rfc-editor.org/rfc/rfc5545#section-3.3.11"""

    def to_ical(self) -> bytes:
        escaped = self.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,")
        return escaped.replace("\n", r"\n").encode()


def _event(dated: DatedSession, public_url: str, reader: Reader) -> icalendar.Event:
    session, changed_at = dated.session, dated.changed_at.astimezone(UTC).replace(microsecond=0)
    url = session_url(session, public_url)
    title = one_line(without_join_link(session.title, session, url))
    event = icalendar.Event()
    event.add("UID", f"session-{session.session_id}@{urlsplit(public_url).hostname}")
    event.add("DTSTAMP", changed_at)
    event.add("LAST-MODIFIED", changed_at)
    event.add("SEQUENCE", session.sequence)
    event.add("DTSTART", session.start_at.astimezone(UTC))
    event.add("DTEND", session.end_at.astimezone(UTC))
    event.add("STATUS", "CANCELLED" if session.is_cancelled else "CONFIRMED")
    says_so = session.is_cancelled and reader is Reader.MOODLE
    event.add("SUMMARY", _Text(f"CANCELLED: {title}" if says_so else title))
    event.add("DESCRIPTION", _Text(_description(session, url)))
    event.add("URL", url)
    return event


def _description(session: Session, url: str) -> str:
    """The hosting university as our own reader would find it, the text, and the address of the session's page: Google
    and Moodle do not show URL."""
    named = {
        "Hosting university": session.hosting_university,
        "Co-hosts": session.co_hosts,
        "Guest speakers": session.speakers,
    }
    people = "\n".join(
        f"{name}: {one_line(without_join_link(names, session, url))}" for name, names in named.items() if names
    )
    text = plain(without_join_link(session.description, session, url)).strip()
    return "\n\n".join(part for part in (people, text, url) if part)


def _is_forgotten(session: Session, now: datetime) -> bool:
    return session.is_cancelled and session.end_at + CANCELLED_FOR < now
