"""What staff are told by mail, as plain text in English. Nothing in it is about a single student."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from series.sessions import Session
from series.waiting import Waiting, sentence

WAITS_FOR = timedelta(minutes=10)  # what is over by then is not mailed
DIGEST_AT = time(7)  # on Mondays, where the reader is
DIGEST_WITHIN = timedelta(days=2)  # a worker that was down longer leaves it out
MAX_SUBJECT_CHARS = 120


@dataclass(frozen=True, kw_only=True)
class Letter:
    subject: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Week:
    """What was done in the seven days before, and what comes in the seven days after. `failed_runs`: by job."""

    held: tuple[Session, ...]
    coming: tuple[Session, ...]
    replanned: tuple[Session, ...]
    failed_runs: tuple[tuple[str, int], ...]

    @property
    def is_empty(self) -> bool:
        return not (self.held or self.coming or self.replanned or self.failed_runs)


def last_digest_time(now: datetime, zone: str) -> datetime:
    """The last Monday at seven on the wall clock of `zone`."""
    here = now.astimezone(ZoneInfo(zone))
    monday = here.date() - timedelta(days=here.weekday())
    at = datetime.combine(monday, DIGEST_AT, ZoneInfo(zone))
    return at if at <= now else datetime.combine(monday - timedelta(weeks=1), DIGEST_AT, ZoneInfo(zone))


def digest_is_due(last_at: datetime, *, zone: str, now: datetime) -> bool:
    """`last_at`: of the last one, or when the account was made."""
    due_at = last_digest_time(now, zone)
    return last_at < due_at and now - due_at < DIGEST_WITHIN


def letter_of_news(waiting: Sequence[Waiting], *, zone: str, public_url: str) -> Letter:
    """All that is new in one."""
    first = sentence(waiting[0])
    subject = first if len(waiting) == 1 else f"{len(waiting)} things wait for you"
    parts = ["This waits for somebody to look at it:", *_items(waiting, zone, public_url), _footer(public_url)]
    return Letter(subject=_one_line(subject), body=_body(parts))


def letter_of_the_week(waiting: Sequence[Waiting], week: Week, *, zone: str, public_url: str) -> Letter:
    waits = {0: "nothing waits for you", 1: "1 thing waits for you"}.get(
        len(waiting), f"{len(waiting)} things wait for you"
    )
    parts = [f"What waits: {'nothing.' if not waiting else ''}".strip(), *_items(waiting, zone, public_url)]
    for title, sessions in (
        ("Sessions of last week", week.held),
        ("Moved, cancelled, or taking place after all since then", week.replanned),
        ("Sessions of this week", week.coming),
    ):
        lines = [f"- {_session_line(session, zone)}" for session in sessions] or ["- none"]
        parts.append("\n".join([f"{title}:", *lines]))
    failed = [f"- {job}: {count}" for job, count in week.failed_runs] or ["- none"]
    parts.append("\n".join(["Passes of our jobs that failed last week:", *failed]))
    parts.append(_footer(public_url))
    return Letter(subject=f"Your week with Shared Sessions: {waits}", body=_body(parts))


def _items(waiting: Sequence[Waiting], zone: str, public_url: str) -> list[str]:
    items = []
    for one in waiting:
        lines = [f"- {_one_line(sentence(one), longest=500)}", f"  Since {moment_in_mail(one.since_at, zone)}."]
        if one.facts.get("reason"):
            lines.append(f"  {_one_line(str(one.facts['reason']), longest=500)}")
        if one.path:
            lines.append(f"  {public_url}{one.path}")
        items.append("\n".join(lines))
    return items


def _session_line(session: Session, zone: str) -> str:
    state = "  CANCELLED" if session.is_cancelled else "  moved" if session.moved_from_at else ""
    return f"{moment_in_mail(session.start_at, zone)}  {_one_line(session.title)}{state}"


def _footer(public_url: str) -> str:
    return f"All that waits, and whether you get this mail: {public_url}/admin/"


def moment_in_mail(at: datetime, zone: str) -> str:
    """In English, as the reader's clock shows it."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%A}, {there.day} {there:%B %Y, %H:%M} ({zone})"


def _one_line(text: str, longest: int = MAX_SUBJECT_CHARS) -> str:
    """Titles and reasons come from elsewhere: a line end in them would begin a header of its own."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _body(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
