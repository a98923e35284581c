"""The floor: the least that a launch which cannot be replayed has to do.

A state that is signed and kept in a cookie; then form, RS256, parties, time and nonce; one transaction; a redirect. No
people, no courses, no visit, no words for what is wrong.
"""

import os
import secrets
import sqlite3
import time
from typing import Any
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa
from flask import Flask, Response, abort, redirect, request
from itsdangerous import URLSafeTimedSerializer
from joserfc import jws
from joserfc.jwk import RSAKey

from tests.benchmarks.known_lms import KnownLms, from_environment
from tests.integration.lti.tool import LAUNCH_URL

DATABASE = "BENCHMARK_FLOOR_DATABASE"
SYNCHRONOUS = "BENCHMARK_FLOOR_SYNCHRONOUS"  # FULL is durable; NORMAL does not wait for the disk
STATE_LIFE_S = 600
COOKIE = "state"
metadata = sa.MetaData()
spent = sa.Table("spent", metadata, sa.Column("nonce", sa.String(64), primary_key=True), sqlite_with_rowid=False)
SPEND = sa.insert(spent)


class Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str
    exp: int
    nonce: str


CLAIMS = msgspec.json.Decoder(Claims)


def make_app() -> Flask:
    lms, engine = from_environment(), _engine()
    key, states = RSAKey.import_key(lms.public_key), URLSafeTimedSerializer(secrets.token_bytes(32))
    app = Flask(__name__)

    @app.post("/lti/login/<_slug>")
    def login(_slug: str) -> Response:
        nonce = secrets.token_urlsafe(32)
        state = states.dumps(nonce)
        response = redirect(_authorization_url(lms, state, nonce), 302)
        response.set_cookie(COOKIE, state, max_age=STATE_LIFE_S, secure=True, httponly=True, samesite="None")
        return response

    @app.post("/lti/launch")
    def launch() -> Response:
        state = request.form["state"]
        if state != request.cookies[COOKIE]:
            abort(400)
        nonce = states.loads(state, max_age=STATE_LIFE_S)
        token = jws.deserialize_compact(request.form["id_token"], key, algorithms=["RS256"])
        claims = CLAIMS.decode(token.payload)
        if (claims.iss, claims.aud, claims.nonce) != (lms.issuer, lms.client_id, nonce) or claims.exp < time.time():
            abort(400)
        with engine.begin() as connection:
            connection.execute(SPEND, {"nonce": nonce})
        return redirect(f"/visit/{secrets.token_urlsafe(16)}/", 303)

    return app


def _engine() -> sa.Engine:
    engine = sa.create_engine(os.environ[DATABASE])
    sa.event.listen(engine, "connect", _prepare)
    metadata.create_all(engine)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {os.environ[SYNCHRONOUS]}")


def _authorization_url(lms: KnownLms, state: str, nonce: str) -> str:
    parameters = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": lms.client_id,
        "redirect_uri": LAUNCH_URL,
        "login_hint": request.form["login_hint"],
        "lti_message_hint": request.form["lti_message_hint"],
        "state": state,
        "nonce": nonce,
    }
    return f"{lms.authorization_endpoint}?{urlencode(parameters)}"
