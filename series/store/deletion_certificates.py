"""Certificates that the data of a university were deleted."""

import json
from typing import Any

import sqlalchemy as sa

from series.certificates import Certificate, Deletion
from series.store.privacy_tables import deletion_certificate


def save_certificate(connection: sa.Connection, deletion: Deletion, *, proof: str) -> Certificate:
    number: int = connection.execute(
        sa.insert(deletion_certificate)
        .values(
            university_name=deletion.university_name,
            country=deletion.country,
            counts=json.dumps(deletion.counts),
            deleted_at=deletion.at,
            deleted_by=deletion.by,
            proof=proof,
        )
        .returning(deletion_certificate.c.id)
    ).scalar_one()
    return Certificate(number=number, deletion=deletion, proof=proof)


def list_certificates(connection: sa.Connection) -> list[Certificate]:
    rows = connection.execute(sa.select(deletion_certificate).order_by(deletion_certificate.c.id))
    return [_certificate(row) for row in rows]


def find_certificate(connection: sa.Connection, number: int) -> Certificate | None:
    row = connection.execute(sa.select(deletion_certificate).where(deletion_certificate.c.id == number)).one_or_none()
    return None if row is None else _certificate(row)


def _certificate(row: Any) -> Certificate:
    deletion = Deletion(
        university_name=row.university_name,
        country=row.country,
        counts=json.loads(row.counts),
        at=row.deleted_at,
        by=row.deleted_by,
    )
    return Certificate(number=row.id, deletion=deletion, proof=row.proof)
