"""An LMS's services as the worker calls them, with a look at everything that it sends there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
import responses
from joserfc import jwt
from msgspec import structs

from lms.ags import SCOPE_RESULT_READONLY, SCOPE_SCORE, AgsEndpoint, Result, read_result
from lms.service_tokens import ServicePlatform, ServiceTokens
from lms.tool_keys import current_signing_key
from moodle_sync.deliver_scores import deliver
from sandbox_lms.campus import MALTA, Campus
from tests.integration.partner import Partner, open_partner
from tests.integration.sandbox_client import TOOL_KEY
from tests.seeds import ENCRYPTION_KEY, LAUNCH, launch

TOKEN = "/mod/lti/token.php"
SCORES = "/mod/lti/services.php/2/lineitems/4/lineitem/scores"
RESULTS = "/mod/lti/services.php/2/lineitems/4/lineitem/results"
MARIA, GORG = "3", "5"


@dataclass(frozen=True, kw_only=True)
class Service:
    """Malta's services as the worker calls them, and everything that it sends there."""

    partner: Partner
    platform: ServicePlatform
    endpoint: AgsEndpoint
    wire: responses.RequestsMock

    def result(self, user_id: str = MARIA, *, tokens: ServiceTokens | None = None) -> Result | None:
        services = self.partner.services
        return read_result(services.http, tokens or services.tokens, self.platform, self.endpoint, user_id)

    def grade(self, user_id: str, given: int) -> None:
        """The person has a grade; who sent it is not us, and not on our wire."""
        score = self.partner.world.score(userId=user_id, scoreGiven=given, scoreMaximum=100)
        assert self.partner.world.post_score(score).status_code == 200
        self.wire.calls.reset()
        self.partner.calls()

    def sent(self, path: str) -> list[requests.PreparedRequest]:
        """Our requests to this path, in their order."""
        return [call.request for call in self.wire.calls if urlsplit(str(call.request.url)).path == path]

    def token_forms(self) -> list[dict[str, list[str]]]:
        return [parse_qs(str(request.body), strict_parsing=True) for request in self.sent(TOKEN)]

    def assertions(self) -> list[jwt.Token]:
        """With which we asked for tokens; signed by the one key that we publish."""
        return [jwt.decode(form["client_assertion"][0], TOOL_KEY, algorithms=["RS256"]) for form in self.token_forms()]

    def scopes_asked(self) -> list[str]:
        return [form["scope"][0] for form in self.token_forms()]

    def scopes_given(self) -> set[str]:
        """What the LMS's tokens are good for, each in one string."""
        with self.partner.world.sandbox.sites["malta"].database.read() as connection:
            return {row["scopes"] for row in connection.execute("SELECT scopes FROM access_token")}

    def drop_tokens(self) -> None:
        """The LMS forgets its tokens before they expire, as after a purge of its caches."""
        with self.partner.world.sandbox.sites["malta"].database.write() as connection:
            connection.execute("DELETE FROM access_token")

    def tokens(self, *, ahead: timedelta) -> ServiceTokens:
        """Those of a process whose clock is `ahead` of the LMS's."""
        services = self.partner.services

        def now() -> datetime:
            return services.clock.now() + ahead

        return ServiceTokens(services.http, current_signing_key(services.database, ENCRYPTION_KEY, now), now)

    def check_in(self, *scopes: str) -> int:
        """Maria launches, with these scopes in the claim, and checks in; the delivery's id."""
        self.launch(*scopes)
        return self.partner.check_in()

    def launch(self, *scopes: str) -> None:
        new = structs.replace(
            LAUNCH,
            sub=MARIA,
            platform_id=self.platform.platform_id,
            line_item_url=self.endpoint.line_item_url,
            ags_scopes=scopes,
        )
        launch(self.partner.services.database, new, now=self.partner.now)

    def deliver(self, delivery_id: int) -> tuple[str, str | None]:
        """(state, outcome) after one attempt."""
        deliver(self.partner.services, delivery_id)
        row = self.partner.delivery(delivery_id)
        return row.state, row.outcome


@contextmanager
def open_service(folder: Path, database_url: str, campus: Campus = MALTA) -> Iterator[Service]:
    with (
        open_partner(folder, database_url, campus) as partner,
        responses.RequestsMock(assert_all_requests_are_fired=False) as wire,
    ):
        registration = partner.world.campus.registration()
        for method in ("GET", "POST"):  # written down, and really sent
            wire.add(method, re.compile(re.escape(registration.issuer) + "/"), passthrough=True)
        wire.add_passthru(partner.world.tool_url)  # the LMS reads our key set
        yield Service(
            partner=partner,
            platform=ServicePlatform(
                platform_id=partner.seeded.platform_id,
                client_id=registration.client_id,
                token_endpoint=registration.token_endpoint,
            ),
            endpoint=AgsEndpoint(
                line_item_url=partner.world.line_item_url(), scopes=frozenset({SCOPE_SCORE, SCOPE_RESULT_READONLY})
            ),
            wire=wire,
        )
