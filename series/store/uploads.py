"""Tables that a coordinator has pasted or uploaded: the worker reads them, and holds what they would change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.store.tables import uploaded_table

TABLE_SOURCE = "table:"  # begins the source of a series that was uploaded: there is nothing to fetch again


@dataclass(frozen=True, kw_only=True)
class Upload:
    """`run_id`: the run that is to read it."""

    series_id: UUID
    run_id: int
    name: str
    body: bytes

    @property
    def source(self) -> str:
        return TABLE_SOURCE + self.name


def save_upload(connection: sa.Connection, upload: Upload, *, now: datetime) -> None:
    """In the place of one that was not read yet."""
    connection.execute(sa.delete(uploaded_table).where(uploaded_table.c.series_id == upload.series_id))
    connection.execute(
        sa.insert(uploaded_table).values(
            series_id=upload.series_id, run_id=upload.run_id, name=upload.name, body=upload.body, uploaded_at=now
        )
    )


def find_upload(connection: sa.Connection, series_id: UUID) -> Upload | None:
    row = connection.execute(sa.select(uploaded_table).where(uploaded_table.c.series_id == series_id)).one_or_none()
    return None if row is None else Upload(series_id=row.series_id, run_id=row.run_id, name=row.name, body=row.body)


def drop_upload(connection: sa.Connection, run_id: int) -> None:
    """It was read. One that was uploaded since stays."""
    connection.execute(sa.delete(uploaded_table).where(uploaded_table.c.run_id == run_id))


def purge_uploads(connection: sa.Connection, *, before: datetime) -> None:
    connection.execute(sa.delete(uploaded_table).where(uploaded_table.c.uploaded_at < before))
