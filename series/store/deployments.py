from datetime import datetime

import sqlalchemy as sa


def note_pending(
    connection: sa.Connection, *, platform_id: int, deployment_id: str, course_title: str, now: datetime
) -> None: ...
