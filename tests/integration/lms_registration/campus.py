"""A sandbox campus whose administrator registers the tool, and the real tool on a real database beside it."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from werkzeug.test import TestResponse

from config.settings import Settings
from sandbox_lms.campus import MALTA
from sandbox_lms.registered_tools import Tool, activate_tool, all_tools
from sandbox_lms.site import Site
from sandbox_lms.tool_pages import registration_address
from series.lms_invitations import LmsInvitation, make_token
from series.store.lms_invitations import find_invitation, make_invitation
from series.store.tables import deployment, platform
from series.store.universities import find_university
from tests.integration.sandbox_client import World
from tests.integration.staff.desk import OURS, Desk, Office, open_office


@dataclass(frozen=True, kw_only=True)
class Campus:
    """Malta's LMS is not registered yet; Vilnius is another university."""

    office: Office
    world: World
    settings: Settings

    @property
    def site(self) -> Site:
        return self.world.sandbox.sites["malta"]

    def play(self, product: str, *faults: str) -> None:
        self.site.switches.set(registers_as=product, registration_faults=faults)

    def invite(self, *, approves: bool = True, university: str = "malta", days: int = 7) -> LmsInvitation:
        now = self.office.tool.clock.now()
        with self.office.database.write() as connection:
            home = find_university(connection, university)
            return make_invitation(
                connection, home, approves=approves, life=timedelta(days=days), actor="operator", now=now
            )

    def path(self, invitation: LmsInvitation) -> str:
        return f"/lti/register/{make_token(invitation, secret_key=self.settings.secret_key)}"

    def opened_by_lms(self, invitation: LmsInvitation) -> str:
        """What the LMS opens: our path with what it adds."""
        parts = urlsplit(registration_address(self.site, self.settings.public_url + self.path(invitation)))
        return f"{parts.path}?{parts.query}"

    def asked_by(self, invitation: LmsInvitation) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.opened_by_lms(invitation)).query))

    def browser(self) -> Desk:
        return self.office.new_browser()

    def ask(self, invitation: LmsInvitation) -> TestResponse:
        return self.browser().get(self.opened_by_lms(invitation))

    def register(self, invitation: LmsInvitation, **fields: str) -> TestResponse:
        """Ask, and press the button."""
        page = self.ask(invitation)
        assert page.status_code == 200, page.text
        return self.press(invitation, page, **fields)

    def press(self, invitation: LmsInvitation, page: TestResponse, **fields: str) -> TestResponse:
        data = {"sealed": sealed_in(page)} | fields
        return self.browser().post(self.path(invitation), data=data, headers=OURS)

    def done(self, invitation: LmsInvitation) -> TestResponse:
        return self.browser().get(f"{self.path(invitation)}/done")

    def now_is(self, invitation: LmsInvitation) -> LmsInvitation:
        with self.office.database.read() as connection:
            found = find_invitation(connection, invitation.invitation_id)
        assert found is not None
        return found

    def platforms(self) -> list[Any]:
        with self.office.database.read() as connection:
            return list(connection.execute(sa.select(platform).order_by(platform.c.id)))

    def deployments(self) -> list[tuple[str, str]]:
        with self.office.database.read() as connection:
            rows = connection.execute(sa.select(deployment.c.deployment_id, deployment.c.state))
            return [(row.deployment_id, row.state) for row in rows]

    def tools(self) -> list[Tool]:
        """In the LMS."""
        return all_tools(self.site)

    def activate(self) -> None:
        activate_tool(self.site, self.tools()[-1].client_id)


def sealed_in(page: TestResponse) -> str:
    found = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


@contextmanager
def open_campus(settings: Settings, folder: Path) -> Iterator[Campus]:
    with World(folder / "world", (replace(MALTA, port=0),)) as world, open_office(settings) as office:
        with office.database.write() as connection:  # what other tests begin with
            connection.execute(sa.delete(deployment))
            connection.execute(sa.delete(platform))
        yield Campus(office=office, world=world, settings=settings)
