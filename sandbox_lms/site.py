"""One running campus: what every request handler of its LMS works with."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app

from config.clock import Clock
from sandbox_lms.campus import Campus
from sandbox_lms.database import Database
from sandbox_lms.journal import Journal
from sandbox_lms.keys import signing_key_pem
from sandbox_lms.switches import Switches

EXTENSION = "sandbox_site"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A campus at its real port, its tool and its state. Shared by the threads of one server."""

    campus: Campus
    tool_url: str
    clock: Clock
    database: Database
    first_key_pem: str = field(repr=False)
    switches: Switches = field(default_factory=Switches)
    journal: Journal = field(default_factory=Journal)

    @property
    def slug(self) -> str:
        return self.campus.slug

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.campus.time_zone)

    @property
    def signing_key_pem(self) -> str:
        """Of the key that the switches say. Only this one is published."""
        number = self.switches.settings.key_number
        return self.first_key_pem if number == 1 else signing_key_pem(self.database, f"{self.slug} {number}")

    @property
    def launch_url(self) -> str:
        """The tool's one redirect_uri and target_link_uri."""
        return f"{self.tool_url}/lti/launch"

    def now(self) -> datetime:
        return self.clock.now()

    def at(self, seconds: float) -> datetime:
        """In the campus's own time. `seconds`: since 1970."""
        return datetime.fromtimestamp(seconds, self.zone)

    def now_s(self) -> int:
        return int(self.now().timestamp())


def the_site() -> Site:
    """The campus that the present request came to."""
    site: Site = current_app.extensions[EXTENSION]
    return site
