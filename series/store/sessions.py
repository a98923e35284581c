"""Series and their sessions, and the calendar entries that stand for them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.join_links import CALENDAR
from series.plans import Plan
from series.rule import Rule
from series.sessions import DatedSession, Field, Series, Session, Status
from series.store.database import insert
from series.store.join_links import note_join_link
from series.store.keys import seal, unseal
from series.store.moodle_jobs import ask_for_all
from series.store.rules import begin_rules, mark_scores_stale
from series.store.seen_sessions import is_replanned, note_seen
from series.store.tables import Instant, counted, series, session, session_alias, session_host, university
from series.store.universities import AlreadyThere, NotThere

EntryKey = tuple[str, datetime]  # UID and original start of a calendar entry


def add_series(
    connection: sa.Connection,
    new: Series,
    *,
    rule: Rule,
    now: datetime,
    by: str = "command line",
    copied_from_id: UUID | None = None,
) -> None:
    """`copied_from_id`: the round before. Raises AlreadyThere for a slug that is taken, RuleImpossible."""
    if connection.execute(sa.select(series.c.id).where(series.c.slug == new.slug)).one_or_none():
        raise AlreadyThere(f"There is already a series {new.slug!r}.")
    connection.execute(
        sa.insert(series).values(
            id=new.series_id,
            slug=new.slug,
            title=new.title,
            time_zone=new.time_zone,
            source=new.source,
            created_at=now,
            copied_from_id=copied_from_id,
        )
    )
    begin_rules(connection, new.series_id, rule, by=by, now=now)


def list_series(connection: sa.Connection) -> list[Series]:
    return [series_of_row(row) for row in connection.execute(sa.select(series).order_by(series.c.created_at))]


def find_series(connection: sa.Connection, slug: str) -> Series:
    """Raises NotThere."""
    row = connection.execute(sa.select(series).where(series.c.slug == slug)).one_or_none()
    if row is None:
        raise NotThere(f"There is no series {slug!r}; `moodle-sync series list` shows all.")
    return series_of_row(row)


def get_series(connection: sa.Connection, series_id: UUID) -> Series:
    return series_of_row(connection.execute(sa.select(series).where(series.c.id == series_id)).one())


def lock_series(connection: sa.Connection, series_id: UUID) -> Series | None:
    """As it is now; whoever changes its sessions comes after us. SQLite has one writer anyway."""
    row = connection.execute(sa.select(series).where(series.c.id == series_id).with_for_update()).one_or_none()
    return None if row is None else series_of_row(row)


def passphrase_of(connection: sa.Connection, series_id: UUID, encryption_key: bytes) -> str | None:
    """What opens the meeting on the public page. Raises WrongEncryptionKey."""
    query = sa.select(series.c.passphrase_sealed).where(series.c.id == series_id)
    sealed: str | None = connection.execute(query).scalar_one()
    return None if sealed is None else unseal(sealed, encryption_key).decode()


def has_passphrase(connection: sa.Connection, series_id: UUID) -> bool:
    query = sa.select(series.c.passphrase_sealed).where(series.c.id == series_id)
    return connection.execute(query).scalar_one() is not None


def set_passphrase(connection: sa.Connection, series_id: UUID, passphrase: str | None, encryption_key: bytes) -> None:
    sealed = None if passphrase is None else seal(passphrase.encode(), encryption_key)
    connection.execute(sa.update(series).where(series.c.id == series_id).values(passphrase_sealed=sealed))


def set_source(connection: sa.Connection, series_id: UUID, source: str) -> None:
    connection.execute(sa.update(series).where(series.c.id == series_id).values(source=source))


def sessions_of(connection: sa.Connection, series_id: UUID, *, with_rehearsals: bool = False) -> list[Session]:
    """In the order of their start. Rehearsals only for who asks for them: everything that counts, mirrors, pairs,
    copies or announces sessions begins here, and must not know of them."""
    which = session.c.series_id == series_id
    return sessions_with(connection, which if with_rehearsals else which & counted)


def rehearsals_of(connection: sa.Connection, series_id: UUID) -> list[Session]:
    return sessions_with(connection, (session.c.series_id == series_id) & session.c.is_rehearsal)


def dated_sessions_of(connection: sa.Connection, series_ids: Iterable[UUID]) -> list[DatedSession]:
    """The sessions of these series that count, each with the time of its last change."""
    rows = connection.execute(_sessions().where(session.c.series_id.in_(list(series_ids)), counted))
    return [DatedSession(session=_session(row), changed_at=row.updated_at) for row in rows]


def sessions_with(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Session]:
    """For the store alone: those that meet a condition on the table, in the order of their start."""
    query = _sessions().where(condition).order_by(session.c.start_at, session.c.id)
    return [_session(row) for row in connection.execute(query)]


def get_session(connection: sa.Connection, session_id: UUID) -> Session | None:
    row = connection.execute(_sessions().where(session.c.id == session_id)).one_or_none()
    return None if row is None else _session(row)


def aliases_of(connection: sa.Connection, series_id: UUID) -> dict[EntryKey, UUID]:
    """(UID, original start) of each calendar entry that was ever seen, to our session."""
    rows = connection.execute(sa.select(session_alias).where(session_alias.c.series_id == series_id))
    return {(row.source_uid, row.original_start_at): row.session_id for row in rows}


def save_import(
    connection: sa.Connection,
    series_id: UUID,
    *,
    new: Iterable[tuple[Session, EntryKey]],
    changed: Iterable[Session],
    rekeyed: Iterable[tuple[EntryKey, UUID]],
    now: datetime,
) -> None:
    """What an import found: new sessions with their calendar entry, changed ones, further entries of known ones."""
    for session_, key in new:
        add_session(connection, session_, now=now)
        _add_alias(connection, series_id, key, session_.session_id)
    for session_ in changed:
        change_session(connection, session_, by=CALENDAR, now=now)
    for key, session_id in rekeyed:
        _add_alias(connection, series_id, key, session_id)


def add_session(connection: sa.Connection, new: Session, *, now: datetime) -> None:
    """No calendar entry stands for it yet."""
    connection.execute(
        sa.insert(session).values(id=new.session_id, copied_from_id=new.copied_from_id, **_columns(new), updated_at=now)
    )
    if not new.is_rehearsal:
        mark_scores_stale(connection, new.series_id, now=now)
        ask_for_all(connection, new.series_id, now=now)


def change_session(connection: sa.Connection, changed: Session, *, by: str, now: datetime) -> None:
    """`by`: as in the audit table, or CALENDAR. The one place where sessions change, and so where join links do."""
    if not changed.is_rehearsal:
        ask_for_all(connection, changed.series_id, now=now)
        mark_scores_stale(connection, changed.series_id, now=now)  # how many, and of how many, may be others now
        note_seen(connection, changed)
    note_join_link(connection, changed, by=by, now=now)
    connection.execute(
        sa.update(session)
        .where(session.c.id == changed.session_id)
        .values(
            **_columns(changed),
            updated_at=now,
            replanned_at=sa.case((is_replanned(changed), sa.literal(now, Instant)), else_=session.c.replanned_at),
        )
    )


def save_plan(connection: sa.Connection, series_id: UUID, plan: Plan, *, now: datetime) -> None:
    """Carry it out."""
    new = [(each.session, each.key) for each in plan.new]
    save_import(connection, series_id, new=new, changed=plan.changed, rekeyed=plan.rekeyed, now=now)


def name_host(connection: sa.Connection, *, session_id: UUID, participant_id: int) -> None:
    """May be repeated."""
    connection.execute(
        insert(connection, session_host)
        .values(session_id=session_id, participant_id=participant_id)
        .on_conflict_do_nothing()
    )


def hosts_of(connection: sa.Connection, series_id: UUID) -> set[tuple[UUID, int]]:
    """(session, participant) of everybody who hosts one of the series' sessions."""
    rows = connection.execute(
        sa.select(session_host)
        .join(session, session_host.c.session_id == session.c.id)
        .where(session.c.series_id == series_id)
    )
    return {(row.session_id, row.participant_id) for row in rows}


def session_as_json(shown: Session) -> dict[str, Any]:
    """For `--json`."""
    return {
        "session_id": str(shown.session_id),
        "title": shown.title,
        "hosting_university": shown.hosting_university,
        "co_hosts": shown.co_hosts,
        "speakers": shown.speakers,
        "start_at": shown.start_at.isoformat(),
        "end_at": shown.end_at.isoformat(),
        "zone": shown.zone,
        "status": shown.status.value,
        "is_rehearsal": shown.is_rehearsal,
        "moved_from_at": shown.moved_from_at.isoformat() if shown.moved_from_at else None,
    }


def _add_alias(connection: sa.Connection, series_id: UUID, key: EntryKey, session_id: UUID) -> None:
    source_uid, original_start_at = key
    connection.execute(
        sa.insert(session_alias).values(
            series_id=series_id, source_uid=source_uid, original_start_at=original_start_at, session_id=session_id
        )
    )


def _sessions() -> sa.Select[Any]:
    hosting = university.c.name.label("hosting_university")
    return sa.select(session, hosting).select_from(
        session.outerjoin(university, session.c.hosting_university_id == university.c.id)
    )


def _columns(value: Session) -> dict[str, Any]:
    return {
        "series_id": value.series_id,
        "hosting_university_id": value.hosting_university_id,
        "title": value.title,
        "description": value.description,
        "join_url": value.join_url,
        "start_at": value.start_at,
        "end_at": value.end_at,
        "wall_start": value.wall_start.isoformat(timespec="seconds"),
        "zone": value.zone,
        "status": value.status.value,
        "moved_from_at": value.moved_from_at,
        "sequence": value.sequence,
        "co_hosts": value.co_hosts,
        "speakers": value.speakers,
        "by_hand": " ".join(value.by_hand),
        "is_own": value.is_own,
        "is_rehearsal": value.is_rehearsal,
        "refused_join_host": value.refused_join_host,
    }


def series_of_row(row: Any) -> Series:
    return Series(
        series_id=row.id,
        slug=row.slug,
        title=row.title,
        time_zone=row.time_zone,
        source=row.source,
        join_hosts=tuple((row.join_hosts or "").split()),
    )


def _session(row: Any) -> Session:
    return Session(
        session_id=row.id,
        series_id=row.series_id,
        title=row.title,
        description=row.description,
        hosting_university=row.hosting_university,
        hosting_university_id=row.hosting_university_id,
        join_url=row.join_url,
        start_at=row.start_at,
        end_at=row.end_at,
        wall_start=datetime.fromisoformat(row.wall_start),
        zone=row.zone,
        status=Status(row.status),
        moved_from_at=row.moved_from_at,
        sequence=row.sequence,
        co_hosts=row.co_hosts,
        speakers=row.speakers,
        is_own=row.is_own,
        copied_from_id=row.copied_from_id,
        is_rehearsal=row.is_rehearsal,
        refused_join_host=row.refused_join_host,
        by_hand=tuple(Field(name) for name in row.by_hand.split()),
    )
