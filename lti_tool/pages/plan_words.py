"""What a calendar would change, in words for the coordinator's pages."""

from dataclasses import dataclass

from flask_babel import gettext

from lti_tool.pages.times import times_of
from series.plans import Change, Kind, Reason
from series.sessions import Field, Session


@dataclass(frozen=True, kw_only=True)
class ChangeWords:
    """One change: what happens, to which session, and what it was before."""

    kind: str
    title: str
    when: str
    before: list[str]


def reason_words(reason: Reason) -> str:
    words: dict[Reason, str] = {
        Reason.MANY_CANCELLED: gettext("It cancels several sessions."),
        Reason.MANY_MOVED: gettext("It moves several sessions."),
        Reason.SOON: gettext("It cancels or moves a session that starts within two hours."),
        Reason.UPLOADED: gettext("It was uploaded as a table: of that you see everything first."),
        Reason.GUESSED: gettext("Entries have gone and others have come; we can only guess which are the same."),
    }
    return words[reason]


def kind_words(kind: Kind) -> str:
    words: dict[Kind, str] = {
        Kind.NEW: gettext("New"),
        Kind.CANCELLED: gettext("Cancelled"),
        Kind.MOVED: gettext("Moved"),
        Kind.RESTORED: gettext("Takes place after all"),
        Kind.CHANGED: gettext("Changed"),
        Kind.PAIRED: gettext("The same session?"),
    }
    return words[kind]


def field_words(field: Field) -> str:
    words: dict[Field, str] = {
        Field.TIME: gettext("time"),
        Field.STATUS: gettext("cancelled or not"),
        Field.TITLE: gettext("title"),
        Field.DESCRIPTION: gettext("description"),
        Field.HOST: gettext("hosting university"),
        Field.PEOPLE: gettext("co-hosts and guest speakers"),
        Field.JOIN_URL: gettext("join link"),
    }
    return words[field]


def change_words(change: Change, zone: str) -> ChangeWords:
    return ChangeWords(
        kind=kind_words(change.kind),
        title=change.after.title,
        when=when(change.after, zone),
        before=[*(_before(change.before, change.after, zone) if change.before else []), *_refused_link(change)],
    )


def _refused_link(change: Change) -> list[str]:
    host = change.after.refused_join_host
    if not host or (change.before and change.before.refused_join_host == host):
        return []
    return [gettext("Its join link there leads to %(host)s, where no meeting may be: it is not taken over.", host=host)]


def when(session: Session, zone: str) -> str:
    there = times_of(session, zone).yours
    return f"{there.day}, {there.hours} ({there.place})"


def _before(before: Session, after: Session, zone: str) -> list[str]:
    said = []
    if (before.start_at, before.end_at) != (after.start_at, after.end_at):
        said.append(gettext("It was on %(when)s.", when=when(before, zone)))
    if before.is_cancelled and not after.is_cancelled:
        said.append(gettext("It was cancelled."))
    if before.title != after.title:
        said.append(gettext("Its title was “%(title)s”.", title=before.title))
    if before.hosting_university != after.hosting_university:
        said.append(
            gettext("Its hosting university was %(name)s.", name=before.hosting_university)
            if before.hosting_university
            else gettext("It had no hosting university.")
        )
    if (before.co_hosts, before.speakers) != (after.co_hosts, after.speakers):
        said.append(gettext("It has other co-hosts or guest speakers."))
    if before.join_url != after.join_url:
        said.append(gettext("It has another join link.") if after.join_url else gettext("It loses its join link."))
    if before.description != after.description:
        said.append(gettext("It has another description."))
    return said
