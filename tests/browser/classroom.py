"""A course in the middle of a series, served from this process: the real tool on a real port, its LMS, and the worker's
steps when they are asked for. Made in a moment, so that each module has one of its own."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import structs
from playwright.sync_api import FrameLocator, Page, expect

from config.clock import Clock
from lms.products import product_of
from moodle_sync import jobs
from moodle_sync.deliver_scores import deliver
from moodle_sync.services import Services, make_services
from sandbox_lms.campus import MALTA, Campus, Person
from sandbox_lms.gradebook import all_grades
from sandbox_lms.server import Sandbox
from series.people import Visit
from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Rule
from series.staff import Role
from series.store.deliveries import due_ids
from series.store.keys import add_tool_key
from series.store.rescoring import SETTLE
from series.store.rules import set_rule
from series.store.runs import slot_by_hand
from series.store.sessions import save_import
from tests.clocks import move_clock
from tests.conftest import make_settings
from tests.examples import SERIES, SESSION, moved, weekly
from tests.integration.sandbox_client import TOOL_KEY
from tests.integration.served_tool import serve_tool
from tests.integration.staff.desk import COORDINATOR, add_account
from tests.seeds import LAUNCH, PLATFORM, Seeded, launch, seed

RULE = Rule(
    ways=(
        CHECK_IN,
        (Demand(kind=Kind.RECORDING, at_least=80, within_days=14),),
        (Demand(kind=Kind.REFLECTION, at_least=8, within_days=14),),
        CONFIRMED,
    ),
    required=2,
)
OVER, RUNNING = "Energy without borders", "Inquiry at the beach"
TITLES = (OVER, RUNNING, "Robots in the kindergarten", "Mathematics in the museum")


@dataclass(frozen=True, kw_only=True)
class Classroom:
    """Malta's course. Of the four sessions the first is over and the second runs since ten minutes."""

    tool_url: str
    sandbox: Sandbox
    services: Services
    seeded: Seeded

    @property
    def campus(self) -> Campus:
        return self.sandbox.campuses["malta"]

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    @property
    def over(self) -> UUID:
        return self.seeded.session_ids[0]

    @property
    def running(self) -> UUID:
        return self.seeded.session_ids[1]

    def advance(self, by: timedelta) -> None:
        """Tool, worker and LMS together."""
        move_clock(self.services.clock, by=by)

    def came(self, person: Person) -> Visit:
        """The person has opened the activity before."""
        at = f"{self.campus.url}/mod/lti/services.php/{self.campus.course_id}/lineitems/4/lineitem?type_id=1"
        new = structs.replace(
            LAUNCH,
            sub=person.user_id,
            platform_id=self.seeded.platform_id,
            issuer=self.campus.issuer,
            nonce_expires_at=self.now + timedelta(minutes=20),
            line_item_url=at,
        )
        return launch(self.services.database, new, now=self.now)

    def work(self) -> None:
        """What the worker would do about grades until nothing is due, after what has changed has settled."""
        self.advance(SETTLE)
        for scope in jobs.rescore_scopes(self.services):
            run_id = jobs.begin(self.services, "rescore", scope, slot=slot_by_hand())
            assert run_id is not None
            jobs.run_rescore(self.services, run_id)
        with self.services.database.read() as connection:
            due = due_ids(connection, now=self.now, limit=100, per_platform=100, but_not=())
        for delivery_id in due:
            deliver(self.services, delivery_id)

    def work_while(self, **switches: Any) -> None:
        """With these switches of the LMS."""
        self.sandbox.switches["malta"].set(**switches)
        self.work()
        self.sandbox.switches["malta"].reset()

    def grade(self, person: Person) -> float | None:
        """In the LMS's gradebook, out of 100."""
        grades = all_grades(self.sandbox.sites["malta"], 4)
        return next((grade.score for grade in grades if grade.user_id == person.user_id), None)

    def open_activity(self, page: Page, person: Person) -> FrameLocator:
        """The tool in its frame in the course, of somebody who signs in at the LMS."""
        form: dict[str, str | float | bool] = {"username": person.username, "password": person.password}
        page.context.request.post(f"{self.campus.url}/sign-in", form=form, max_redirects=0)
        page.goto(f"{self.campus.url}/activity/1")
        frame = page.frame_locator("iframe.tool")
        expect(frame.locator("#main h1")).to_be_visible()
        return frame


@contextmanager
def open_classroom(folder: Path, database_url: str) -> Iterator[Classroom]:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listening.getsockname()[1]
        clock_file = folder / "clock"
        tool_url = f"http://localhost:{port}"
        settings = replace(make_settings(database_url), public_url=tool_url, clock_file=clock_file)
        campus = replace(MALTA, port=0)
        sandbox = stack.enter_context(Sandbox(folder / "sandbox", [campus], tool_url, Clock(offset_file=clock_file)))
        services = make_services(settings)
        stack.callback(services.queue.huey.storage.close)
        stack.callback(services.database.dispose)
        stack.callback(services.http.close)
        seeded = _seed(services, sandbox.campuses["malta"])
        add_account(services.database, COORDINATOR, "Maria Borg", Role.COORDINATOR, settings)
        stack.enter_context(serve_tool(settings, listening))
        yield Classroom(tool_url=tool_url, sandbox=sandbox, services=services, seeded=seeded)


def _seed(services: Services, campus: Campus) -> Seeded:
    registration, now = campus.registration(), services.clock.now()
    platform = replace(
        PLATFORM,
        issuer=registration.issuer,
        client_id=registration.client_id,
        authorization_endpoint=registration.authorization_endpoint,
        token_endpoint=registration.token_endpoint,
        jwks_uri=registration.jwks_uri,
        product=product_of(registration.issuer, registration.token_endpoint),
        deployment_ids=(registration.deployment_id,),
    )
    seeded = seed(services.database, sessions=(), platform=platform, now=now)
    first_at = now - timedelta(weeks=1, minutes=10)
    sessions = [
        replace(moved(session, first_at - SESSION.start_at), title=title)
        for session, title in zip(weekly(len(TITLES)), TITLES, strict=True)
    ]
    with services.database.write() as connection:
        set_rule(connection, SERIES.series_id, RULE, by="staff 1", now=first_at)
        new = [(session, (f"{session.session_id}@example", session.start_at)) for session in sessions]
        save_import(connection, SERIES.series_id, new=new, changed=(), rekeyed=(), now=first_at)
        pem = TOOL_KEY.as_pem(private=True)
        add_tool_key(
            connection, kid="tool-key", private_key_pem=pem, encryption_key=services.settings.encryption_key, now=now
        )
    return replace(seeded, sessions=tuple(sessions))
