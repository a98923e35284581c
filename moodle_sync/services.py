"""What every job of the worker needs, made once for each process."""

from dataclasses import dataclass

from config.clock import Clock
from config.settings import Settings
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.service_tokens import ServicePlatform, ServiceTokens, as_service_platform
from lms.tool_keys import current_signing_key
from series.store.database import Database
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


def service_platform(services: Services, platform_id: int) -> ServicePlatform:
    """Raises LmsError."""
    with services.database.read() as connection:
        row = get_platform(connection, platform_id)
    if row is None:
        raise LmsError("The LMS is no longer registered.")
    return as_service_platform(row)
