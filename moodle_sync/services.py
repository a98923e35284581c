"""What every job of the worker needs, made once for each process."""

import random
import time
from dataclasses import dataclass, field
from datetime import datetime

from config.clock import Clock
from config.settings import Settings
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.service_tokens import ServicePlatform, ServiceTokens, as_service_platform
from lms.tool_keys import current_signing_key
from series.limits import MOODLE_CALLS, Pace
from series.store.database import Connection, Database
from series.store.gradebook_pauses import pause
from series.store.universities import get_platform
from series.store.work_queue import WorkQueue


@dataclass(frozen=True, kw_only=True)
class Services:
    settings: Settings
    database: Database
    clock: Clock
    http: GuardedSession
    tokens: ServiceTokens
    queue: WorkQueue
    moodle_pace: Pace = field(default_factory=lambda: Pace(MOODLE_CALLS, time.monotonic))


def make_services(settings: Settings) -> Services:
    database, clock = Database(settings.database_url), settings.clock()
    http = GuardedSession(allowed_networks=settings.allowed_networks, allow_loopback=settings.on_loopback)
    return Services(
        settings=settings,
        database=database,
        clock=clock,
        http=http,
        tokens=ServiceTokens(http, current_signing_key(database, settings.encryption_key, clock.now), clock.now),
        queue=WorkQueue(settings.database_url, settings.secret_key),
    )


def pause_platform(
    connection: Connection, platform_id: int, error: LmsError, *, by: str, claimed_at: datetime, now: datetime
) -> datetime:
    """After an error of the whole platform; until when it is left alone."""
    return pause(
        connection,
        platform_id,
        by=by,
        claimed_at=claimed_at,
        reason=str(error),
        retry_after_s=error.retry_after_s,
        jitter=jitter(),
        now=now,
    )


def jitter() -> float:
    """From 0 to 1."""
    return random.random()  # noqa: S311 - spreads load, hides nothing


def service_platform(services: Services, platform_id: int) -> ServicePlatform:
    """Raises LmsError."""
    with services.database.read() as connection:
        row = get_platform(connection, platform_id)
    if row is None:
        raise LmsError("The LMS is no longer registered.")
    return as_service_platform(row)
