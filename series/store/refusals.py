from datetime import datetime

import sqlalchemy as sa


def note_refusal(connection: sa.Connection, *, platform_id: int, code: str, reference: str, now: datetime) -> None: ...
