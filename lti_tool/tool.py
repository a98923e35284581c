"""What every page needs, made once for each process."""

from dataclasses import dataclass

from flask import current_app

from config.clock import Clock
from config.settings import Settings
from lms.guarded import GuardedSession
from lms.key_cache import PlatformKeys
from lms.service_tokens import ServiceTokens
from lms.turnstile import Turnstile
from lti_tool.arrivals import Arrivals
from lti_tool.known_platforms import KnownPlatforms
from lti_tool.passwords import Passwords
from series.limits import Pace
from series.store.database import Database
from series.store.work_queue import WorkQueue

LMS_WITHIN_S = 6.0  # no page waits longer for a token, and then for a roster


@dataclass(frozen=True, kw_only=True)
class Tool:
    settings: Settings
    database: Database
    clock: Clock
    http: GuardedSession
    platform_keys: PlatformKeys
    service_tokens: ServiceTokens
    turnstile: Turnstile
    queue: WorkQueue
    known_platforms: KnownPlatforms
    arrivals: Arrivals
    passwords: Passwords
    login_pace: Pace
    refusal_pace: Pace


def the_tool() -> Tool:
    """The tool of the running app."""
    tool: Tool = current_app.extensions["shared_sessions"]
    return tool
