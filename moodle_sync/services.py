"""What every job of the worker needs, made once for each process."""

from dataclasses import dataclass

from config.clock import Clock
from config.settings import Settings
from lms.guarded import GuardedSession
from lms.service_tokens import ServiceTokens
from lms.tool_keys import current_signing_key
from series.store.database import Database
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
