"""Seal what was appended to the audit, so that it can no longer be changed unseen."""

import structlog

from moodle_sync.services import Services
from series.store.audit_seals import complete_up_to, seal_next

log = structlog.get_logger()


def seal_audit(services: Services) -> dict[str, int]:
    """Counts of seals and lines. Each seal is logged: kept outside the database, the last one shows when the end was
    cut off. Raises DatabaseBusy; may be repeated."""
    with services.database.write() as connection:
        up_to = complete_up_to(connection)
    counts = {"seals": 0, "lines": 0}
    while True:
        with services.database.write() as connection:
            seal = seal_next(
                connection, up_to=up_to, now=services.clock.now(), secret_key=services.settings.encryption_key
            )
        if seal is None:
            return counts
        log.info("audit_sealed", last_line=seal.last_line_id, lines=len(seal.digests), seal=seal.seal)
        counts = {"seals": counts["seals"] + 1, "lines": counts["lines"] + len(seal.digests)}
