"""The tool as staff meet it: the real Flask app on a real database, one coordinator and one LMS admin."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from flask import Flask
from werkzeug.test import Client, TestResponse

from config.settings import Settings
from lti_tool.app import create_app
from lti_tool.pages.staff_proof import token_for
from lti_tool.pages.visit_proof import hash_proof
from lti_tool.passwords import Passwords
from lti_tool.tool import Tool
from series.staff import Role
from series.store.database import Database
from series.store.staff import Account, add_link, add_staff, require_account, spend_link
from series.store.tables import audit
from tests.conftest import PUBLIC_URL
from tests.integration.lti.tool import COMPILED_TEMPLATES
from tests.seeds import seed

OURS = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}
COORDINATOR, LMS_ADMIN = "maria@example.org", "jonas@example.org"
PASSWORD = "correct horse battery staple"


def cheap_passwords() -> Passwords:
    """The same with 8 KiB in place of 64 MiB: the real parameters stand in tests/unit/test_passwords.py."""
    return Passwords(CHEAPEST, nobodys=PasswordHasher.from_parameters(CHEAPEST).hash("nobody's"))


class Desk(Client):
    """One browser with its cookies."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        return super().open(*args, **({"environ_base": {"REMOTE_ADDR": "127.0.0.1"}} | more))

    def sign_in(self, email: str = COORDINATOR, password: str = PASSWORD, **more: Any) -> TestResponse:
        form = {"email": email, "password": password, "next": more.pop("onward", "")}
        return self.post("/admin/sign-in", data=form, headers=OURS | more.pop("headers", {}), **more)

    def send(self, page: str, action: str, **fields: str) -> TestResponse:
        """The form of `page` that posts to `action`, filled in."""
        data = {"form_token": form_token(self.get(page).text, action)} | fields
        return self.post(action, data=data, headers=OURS)

    def token(self, action: str) -> str:
        """As the pages of this sign-in make it: for a form that no page shows."""
        cookie = self.get_cookie("staff")
        assert cookie
        return token_for(cookie.value, action)

    def is_signed_in(self) -> bool:
        return self.get("/admin/").status_code == 200


def form_token(page: str, action: str) -> str:
    found = re.search(rf'action="{re.escape(action)}">\s*<input type="hidden" name="form_token" value="(\w+)"', page)
    assert found, page
    return found[1]


@dataclass(frozen=True, kw_only=True)
class Office:
    """Malta and Vilnius are there; both accounts have PASSWORD."""

    app: Flask
    database: Database
    clock_file: Path

    @property
    def tool(self) -> Tool:
        tool: Tool = self.app.extensions["shared_sessions"]
        return tool

    def new_browser(self) -> Desk:
        return Desk(self.app, self.app.response_class, use_cookies=True)

    def jump(self, by: timedelta) -> None:
        """Move the tool's clock, as seen from the real one."""
        self.clock_file.write_text(str(by.total_seconds()))

    def change_settings(self, **changes: Any) -> None:
        self.app.extensions["shared_sessions"] = replace(self.tool, settings=replace(self.tool.settings, **changes))

    def take_the_real_passwords(self) -> None:
        self.app.extensions["shared_sessions"] = replace(self.tool, passwords=Passwords())

    def account(self, email: str = COORDINATOR) -> Account:
        with self.database.read() as connection:
            return require_account(connection, email)

    def new_link(self, secret: str = "a-secret", email: str = COORDINATOR) -> str:
        """Its path."""
        with self.database.write() as connection:
            staff_id = require_account(connection, email).staff_id
            add_link(connection, staff_id, hash_proof(secret), now=self.tool.clock.now())
        return f"/admin/set-up/{secret}"

    def audit(self) -> list[tuple[str, str, str]]:
        with self.database.read() as connection:
            rows = connection.execute(sa.select(audit).order_by(audit.c.id))
            return [(row.actor, row.action, row.detail) for row in rows]


@contextmanager
def open_office(settings: Settings) -> Iterator[Office]:
    """`settings` must name a clock file."""
    assert settings.clock_file
    app = create_app(settings)
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    tool: Tool = replace(app.extensions["shared_sessions"], passwords=cheap_passwords())
    app.extensions["shared_sessions"] = tool
    seed(tool.database)
    add_account(tool.database, COORDINATOR, "Maria Borg", Role.COORDINATOR, settings)
    add_account(tool.database, LMS_ADMIN, "Jonas Petraitis", Role.LMS_ADMIN, settings, university_id=2)
    yield Office(app=app, database=tool.database, clock_file=settings.clock_file)
    tool.database.dispose()
    tool.http.close()
    tool.queue.huey.storage.close()


def add_account(
    database: Database, email: str, name: str, role: Role, settings: Settings, *, university_id: int | None = None
) -> None:
    now = settings.clock().now()
    with database.write() as connection:
        staff_id = add_staff(connection, email=email, name=name, role=role, university_id=university_id, now=now)
        add_link(connection, staff_id, f"link {staff_id}", now=now)
        spend_link(connection, f"link {staff_id}", password_hash=hash_of_password(), now=now)


@cache
def hash_of_password() -> str:
    """Made once: each takes its time on purpose."""
    return cheap_passwords().make_hash(PASSWORD)


def path_of(answer: TestResponse) -> str:
    """Where a redirect leads, which is always on our own origin."""
    parts = urlsplit(answer.location)
    assert (answer.status_code, f"{parts.scheme}://{parts.netloc}") == (303, PUBLIC_URL)
    return parts.path + (f"?{parts.query}" if parts.query else "")
