"""The check-in that opens by itself, so that nobody loses credit because nobody pressed a button."""

import structlog

from moodle_sync.services import Services
from series.store.check_ins import open_by_itself, sessions_to_open

log = structlog.get_logger()


def open_check_ins(services: Services) -> None:
    """One query when there is nothing to open. May be repeated, by many workers at once."""
    now = services.clock.now()
    with services.database.read() as connection:
        waiting = sessions_to_open(connection, now=now)
    for session_id in waiting:
        with services.database.write() as connection:
            opened = open_by_itself(connection, session_id, now=now)
        if opened:
            log.info("check_in_opened_by_itself", session_id=str(session_id))
