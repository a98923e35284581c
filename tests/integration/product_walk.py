"""A university with an LMS of any product, the real tool on a real port, and the worker's steps: the whole walk."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import responses
import sqlalchemy as sa

from config.clock import Clock
from lms.nrps import as_roster_member, read_memberships
from lms.products import product_of
from moodle_sync.deliver_scores import attempt, deliver
from moodle_sync.find_line_items import due_line_items, find_line_item
from moodle_sync.services import Services, make_services, service_platform
from sandbox_lms.campus import GRANTED_SCOPES, MALTA, Campus, Person
from sandbox_lms.gradebook import all_grades
from sandbox_lms.products.table import Product
from sandbox_lms.server import Sandbox
from sandbox_lms.site import Site
from sandbox_lms.switches import Switches
from series.deliveries import LEASE
from series.people import Visit
from series.rosters import RosterMember
from series.store.deliveries import DeliveryRow, claim, due_ids, list_deliveries
from series.store.evidence import facts_of, retract_evidence
from series.store.keys import add_tool_key
from series.store.tables import course
from series.store.visits import find_visit
from tests.clocks import move_clock
from tests.conftest import make_settings
from tests.examples import SESSION, moved, weekly
from tests.integration.sandbox_client import SCOPES, TIMEOUT_S, TOOL_KEY, Form, campus_platform, form_of
from tests.integration.served_tool import serve_tool
from tests.seeds import Seeded, code_of, record, seed

GRADED, UNGRADED = True, False
STUDENT, TEACHER = MALTA.students[0], MALTA.members[-1]


def campus_of(product: Product, *, grades_activities: bool = GRADED, without: str = "") -> Campus:
    """`without`: the name of a scope that it does not grant."""
    scopes = tuple(scope for scope in (*GRANTED_SCOPES, SCOPES["lineitem"]) if scope != SCOPES.get(without))
    return replace(MALTA, product=product, grades_activities=grades_activities, scopes=scopes, port=0)


@dataclass
class WalkingBrowser:
    """A browser: it keeps cookies by host name and sends them everywhere there, as ports do not part them."""

    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def send(self, method: str, url: str, **arguments: Any) -> requests.Response:
        jar = self.cookies.setdefault(str(urlsplit(url).hostname), {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        answer = requests.request(method, url, headers=headers, allow_redirects=False, timeout=TIMEOUT_S, **arguments)
        for line in answer.raw.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")  # SimpleCookie knows no Partitioned
            jar[name] = value
        return answer

    def follow(self, method: str, url: str, **arguments: Any) -> requests.Response:
        """Through redirects and forms that post themselves, as a browser with scripts does."""
        answer = self.send(method, url, **arguments)
        for _ in range(10):
            if answer.is_redirect:
                answer = self.send("GET", urljoin(answer.url, answer.headers["Location"]))
            elif 'id="form-post"' in answer.text:
                form: Form = form_of(answer)
                answer = self.send("POST", form.action, data=form.fields)
            else:
                return answer
        raise AssertionError(f"no end of redirects at {answer.url}")


@dataclass(frozen=True, kw_only=True)
class Walk:
    """One series, whose first session runs now; two of three sessions complete it."""

    tool_url: str
    sandbox: Sandbox
    services: Services
    seeded: Seeded
    clock: Clock

    @property
    def site(self) -> Site:
        return self.sandbox.sites["malta"]

    @property
    def switches(self) -> Switches:
        return self.site.switches

    def advance(self, seconds: float) -> None:
        move_clock(self.clock, by=timedelta(seconds=seconds))

    def opens(self, person: Person = STUDENT, activity_id: int = 1) -> tuple[Visit, str]:
        """The person signs in at the LMS and opens the activity; the visit, and the page that they see."""
        browser, url = WalkingBrowser(), self.site.campus.url
        signed_in = browser.send(
            "POST", f"{url}/sign-in", data={"username": person.username, "password": person.password}
        )
        assert signed_in.status_code == 303
        page = browser.follow("GET", f"{url}/launch/{activity_id}")
        assert page.status_code == 200, page.text
        opened = re.search(r"/visit/([^/]+)/", page.url)
        assert opened, page.url
        with self.services.database.read() as connection:
            found = find_visit(connection, opened[1], now=self.services.clock.now())
        assert found is not None
        return found.visit, page.text

    def keys(self) -> list[dict[str, str]]:
        """What the LMS publishes."""
        answer = requests.get(self.site.campus.registration().jwks_uri, timeout=TIMEOUT_S)
        keys: list[dict[str, str]] = answer.json()["keys"]
        return keys

    def roster(self) -> list[RosterMember]:
        """As the worker reads it, at the address that the last launch has named."""
        with self.services.database.read() as connection:
            url = connection.execute(sa.select(course.c.memberships_url)).scalar_one()
        platform = service_platform(self.services, self.seeded.platform_id)
        members = read_memberships(self.services.http, self.services.tokens, platform, url)
        return [one for one in map(as_roster_member, members) if one is not None]

    def finds_line_item(self) -> None:
        for placement_id in due_line_items(self.services, now=self.services.clock.now(), limit=10):
            find_line_item(self.services, placement_id)

    def attends(self, visit: Visit, session: int = 0) -> None:
        now = self.services.clock.now()
        record(self.services.database, code_of(visit, self.seeded.session_ids[session], at=now), now=now)

    def delivers(self) -> list[DeliveryRow]:
        """What is due is sent; all deliveries, the newest first."""
        with self.services.database.read() as connection:
            due = due_ids(connection, now=self.services.clock.now(), limit=10)
        for delivery_id in due:
            deliver(self.services, delivery_id)
        with self.services.database.read() as connection:
            return sorted(list_deliveries(connection, state=None), key=lambda row: -row.delivery_id)

    def dies_after_sending(self) -> None:
        """The worker that has sent what is due is killed before it could write that down."""
        now = self.services.clock.now()
        with self.services.database.write() as connection:
            claimed = [claim(connection, one, now=now) for one in due_ids(connection, now=now, limit=10)]
        for delivery in claimed:
            assert delivery is not None
            attempt(self.services, delivery)
        self.advance(LEASE.total_seconds() + 1)

    def takes_back(self, visit: Visit) -> None:
        with self.services.database.write() as connection:
            for fact in facts_of(
                connection, participant_id=visit.participant_id, series_id=self.seeded.series.series_id
            ):
                retract_evidence(
                    connection,
                    fact.evidence.evidence_id,
                    by="participant 9",
                    reason="Was not there.",
                    now=self.services.clock.now(),
                )

    def grades(self) -> dict[int, float | None]:
        """What the gradebook holds for the student, by line item; on the scale of the line item."""
        return {grade.line_item_id: grade.score for grade in all_grades(self.site) if grade.user_id == STUDENT.user_id}


@contextmanager
def open_walk(folder: Path, database_url: str, campus: Campus) -> Iterator[Walk]:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        tool_url = f"http://localhost:{listening.getsockname()[1]}"
        clock = Clock(offset_file=folder / "clock")
        settings = replace(make_settings(database_url), public_url=tool_url, clock_file=clock.offset_file)
        sandbox = stack.enter_context(Sandbox(folder / "sandbox", [campus], tool_url, clock))
        services = make_services(settings)
        stack.callback(services.queue.huey.storage.close)
        stack.callback(services.database.dispose)
        stack.callback(services.http.close)
        seeded = _seed(services, sandbox.campuses["malta"])
        stack.enter_context(serve_tool(settings, listening))
        yield Walk(tool_url=tool_url, sandbox=sandbox, services=services, seeded=seeded, clock=clock)


def _seed(services: Services, campus: Campus) -> Seeded:
    registration, now = campus.registration(), services.clock.now()
    product = product_of(registration.issuer, registration.token_endpoint)
    started_at = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    sessions = [moved(session, started_at - SESSION.start_at) for session in weekly(3)]
    platform = campus_platform(campus, "malta", 1, product=product)
    seeded = seed(services.database, sessions=sessions, platform=platform, now=now)
    with services.database.write() as connection:
        pem, encryption_key = TOOL_KEY.as_pem(private=True), services.settings.encryption_key
        add_tool_key(connection, kid="tool-key", private_key_pem=pem, encryption_key=encryption_key, now=now)
    return seeded


@contextmanager
def write_down() -> Iterator[responses.RequestsMock]:
    """Everything goes through; what was sent to an LMS is written down."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method in ("GET", "POST"):
            wire.add(method, re.compile("http://127.0.0.1:"), passthrough=True)
        wire.add_passthru("http://localhost")
        yield wire
