"""A change of a session as a text to copy, and as the HTML that is posted."""

import html
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

from series.announcement_texts.languages import texts_of
from series.announcement_texts.texts import Texts
from series.announcements import Change, ChangeKind
from series.people import University
from series.sessions import Session, without_join_link

MAX_SUBJECT_CHARS = 255  # of Moodle


@dataclass(frozen=True, kw_only=True)
class Written:
    """`subject` and `text` are plain; `message` is HTML. `language`: what they are in, as HTML's `lang` has it."""

    subject: str
    text: str
    message: str
    language: str


def write(change: Change, session: Session, *, university: University, url: str) -> Written:
    """In the university's language and time. `url`: of the session's page; whoever posts it marks it there."""
    texts = texts_of(university.language)
    title = " ".join(without_join_link(session.title, session, "").split())
    subject = _shortened(_subject(texts, change.kind), title)
    sentence, lines = _sentence(texts, change.kind), _lines(texts, change, session, university.time_zone)
    language = texts.locale.partition("_")[0]
    text = [sentence.format(title=title)]
    if change.corrects:
        text.append(texts.corrects)
    text += ["\n".join(f"{label}: {value}" for label, value in lines), f"{texts.link}: {url}"]
    marked = f'<span lang="en">{html.escape(title)}</span>'
    parts = [html.escape(sentence).format(title=marked)]
    if change.corrects:
        parts.append(html.escape(texts.corrects))
    parts += [f"{html.escape(label)}: <strong>{html.escape(value)}</strong>" for label, value in lines]
    parts.append(f'<a href="{html.escape(url)}">{html.escape(texts.link)}</a>')
    return Written(
        subject=subject,
        text="\n\n".join(text) + "\n",
        message="".join(f'<p lang="{language}">{part}</p>' for part in parts),
        language=language,
    )


def _subject(texts: Texts, kind: ChangeKind) -> str:
    return {
        ChangeKind.MOVED: texts.moved_subject,
        ChangeKind.CANCELLED: texts.cancelled_subject,
        ChangeKind.RESTORED: texts.restored_subject,
    }[kind]


def _sentence(texts: Texts, kind: ChangeKind) -> str:
    return {
        ChangeKind.MOVED: texts.moved,
        ChangeKind.CANCELLED: texts.cancelled,
        ChangeKind.RESTORED: texts.restored,
    }[kind]


def _shortened(pattern: str, title: str) -> str:
    """With as much of the title as a subject has room for."""
    room = MAX_SUBJECT_CHARS - len(pattern.format(title=""))
    return pattern.format(title=title if len(title) <= room else f"{title[: room - 1]}…")


def _lines(texts: Texts, change: Change, session: Session, zone: str) -> list[tuple[str, str]]:
    length = session.end_at - session.start_at
    at = _when(session.start_at, session.end_at, zone, texts.locale)
    was = _when(change.was_at, change.was_at + length, zone, texts.locale) if change.was_at else None
    if change.kind is ChangeKind.CANCELLED:
        lines = [(texts.off, f"{at}; {texts.or_before}: {was}" if was else at)]
    else:
        lines = [(texts.before, was), (texts.now, at)] if was else [(texts.time, at)]
    if session.hosting_university:
        lines.append((texts.host, session.hosting_university))
    return lines


def _when(start_at: datetime, end_at: datetime, zone: str, locale: str) -> str:
    """Dienstag, 24. November 2026, 16:00–18:00 (Berlin)."""
    start, end = start_at.astimezone(ZoneInfo(zone)), end_at.astimezone(ZoneInfo(zone))
    place = get_timezone_location(zone, locale=locale, return_city=True)
    return f"{format_date(start, 'full', locale=locale)}, {start:%H:%M}–{end:%H:%M} ({place})"
