"""The salts of the universities' pseudonyms. One is in force; those before are gone, so that nobody can tell any more
whom an earlier pseudonym meant."""

import secrets
from datetime import datetime

import sqlalchemy as sa

from series.pseudonyms import SALT_BYTES, PseudonymKey, pseudonym_key
from series.store.audit import append_audit
from series.store.database import insert
from series.store.privacy_tables import pseudonym_salt
from series.store.taking_part import refuse_left


def key_of(connection: sa.Connection, university_id: int, *, encryption_key: bytes, now: datetime) -> PseudonymKey:
    """Made where there is none yet; so it wants a transaction that may write. Raises UniversityLeft."""
    refuse_left(connection, university_id)
    row = {"university_id": university_id, "generation": 1, "salt": secrets.token_bytes(SALT_BYTES), "made_at": now}
    newest = sa.select(pseudonym_salt.c.salt).where(pseudonym_salt.c.university_id == university_id)
    newest = newest.order_by(pseudonym_salt.c.generation.desc()).limit(1)
    found = connection.execute(newest).scalar_one_or_none()
    if found is None:
        connection.execute(insert(connection, pseudonym_salt).values(row).on_conflict_do_nothing())
        found = connection.execute(newest).scalar_one()
    return pseudonym_key(encryption_key=encryption_key, salt=found)


def rotate_pseudonyms(connection: sa.Connection, university_id: int, *, by: str, now: datetime) -> int:
    """All people of the university have other pseudonyms from now on. The new generation, from 1. Raises
    UniversityLeft."""
    refuse_left(connection, university_id)
    of_it = pseudonym_salt.c.university_id == university_id
    gone = connection.execute(sa.delete(pseudonym_salt).where(of_it).returning(pseudonym_salt.c.generation)).scalars()
    generation = max(gone.all(), default=0) + 1
    connection.execute(
        sa.insert(pseudonym_salt).values(
            university_id=university_id, generation=generation, salt=secrets.token_bytes(SALT_BYTES), made_at=now
        )
    )
    thing = f"university {university_id}"
    append_audit(connection, actor=by, action="rotate_pseudonyms", thing=thing, now=now, generation=generation)
    return generation
