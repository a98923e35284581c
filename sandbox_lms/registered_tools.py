"""The tools of a campus: the one that is there from the start, and those that registered themselves.

The newest active one stands behind the activities of the course, so that a tool which has registered can be launched.
"""

import hashlib
import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from sandbox_lms.site import Site

TOKEN_LIFE_S = 3600  # as Moodle's
State = Literal["pending", "active"]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """`audience`: what its tokens are asked of. `deployment_id`: none before somebody has deployed it."""

    client_id: str
    name: str
    deployment_id: str | None
    initiate_login_uri: str
    redirect_uri: str
    scopes: tuple[str, ...]
    audience: str
    state: State
    product: str
    configuration: dict[str, Any]


class TokenUsed(Exception):
    """This registration token has been used."""


class TokenUnknown(Exception):
    """No registration token of this campus, or it has expired."""


def current_tool(site: Site) -> Tool:
    """What the activities launch."""
    active = [tool for tool in all_tools(site) if tool.state == "active"]
    return active[-1] if active else first_tool(site)


def first_tool(site: Site) -> Tool:
    """Entered by hand, before anybody registers."""
    campus = site.campus
    login_path = f"/lti/login/{campus.slug}" if campus.tool_login == "path-get" else "/lti/login"
    return Tool(
        client_id=campus.client_id,
        name="Shared Sessions",
        deployment_id=campus.deployment_id,
        initiate_login_uri=site.tool_url + login_path,
        redirect_uri=site.launch_url,
        scopes=campus.scopes,
        audience=campus.habits.token_audience or campus.registration().token_endpoint,
        state="active",
        product=campus.product,
        configuration={},
    )


def find_tool(site: Site, client_id: str | None) -> Tool | None:
    """Active or not."""
    known = [first_tool(site), *all_tools(site)]
    return next((tool for tool in known if tool.client_id == client_id), None)


def all_tools(site: Site) -> list[Tool]:
    """Those that registered themselves, the oldest first."""
    with site.database.read() as connection:
        rows = connection.execute("SELECT * FROM registered_tool WHERE campus = ? ORDER BY number", (site.slug,))
        return [_tool(row) for row in rows]


def add_tool(site: Site, tool: Tool) -> None:
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO registered_tool (campus, client_id, name, deployment_id, initiate_login_uri, redirect_uri,"
            " scopes, audience, state, product, configuration) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                site.slug,
                tool.client_id,
                tool.name,
                tool.deployment_id,
                tool.initiate_login_uri,
                tool.redirect_uri,
                " ".join(tool.scopes),
                tool.audience,
                tool.state,
                tool.product,
                json.dumps(tool.configuration),
            ),
        )


def activate_tool(site: Site, client_id: str) -> None:
    """What an administrator does afterwards; where the registration named no deployment, they make one."""
    with site.database.write() as connection:
        connection.execute(
            "UPDATE registered_tool SET state = 'active', deployment_id = coalesce(deployment_id, ?)"
            " WHERE campus = ? AND client_id = ?",
            (f"deployment-{secrets.token_hex(4)}", site.slug, client_id),
        )


def new_registration_token(site: Site) -> str:
    token = secrets.token_urlsafe(24)
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO registration_token (token_hash, campus, expires_at_s, used) VALUES (?, ?, ?, 0)",
            (_hash(token), site.slug, site.now_s() + TOKEN_LIFE_S),
        )
    return token


def knows_token(site: Site, token: str) -> bool:
    """Whether it may still be used, or was."""
    with site.database.read() as connection:
        return _row(connection, site, token) is not None


def spend_token(site: Site, token: str) -> None:
    """Raises TokenUnknown, TokenUsed."""
    with site.database.write() as connection:
        row = _row(connection, site, token)
        if row is None:
            raise TokenUnknown
        if row["used"]:
            raise TokenUsed
        connection.execute("UPDATE registration_token SET used = 1 WHERE token_hash = ?", (_hash(token),))


def _row(connection: sqlite3.Connection, site: Site, token: str) -> Any:
    return connection.execute(
        "SELECT used FROM registration_token WHERE token_hash = ? AND campus = ? AND expires_at_s > ?",
        (_hash(token), site.slug, site.now_s()),
    ).fetchone()


def _tool(row: sqlite3.Row) -> Tool:
    return Tool(
        client_id=row["client_id"],
        name=row["name"],
        deployment_id=row["deployment_id"],
        initiate_login_uri=row["initiate_login_uri"],
        redirect_uri=row["redirect_uri"],
        scopes=tuple(row["scopes"].split()),
        audience=row["audience"],
        state=row["state"],
        product=row["product"],
        configuration=json.loads(row["configuration"]),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
