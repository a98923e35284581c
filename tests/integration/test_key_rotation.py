"""A rotation as an operator makes it: by command, while a server publishes, a worker signs and an LMS checks."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from config.clock import Clock
from lms.ags import SCOPE_SCORE
from lms.service_tokens import ServicePlatform
from lms.tool_keys import SigningKey, current_signing_key, ensure_tool_key
from moodle_sync.services import Services, make_services
from sandbox_lms.campus import MALTA
from sandbox_lms.server import Sandbox
from tests.clocks import move_clock
from tests.conftest import make_settings
from tests.integration.test_command_line import BIN, Shell
from tests.integration.test_key_commands import environment_of
from tests.ports import free_port
from tests.waiting import until

KEYS = ("lti-tool", "keys")
ROTATE = (*KEYS, "rotate")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A server in a process of its own, this process as the worker, and an LMS that reads the server's key set."""

    shell: Shell
    url: str
    clock_file: Path
    services: Services
    current: Callable[[], SigningKey]
    platform: ServicePlatform

    def states(self) -> dict[object, object]:
        """Key id to its state, as `keys list` shows them."""
        return {row["kid"]: row["state"] for row in self.shell.json(*KEYS, "list")}

    def published(self) -> set[str]:
        """The key ids that the server publishes."""
        answer = requests.get(f"{self.url}/lti/jwks.json", timeout=30)
        return {key["kid"] for key in answer.json()["keys"]}

    def signs(self) -> str:
        """The id of the key with which this process signs, now that the LMS has trusted it once more."""
        tokens, scopes = self.services.tokens, [SCOPE_SCORE]
        tokens.forget(self.platform, scopes, tokens.token(self.platform, scopes))
        tokens.token(self.platform, scopes)
        return self.current().kid

    def jump(self, by: timedelta) -> None:
        move_clock(Clock(offset_file=self.clock_file), by=by)


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    port, clock_file = free_port(), tmp_path / "clock"
    url = f"http://127.0.0.1:{port}"
    settings = replace(make_settings(database_url), public_url=url, clock_file=clock_file)
    shell = Shell(environment={**os.environ, **environment_of(settings)})
    clock_file.write_text("0")
    with ExitStack() as stack:
        services = make_services(settings)
        stack.callback(services.database.dispose)
        stack.callback(services.http.close)
        ensure_tool_key(services.database, encryption_key=settings.encryption_key, now=services.clock.now())
        command = [BIN / "lti-tool", "serve", "--port", str(port)]
        server = subprocess.Popen(command, env=shell.environment, stderr=subprocess.DEVNULL)
        stack.callback(server.wait, 20)
        stack.callback(server.terminate)
        sandbox = stack.enter_context(Sandbox(tmp_path / "lms", [replace(MALTA, port=0)], url, settings.clock()))
        registration = sandbox.campuses["malta"].registration()
        platform = ServicePlatform(
            platform_id=1, client_id=registration.client_id, token_endpoint=registration.token_endpoint
        )
        until(lambda: _is_ready(url), "the server is ready", within_s=60)
        yield Installation(
            shell=shell,
            url=url,
            clock_file=clock_file,
            services=services,
            current=current_signing_key(services.database, settings.encryption_key, services.clock.now),
            platform=platform,
        )


def test_a_rotation_is_seen_by_every_process_without_a_restart_and_refused_by_no_lms(
    installation: Installation,
) -> None:
    (first,) = installation.published()
    assert installation.signs() == first

    said = installation.shell.succeeds(*ROTATE)
    assert f"{installation.url}/lti/jwks.json" in said
    (second,) = installation.published() - {first}
    assert said.startswith(f"The new key {second} is published from now on")
    assert installation.signs() == first

    installation.jump(24 * HOUR + MINUTE)
    assert installation.signs() == second
    assert installation.published() == {first, second}

    installation.jump(7 * 24 * HOUR)
    assert installation.published() == {second}
    assert installation.signs() == second
    assert installation.states() == {second: "signing", first: "retired"}


def test_a_leaked_key_is_replaced_in_every_process_at_once(installation: Installation) -> None:
    (first,) = installation.published()
    assert installation.signs() == first
    installation.shell.succeeds(*ROTATE, "--at-once", stdin="y\n")
    (second,) = installation.published()
    assert second != first
    assert installation.signs() == second
    assert installation.states() == {second: "signing", first: "retired"}


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False
