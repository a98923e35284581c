"""What `make bench` measures: each method does the thing once, on a real database file."""

import base64
import time
from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from lti_tool.protocol.id_token import read_token, verify
from lti_tool.protocol.platform import Platform
from series.rule import Kind
from series.store.database import Database
from series.store.evidence import NewEvidence, record_evidence
from series.store.launch_values import NewVisit
from series.store.launches import open_visit
from series.store.migrate import migrate
from series.store.sessions import save_import
from series.store.tables import spent_nonce
from tests.conftest import NOW
from tests.examples import SERIES, SESSION
from tests.integration.lti.conftest import new_lms
from tests.integration.lti.lms import KeySets, public_jwk, valid_claims
from tests.integration.lti.tool import Browser, Login, open_tool


class Bench:
    """A tool with one LMS; launches and people are prepared outside the measured time."""

    def __init__(self, folder: Path, *, times: int) -> None:
        self._stack = ExitStack()
        key_sets = KeySets()
        self._stack.callback(key_sets.stop)
        self._lms = new_lms("malta", key_sets)
        url = f"sqlite:///{folder}/bench.db"
        migrate(Database(url))
        self._tool = self._stack.enter_context(
            open_tool(url, self._lms, new_lms("vilnius", key_sets), folder / "clock")
        )
        self._platform = Platform(
            platform_id=1,
            university_id=1,
            slug="malta",
            issuer=self._lms.issuer,
            client_id=self._lms.client_id,
            authorization_endpoint="",
            jwks_uri="",
        )
        self._key = RSAKey.import_key(public_jwk(self._lms.key, self._lms.kid))
        self._token = self._lms.sign(valid_claims(self._lms, nonce="n", target_link_uri="u"))
        self._browser = self._tool.new_browser()
        self._logins: deque[tuple[Browser, Login, str]] = deque(self._login() for _ in range(times))
        self._people: deque[int] = deque(self._person() for _ in range(times))
        with self._tool.database.write() as connection:
            save_import(connection, SERIES.series_id, new=[(SESSION, ("u", NOW))], changed=[], rekeyed=[], now=NOW)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def verify(self) -> None:
        claims = verify(
            read_token(self._token), key=self._key, platform=self._platform, nonce="n", now=datetime.now(UTC)
        )
        assert claims.sub

    def rsa_verify(self) -> None:
        signed, _, signature = self._token.rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        self._lms.key.public_key().verify(raw, signed.encode(), padding.PKCS1v15(), SHA256())

    def launch(self) -> None:
        browser, login, id_token = self._logins.popleft()
        assert browser.launch(login, id_token).status_code == 303

    def healthz(self) -> None:
        assert self._browser.get("/healthz").status_code == 200

    def open_visit(self) -> None:
        self._person()

    def insert(self) -> None:
        self._insert(wait_for_disk=True)

    def quick_insert(self) -> None:
        self._insert(wait_for_disk=False)

    def _insert(self, *, wait_for_disk: bool) -> None:
        with self._tool.database.write(wait_for_disk=wait_for_disk) as connection:
            connection.execute(sa.insert(spent_nonce).values(nonce=uuid4().hex, expires_at=NOW))

    def check_in(self) -> None:
        new = NewEvidence(
            participant_id=self._people.popleft(),
            session_id=SESSION.session_id,
            kind=Kind.CODE,
            source="check-in",
            source_id="1",
            observed_at=NOW,
        )
        with self._tool.database.write() as connection:
            assert record_evidence(connection, new, now=NOW)

    def _login(self) -> tuple[Browser, Login, str]:
        """Of somebody else each time, in a browser of their own."""
        browser = self._tool.new_browser()
        login = browser.begin_login(self._lms)
        return browser, login, login.id_token({"exp": int(time.time()) + 600, "sub": uuid4().hex})

    def _person(self) -> int:
        name = uuid4().hex
        visit = NewVisit(
            visit_id=name,
            proof_hash="",
            nonce=name,
            nonce_expires_at=NOW,
            platform_id=1,
            university_id=1,
            issuer=self._lms.issuer,
            deployment_id=self._lms.deployment_id,
            sub=name,
            is_teacher=False,
            is_learner=True,
            is_test_user=False,
            is_administrator=False,
            resource_link_id="1",
            context_id="1",
            context_title="Course",
            return_url=None,
            locale=None,
            line_item_url=f"{self._lms.issuer}/lineitem",
            line_items_url=None,
            ags_scopes=(),
            memberships_url=None,
            custom_series_id=None,
            custom_session_id=None,
        )
        with self._tool.database.write(wait_for_disk=False) as connection:
            return open_visit(connection, visit, now=NOW, secret_key=b"a key").participant_id
