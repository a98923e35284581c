"""Opaque access tokens: kept as hashes, good for an hour by the campus's clock, with exactly the scopes granted."""

import hashlib
import secrets
from collections.abc import Iterable

from sandbox_lms.site import Site

LIFE_S = 3600


def issue_token(site: Site, scopes: Iterable[str]) -> str:
    token = secrets.token_hex(16)
    with site.database.write() as connection:
        connection.execute("DELETE FROM access_token WHERE campus = ? AND expires_at_s < ?", (site.slug, site.now_s()))
        connection.execute(
            "INSERT INTO access_token (token_hash, campus, scopes, expires_at_s) VALUES (?, ?, ?, ?)",
            (_hash(token), site.slug, " ".join(scopes), site.now_s() + LIFE_S),
        )
    return token


def find_scopes(site: Site, token: str) -> set[str] | None:
    """The scopes of a token of this campus; None if it never was one or has expired."""
    with site.database.read() as connection:
        row = connection.execute(
            "SELECT scopes FROM access_token WHERE token_hash = ? AND campus = ? AND expires_at_s > ?",
            (_hash(token), site.slug, site.now_s()),
        ).fetchone()
    return set(row["scopes"].split()) if row else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
