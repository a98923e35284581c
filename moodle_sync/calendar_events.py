"""One VEVENT to a checked value with aware times, or to the sentence that says why not."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import x_wr_timezone
from icalendar.prop import vBroken

from moodle_sync.calendar_lines import Block, Line, plain_text
from moodle_sync.calendar_rules import end_of_rule_in_utc, rule_fault
from moodle_sync.calendar_text import VENDOR_LINKS
from moodle_sync.calendar_zones import Zones

DATES = {"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"}
READ = DATES | {"DURATION", "RRULE", "UID", "SEQUENCE", "STATUS", "LAST-MODIFIED", "DTSTAMP", "SUMMARY", "DESCRIPTION"}
READ |= {"CONFERENCE", *VENDOR_LINKS, "URL", "LOCATION"}
ONCE = ("DTSTART", "DTEND", "RECURRENCE-ID", "DURATION", "RRULE")
TZID = re.compile(r';\s*TZID\s*=\s*("[^"]*"|(?:(?!;[A-Za-z-]+=).)*)', re.IGNORECASE)
MAX_DATES = 500  # in the RDATE and EXDATE lines of one event
MAX_UID = 1_000  # characters
MAX_KEPT_UID = 255  # as many as a column holds
MAX_SEQUENCE = 2**31 - 1  # what an integer column of a database holds


class BadEvent(Exception):
    """The event cannot be read; the message is the end of a sentence that begins with its title."""


@dataclass(frozen=True, kw_only=True)
class Zoning:
    """How one VCALENDAR names its zones. `written` is its X-WR-TIMEZONE as an IANA name, if it has one."""

    zones: Zones
    default: str
    written: str | None

    @property
    def floating(self) -> str:
        return self.written or self.default


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One readable VEVENT: a single event, the master of a series, or an override of one of its dates."""

    block: Block
    event: icalendar.Event
    uid: str
    start: datetime  # aware, in its own zone
    length: timedelta | None  # None for a cancelled override that does not say
    recurrence_id: datetime | None  # aware, in the zone of `start`; None unless an override
    this_and_future: bool
    sequence: int
    changed: str  # LAST-MODIFIED, else DTSTAMP, else empty; comparable
    cancelled: bool
    remarks: tuple[tuple[str, str], ...] = ()  # (fact, done) of what was read nevertheless

    @property
    def rule(self) -> icalendar.vRecur | None:
        rule: icalendar.vRecur | None = self.event.get("RRULE")
        return rule

    @property
    def key(self) -> tuple[str, datetime | None]:
        return self.uid, self.recurrence_id and self.recurrence_id.astimezone(UTC)


def read_event(block: Block, zoning: Zoning, *, method: str) -> Entry:
    """Raises BadEvent, or whatever the calendar libraries raise on input that they did not foresee."""
    lines, remarks = _readable_lines(block, zoning)
    event = _parse(lines, zoning)
    cancelled = method == "CANCEL" or block.value("STATUS").upper() == "CANCELLED"
    recurrence_id = _instant(event, "RECURRENCE-ID")
    if "DTSTART" not in event and cancelled and recurrence_id is not None:
        event["DTSTART"] = icalendar.vDDDTypes(recurrence_id)  # it need not say when, only that it is off
    start = _instant(event, "DTSTART")
    if start is None:
        raise BadEvent("has no start (DTSTART)")
    if not event.get("SUMMARY") and "X-MICROSOFT-CDO-BUSYSTATUS" in (line.name for line in block.lines):
        raise BadEvent("is a placeholder for busy time without a title")
    entry = Entry(
        block=block,
        event=event,
        uid=_uid(event, start),
        start=start,
        length=_length(event, start, may_lack=cancelled and recurrence_id is not None),
        recurrence_id=recurrence_id and recurrence_id.astimezone(start.tzinfo),
        this_and_future=_this_and_future(event),
        sequence=_sequence(event),
        changed=_changed(event),
        cancelled=cancelled,
        remarks=(*remarks, *_remarks(event)),
    )
    return _ready_for_expansion(entry)


def _readable_lines(block: Block, zoning: Zoning) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines that we use, with IANA names for all zones."""
    remarks: list[tuple[str, str]] = []
    if block.count_dates() > MAX_DATES:
        raise BadEvent(f"lists more than {MAX_DATES} single dates (EXDATE, RDATE)")
    for name in ONCE:
        if block.count(name) > 1:
            raise BadEvent(f"has {name} more than once")
    # A time without a zone means the clocks of the event's start, else those of the calendar.
    floating = zoning.floating
    texts = []
    for line in sorted(block.lines, key=lambda line: line.name != "DTSTART"):
        if line.name in DATES:
            text, zone = _with_iana_zone(line, zoning, floating, remarks)
            floating = zone if line.name == "DTSTART" and zone else floating
            texts.append(text)
        elif line.name in READ:
            texts.append(line.text)
    return texts, remarks


def _with_iana_zone(
    line: Line, zoning: Zoning, floating: str, remarks: list[tuple[str, str]]
) -> tuple[str, str | None]:
    """The line with an IANA TZID, and that name; the line as it is where its values are in UTC or dates."""
    head, _, value = line.text.rpartition(":")  # dates hold no colon, but an unquoted TZID may: tzone://…
    values = [part.strip() for part in value.split(",")]
    written = TZID.search(head)
    head = TZID.sub("", head)
    if all(len(part) == 8 or part.upper().endswith("Z") for part in values):
        return f"{head}:{value}", None
    zone = zoning.zones.find(written[1]) if written else floating
    if zone is None:
        assert written is not None
        zone = zoning.floating
        remark = (f"names the unknown time zone {written[1][:60]}", f"read with the series' zone, {zone}")
        if remark not in remarks:
            remarks.append(remark)
    return f"{head};TZID={zone}:{value}", zone


def _parse(lines: list[str], zoning: Zoning) -> icalendar.Event:
    text = "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""])
    event = icalendar.Event.from_ical(text.replace("\0", "").encode())  # bytes: a str may be taken for a file's name
    assert isinstance(event, icalendar.Event)
    for name in (*ONCE, "RDATE", "EXDATE"):
        values = event.get(name, [])
        if any(isinstance(value, vBroken) for value in (values if isinstance(values, list) else [values])):
            raise BadEvent(f"has a {name} that cannot be read")
    if zoning.written is None:
        return event
    # Google writes a weekly 16:00 in UTC and its zone in X-WR-TIMEZONE: only in that zone it stays at 16:00.
    moved: icalendar.Event = x_wr_timezone.UTCChangingWalker(ZoneInfo(zoning.written)).walk_event(event)
    if _this_and_future(event):
        moved.get("RECURRENCE-ID").params["RANGE"] = "THISANDFUTURE"  # which the walker loses
    return moved


def _instant(event: icalendar.Event, name: str) -> datetime | None:
    if name not in event:
        return None
    value = event.get(name).dt
    if not isinstance(value, datetime):
        raise BadEvent(
            "lasts all day; a session needs a time of day"
            if name == "DTSTART"
            else f"has a date without a time in {name}"
        )
    if value.tzinfo is None:
        raise BadEvent(f"has a {name} without a time zone")
    value.astimezone(UTC)  # raises at the ends of the calendar, in the years 1 and 9999
    return value


def _length(event: icalendar.Event, start: datetime, *, may_lack: bool) -> timedelta | None:
    """How long it lasts on the clock of `start`, so that a session over a switch of daylight saving ends on time."""
    end = _instant(event, "DTEND")
    if end is None and "DURATION" in event:
        end = start + event.get("DURATION").dt
    if end is None or end.astimezone(UTC) <= start.astimezone(UTC):
        if may_lack:
            return None
        raise BadEvent("has no end (DTEND)" if end is None else "does not end after its start")
    return end.astimezone(start.tzinfo) - start


def _uid(event: icalendar.Event, start: datetime) -> str:
    """An event without UID is recognised by start and title."""
    uid = plain_text(event.get("UID", ""))
    if len(uid) > MAX_UID:
        raise BadEvent(f"has a UID of more than {MAX_UID:,} characters")
    if len(uid) > MAX_KEPT_UID:
        return f"long-uid-{hashlib.sha256(uid.encode()).hexdigest()}"
    made_of = f"{start.astimezone(UTC).isoformat()} {plain_text(event.get('SUMMARY', ''))}"
    return uid or f"no-uid-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}"


def _remarks(event: icalendar.Event) -> list[tuple[str, str]]:
    remarks = []
    if not event.get("UID"):
        remarks.append(("has no UID", "read, and recognised by its start and title"))
    if not event.get("SUMMARY"):
        remarks.append(("has no title", "read without a title"))
    return remarks


def _sequence(event: icalendar.Event) -> int:
    try:
        return min(MAX_SEQUENCE, max(0, int(event.get("SEQUENCE", 0))))
    except (TypeError, ValueError):
        return 0


def _changed(event: icalendar.Event) -> str:
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        value = event.get(name)
        if isinstance(value, icalendar.vDDDTypes) and isinstance(value.dt, datetime):
            return value.dt.strftime("%Y%m%dT%H%M%S")
    return ""


def _this_and_future(event: icalendar.Event) -> bool:
    recurrence_id = event.get("RECURRENCE-ID")
    return recurrence_id is not None and str(recurrence_id.params.get("RANGE", "")).upper() == "THISANDFUTURE"


def _ready_for_expansion(entry: Entry) -> Entry:
    """Writes what we know into the event, so that the expansion sees nothing that it would trip over."""
    event = entry.event
    event["UID"] = icalendar.vText(entry.uid)
    event["SEQUENCE"] = icalendar.vInt(entry.sequence)
    if entry.recurrence_id is not None:
        # Its own zone, because the expansion moves "this and future" by the difference on the clock.
        params = {"RANGE": "THISANDFUTURE"} if entry.this_and_future else {}
        event["RECURRENCE-ID"] = icalendar.vDDDTypes(entry.recurrence_id)
        event.get("RECURRENCE-ID").params.update(params)
        event.pop("RRULE", None)
        return entry
    if entry.rule is not None:
        fault = rule_fault(entry.rule)
        if fault:
            raise BadEvent(fault)
        end_of_rule_in_utc(entry.rule, entry.start)
    return entry
