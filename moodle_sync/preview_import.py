"""What an import would do, in lines for a person: the same plan that the import follows, and nothing is changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from moodle_sync.plan_import import ImportPlan, Known
from moodle_sync.plan_words import REASONS
from moodle_sync.read_calendar import Problem, Reading
from series.plans import Reason, brake
from series.sessions import Series, Session

NO_HOST = "no hosting university"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`known` is what we have before the import; empty for a series that is not there yet."""

    series: Series
    reading: Reading
    known: Known
    plan: ImportPlan
    now: datetime

    @property
    def new(self) -> list[Session]:
        return _by_start(new.session for new in self.plan.new)

    @property
    def changed(self) -> list[tuple[Session, Session]]:
        """As each is now, and as it would be."""
        return [(self.known.sessions[after.session_id], after) for after in _by_start(self.plan.changed)]

    @property
    def unchanged(self) -> list[Session]:
        changed = {session.session_id for session in self.plan.changed}
        return _by_start(self.known.sessions[session_id] for session_id in self._seen() - changed)

    @property
    def vanished(self) -> list[Session]:
        """Planned ones ahead that the source does not name, and that are kept all the same."""
        touched = self._seen() | {session.session_id for session in self.plan.changed}
        gone = (session for session_id, session in self.known.sessions.items() if session_id not in touched)
        return _by_start(session for session in gone if session.start_at > self.now and not session.is_cancelled)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it would wait for a yes."""
        return brake(self.plan, self.known.sessions, now=self.now)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.reading.problems, *self.plan.problems)

    def _seen(self) -> set[UUID]:
        aliases = {**self.known.aliases, **dict(self.plan.rekeyed)}
        keys = ((found.source_uid, found.original_start_at) for found in self.reading.occurrences)
        return {aliases[key] for key in keys if key in aliases}


def preview_lines(preview: Preview) -> Iterator[str]:
    """Times are on the clock of the series."""
    zone = ZoneInfo(preview.series.time_zone)
    yield f"Preview of {preview.series.title} ({zone}). Nothing was changed."
    if not preview.reading.occurrences:
        yield "No session can be read: the import would be refused."
    if preview.reasons:
        yield f"It would wait for a yes: {'; '.join(REASONS[reason] for reason in preview.reasons)}."
    yield from _part("new", [_session(session, zone) for session in preview.new])
    changes = [line for before, after in preview.changed for line in _changes(before, after, zone)]
    yield from _part("changed", changes, count=len(preview.changed))
    yield from _part("unchanged", [_session(session, zone) for session in preview.unchanged])
    yield from _part("not in the source, kept", [_session(session, zone) for session in preview.vanished])
    yield from _part("to look at", [problem_line(problem) for problem in preview.problems])


def problem_line(problem: Problem) -> str:
    line = f" (line {problem.line})" if problem.line else ""
    return f"“{problem.event}”{line} {problem.fact}: {problem.done}"


def _part(name: str, lines: list[str], *, count: int | None = None) -> Iterator[str]:
    yield f"{len(lines) if count is None else count} {name}{':' if lines else ''}"
    yield from (f"  {line}" for line in lines)


def _session(session: Session, zone: ZoneInfo) -> str:
    remark = "  CANCELLED" if session.is_cancelled else ""
    return f"{_when(session, zone)}  {session.title} · {session.hosting_university or NO_HOST}{remark}"


def _when(session: Session, zone: ZoneInfo) -> str:
    start, end = session.start_at.astimezone(zone), session.end_at.astimezone(zone)
    return f"{start:%a %d %b %Y %H:%M}–{end:%H:%M}"


def _changes(before: Session, after: Session, zone: ZoneInfo) -> Iterator[str]:
    yield _session(after, zone)
    pairs = {
        "time": (_when(before, zone), _when(after, zone)),
        "zone": (before.zone, after.zone),
        "title": (before.title, after.title),
        "hosting university": (before.hosting_university or NO_HOST, after.hosting_university or NO_HOST),
        "co-hosts": (before.co_hosts or "none", after.co_hosts or "none"),
        "guest speakers": (before.speakers or "none", after.speakers or "none"),
        "status": (before.status.value, after.status.value),
        "join link": (before.join_url or "none", after.join_url or "none"),
    }
    yield from (f"  {name}: {old} → {new}" for name, (old, new) in pairs.items() if old != new)
    if before.description != after.description:
        yield "  description: changed"


def _by_start(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda session: session.start_at)
