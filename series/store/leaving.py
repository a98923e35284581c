"""A university leaves: nobody comes in any more, its people go out of the audit, then all its rows go in one
transaction, and a certificate says how many. Each step may be repeated; what was published stays.
"""

import json
from datetime import datetime

import sqlalchemy as sa

from series.certificates import Certificate, Deletion, prove_deletion
from series.people import University
from series.store.audit import append_audit
from series.store.audit_commitments import forget
from series.store.belongings import of_university, own_tables
from series.store.lms_tables import host_invitation
from series.store.privacy_tables import deletion_certificate
from series.store.tables import check_in, course, participant, platform, session, staff, university

# Their numbers stay, and nothing else of them: SQLite would give a number anew, with what others had noted of it.
_NUMBERS_STAY = frozenset({course, participant, platform, staff})


def close_doors(connection: sa.Connection, home: University, *, actor: str, now: datetime) -> None:
    """No launch and no sign-in of theirs works from now on."""
    connection.execute(
        sa.update(platform).where(platform.c.university_id == home.university_id).values(state="disabled")
    )
    connection.execute(
        sa.update(staff)
        .where(staff.c.university_id == home.university_id)
        .values(state="disabled", epoch=staff.c.epoch + 1)
    )
    connection.execute(
        sa.update(university)
        .where(university.c.id == home.university_id, university.c.left_at.is_(None))
        .values(left_at=now)
    )
    thing = f"university {home.university_id}"
    append_audit(connection, actor=actor, action="close_university", thing=thing, now=now)


def people_in_audit(connection: sa.Connection, home: University) -> list[int]:
    query = sa.select(participant.c.id).where(participant.c.university_id == home.university_id, _is_somebody())
    return list(connection.execute(query.order_by(participant.c.id)).scalars())


def forget_people(connection: sa.Connection, participant_ids: list[int]) -> None:
    for participant_id in participant_ids:
        forget(connection, participant_id)


def delete_all(
    connection: sa.Connection, home: University, *, actor: str, secret_key: bytes, now: datetime
) -> Certificate:
    """Everything of theirs, and the certificate of it."""
    counts = _delete(connection, home.university_id)
    deletion = Deletion(
        university_name=home.name, country=home.country, counts=counts, at=now.replace(microsecond=0), by=actor
    )
    proof = prove_deletion(deletion, secret_key=secret_key)
    number: int = connection.execute(
        sa.insert(deletion_certificate)
        .values(
            university_name=home.name,
            country=home.country,
            counts=json.dumps(counts),
            deleted_at=deletion.at,
            deleted_by=actor,
            proof=proof,
        )
        .returning(deletion_certificate.c.id)
    ).scalar_one()
    thing = f"university {home.university_id}"
    append_audit(connection, actor=actor, action="delete_university", thing=thing, now=now, certificate=number)
    return Certificate(number=number, deletion=deletion, proof=proof)


def list_certificates(connection: sa.Connection) -> list[Certificate]:
    return [
        _certificate(row)
        for row in connection.execute(sa.select(deletion_certificate).order_by(deletion_certificate.c.id))
    ]


def find_certificate(connection: sa.Connection, number: int) -> Certificate | None:
    row = connection.execute(sa.select(deletion_certificate).where(deletion_certificate.c.id == number)).one_or_none()
    return None if row is None else _certificate(row)


def _delete(connection: sa.Connection, university_id: int) -> dict[str, int]:
    """What points goes before what it points to. Rows by table."""
    own = of_university(participant, university_id)
    people = sa.select(participant.c.id).where(own)
    counts = {}
    connection.execute(
        sa.update(check_in)
        .where(check_in.c.opened_by_participant_id.in_(people))
        .values(opened_by_participant_id=None, reason=None)
    )
    hosted = sa.select(session.c.id).where(session.c.hosting_university_id == university_id)
    for table in reversed(own_tables()):
        which = of_university(table, university_id)
        if table is host_invitation:  # also those that nobody has opened yet: their label names somebody of theirs
            which |= host_invitation.c.participant_id.is_(None) & host_invitation.c.session_id.in_(hosted)
        if table in _NUMBERS_STAY:
            counts[table.name] = _empty(connection, table, which)
        else:
            counts[table.name] = len(connection.execute(sa.delete(table).where(which).returning(sa.literal(1))).all())
    return counts


def _empty(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    """Of a row, its number."""
    gone = sa.literal("left ") + sa.cast(table.c.id, sa.String)
    values: dict[sa.Table, dict[str, object]] = {
        participant: {"issuer": "", "sub": gone, "objected_at": None},
        course: {"title": "", "deployment_id": None, "context_id": None, "memberships_url": None, "copied_from": None}
        | {"moodle_course_id": None, "announces": False, "feed_read_at": None},
        platform: {"slug": sa.func.replace(gone, " ", "-"), "issuer": gone, "client_id": "", "state": "disabled"}
        | dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "")
        | dict.fromkeys(("token_audience", "granted_scopes", "lms_version", "succeeds_platform_id")),
        staff: {"email": gone, "name": "", "password_hash": None, "state": "disabled", "wants_mail": False},
    }
    has_more = {participant: _is_somebody(), course: course.c.title != "", platform: platform.c.client_id != ""}
    has_more[staff] = staff.c.name != ""
    changed = sa.update(table).where(which, has_more[table]).values(values[table]).returning(sa.literal(1))
    return len(connection.execute(changed).all())


def _is_somebody() -> sa.ColumnElement[bool]:
    """Not one of whom only the number has stayed."""
    somebody: sa.ColumnElement[bool] = participant.c.issuer != ""
    return somebody


def _certificate(row: sa.Row[tuple[object, ...]]) -> Certificate:
    deletion = Deletion(
        university_name=row.university_name,
        country=row.country,
        counts=json.loads(row.counts),
        at=row.deleted_at,
        by=row.deleted_by,
    )
    return Certificate(number=row.id, deletion=deletion, proof=row.proof)
