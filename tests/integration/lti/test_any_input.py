"""Whatever comes: a page with a reason, never an error of ours, and nothing of a person or a secret in the log.

5,000 launches and logins with `make attack`, a fifth of them in every run: whole walks on SQLite, and single steps on
both databases, which refuse different text.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lti_tool.protocol.login import proof_name
from tests.conftest import PUBLIC_URL
from tests.databases import KINDS, Databases
from tests.integration.lti.conftest import new_lms
from tests.integration.lti.lms import KeySets, base64url, claim
from tests.integration.lti.made_launches import HINTS, PERSON, MadeLaunch, Walker, made_launches
from tests.integration.lti.tool import Browser, Login, login_form, open_tool
from tests.integration.lti.twists import NRPS, Place, Request, any_header, any_json, change_of_a_claim, changed
from tests.integration.lti.watched import LogInMemory, Watched, log_in_memory

WALKS, LAUNCHES, FORMS_AND_TOKENS = 2_200, 80, 310  # and 2 x 80 and 4 x 310 on each of two databases: 5,000
SHARE = 1 if os.environ.get("ALL_ATTACKS") else 5
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "", "…"]
PATHS = ["/lti/login", "/lti/login/malta", "/lti/launch", "/lti/check"]
FIELDS = ["iss", "client_id", "target_link_uri", "lti_deployment_id"]


def examples(count: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count // SHARE, deadline=None, database=None, suppress_health_check=slow)


@pytest.fixture(scope="module")
def log() -> Iterator[LogInMemory]:
    with log_in_memory() as opened:
        yield opened


@contextmanager
def open_watched(
    kind: str, databases: Databases, key_sets: KeySets, folder: Path, log: LogInMemory
) -> Iterator[Watched]:
    malta, vilnius = new_lms("malta", key_sets), new_lms("vilnius", key_sets)
    with databases.fresh(kind) as url, open_tool(url, malta, vilnius, folder / "clock") as tool:
        log.take()  # what was said while the database was made
        yield Watched(tool=tool, log=log)


@pytest.fixture(scope="module")
def on_sqlite(
    databases: Databases, key_sets: KeySets, tmp_path_factory: pytest.TempPathFactory, log: LogInMemory
) -> Iterator[Watched]:
    with open_watched("sqlite", databases, key_sets, tmp_path_factory.mktemp("any"), log) as opened:
        yield opened


@pytest.fixture(scope="module")
def walker(on_sqlite: Watched) -> Walker:
    return Walker(app=on_sqlite.tool.app, lms=on_sqlite.tool.malta)


@pytest.fixture(scope="module", params=KINDS)
def watched(
    request: pytest.FixtureRequest,
    databases: Databases,
    key_sets: KeySets,
    tmp_path_factory: pytest.TempPathFactory,
    log: LogInMemory,
) -> Iterator[Watched]:
    with open_watched(request.param, databases, key_sets, tmp_path_factory.mktemp("any"), log) as opened:
        yield opened


@pytest.fixture(scope="module")
def used_login(watched: Watched) -> tuple[Browser, Login]:
    """For what never gets as far as spending its nonce."""
    return begin_login(watched)


def begin_login(watched: Watched) -> tuple[Browser, Login]:
    browser = watched.tool.new_browser()
    return browser, browser.begin_login(watched.tool.malta, HINTS)


def secrets_of(browser: Browser, login: Login) -> list[str]:
    proof = browser.get_cookie(proof_name(login.state), path="/lti")
    assert proof is not None
    return [login.state, login.parameters["nonce"], proof.value]


@examples(WALKS)
@given(made=made_launches())
def test_any_walk_from_login_to_visit_holds(on_sqlite: Watched, walker: Walker, made: MadeLaunch) -> None:
    on_sqlite.log.take()  # what an example that failed may have left
    walk = walker.go(made)
    on_sqlite.hold(*walk.answers, secrets=walk.secrets)


@pytest.mark.parametrize("host", ["a..b", ".a", "x" * 64, "", "[::1", "a:99999999", "é", "evil.example"])
@pytest.mark.parametrize("path", ["/lti/login", "/lti//login", "//lti/launch"])
def test_whatever_host_is_asked_for_it_is_ours(on_sqlite: Watched, host: str, path: str) -> None:
    answer = Request(method="GET", path=path, headers=(("Host", host),)).send(on_sqlite.tool.app)
    on_sqlite.hold(answer)
    assert answer.status_code != 308 or answer.location.startswith(f"{PUBLIC_URL}/")


@examples(LAUNCHES)
@given(change=change_of_a_claim)
@example(change=(("sub",), "\0"))
@example(change=((claim("context"), "title"), "\0"))
@example(change=((claim("context"), "id"), "9" * 12))
@example(change=((claim("launch_presentation"), "locale"), "x" * 300))
@example(change=((claim("launch_presentation"), "return_url"), "https://[::1/"))
@example(change=((NRPS, "context_memberships_url"), "https://["))
@example(change=(("exp",), 10**400))
def test_any_value_of_any_claim_is_accepted_or_refused(watched: Watched, change: tuple[Place, object]) -> None:
    browser, login = begin_login(watched)
    before = watched.tool.rows()
    id_token = login.lms.sign(changed(login.claims(PERSON), *change))
    answer = browser.launch(login, id_token)
    watched.hold(answer, secrets=[*secrets_of(browser, login), id_token, *id_token.split(".")])
    if answer.status_code == 303:
        assert browser.get(answer.location).status_code == 200
    else:
        assert watched.tool.rows() == before


@examples(FORMS_AND_TOKENS)
@given(payload=st.binary(max_size=300) | any_json.map(lambda value: json.dumps(value).encode()))
@example(payload=b'{"x":' + b"[" * 40_000 + b"]" * 40_000 + b"}")
def test_any_signed_payload_is_refused(watched: Watched, used_login: tuple[Browser, Login], payload: bytes) -> None:
    browser, login = used_login
    answer = browser.launch(login, login.lms.sign(payload))
    watched.hold(answer, secrets=secrets_of(browser, login))
    assert answer.status_code != 303


@examples(LAUNCHES)
@given(header=any_json | any_header)
@example(header="alg")
def test_any_header_is_accepted_or_refused(watched: Watched, header: object) -> None:
    browser, login = begin_login(watched)
    answer = browser.launch(login, login.lms.sign(login.claims(PERSON), header=header))
    watched.hold(answer, secrets=secrets_of(browser, login))


@examples(FORMS_AND_TOKENS)
@given(parts=st.lists(st.binary(max_size=60).map(base64url) | st.text(max_size=20), max_size=6))
def test_any_token_is_refused(watched: Watched, used_login: tuple[Browser, Login], parts: list[str]) -> None:
    browser, login = used_login
    answer = browser.launch(login, ".".join(parts))
    watched.hold(answer, secrets=secrets_of(browser, login))
    assert answer.status_code != 303


@examples(FORMS_AND_TOKENS)
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=300), content_type=st.sampled_from(FORMS))
def test_any_bytes_as_a_form_are_refused(watched: Watched, path: str, body: bytes, content_type: str) -> None:
    browser = watched.tool.new_browser()
    posted = browser.post(path, data=body, content_type=content_type)
    got = browser.get(f"{path}?{quote_from_bytes(body)}")
    watched.hold(posted, got)
    assert posted.status_code >= 400
    assert got.status_code >= 400


@examples(FORMS_AND_TOKENS)
@given(
    changes=st.dictionaries(
        st.sampled_from(FIELDS),
        st.text(max_size=50) | st.sampled_from(["http://localhost:8999/\0", "http://localhost:8999/é", "http://["]),
        max_size=3,
    ),
    slug=st.sampled_from(["", "/malta"]) | st.text(min_size=1, max_size=10).map(lambda text: f"/{text}"),
)
def test_any_login_is_accepted_or_refused(watched: Watched, changes: dict[str, str], slug: str) -> None:
    browser = watched.tool.new_browser()
    form = login_form(watched.tool.malta) | HINTS | changes
    answer = browser.post(f"/lti/login{quote_from_bytes(slug.encode())}", data=form)
    watched.hold(answer)
    if answer.status_code == 303:
        checked = browser.get(answer.location)
        watched.hold(checked)
        assert checked.status_code == 302
    else:
        assert answer.status_code in {308, 400, 404}
