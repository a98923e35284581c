"""kill -9 at the worst moments: before the score is posted, between the post and the mark, and while events are made.

Real processes over real HTTP: the sandbox's gradebook and calendar, `lti-tool serve`, `moodle-sync worker`. After a
restart the LMS has the one right value, and no row is stuck.
"""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from config.clock import Clock
from lms.ags import SCOPE_RESULT_READONLY, SCOPE_SCORE
from lms.tool_keys import ensure_tool_key
from sandbox_lms.campus import MALTA, Campus
from sandbox_lms.server import Sandbox
from series.deliveries import LEASE
from series.rule import Kind, Rule
from series.sessions import Series, Session, Status
from series.store.database import Database
from series.store.deliveries import list_deliveries
from series.store.evidence import NewEvidence, record_evidence
from series.store.launch_values import NewVisit
from series.store.launches import open_visit
from series.store.sessions import add_series, save_import
from series.store.universities import add_platform, add_university
from tests.clocks import move_clock
from tests.conftest import make_environment
from tests.databases import Databases
from tests.integration.sandbox_client import campus_platform
from tests.ports import free_port
from tests.seeds import ENCRYPTION_KEY
from tests.waiting import until

BIN = Path(sys.executable).parent
STUDENT = MALTA.students[0].user_id


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One participant of one campus, one session that is running, and the processes around them."""

    database: Database
    sandbox: Sandbox
    clock: Clock
    environment: dict[str, str]
    session: Session
    participant_id: int

    @property
    def campus(self) -> Campus:
        return self.sandbox.campuses["malta"]

    def check_in(self) -> None:
        new = NewEvidence(
            participant_id=self.participant_id,
            session_id=self.session.session_id,
            kind=Kind.CODE,
            source="check-in",
            source_id="1",
            observed_at=self.clock.now(),
        )
        with self.database.write() as connection:
            assert record_evidence(connection, new, now=self.clock.now())

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([BIN / command[0], *command[1:]], env=self.environment, stderr=subprocess.DEVNULL)

    def later(self, span: timedelta) -> None:
        """Move every clock of the scene, so that a lease ends without waiting for it."""
        move_clock(self.clock, by=span)

    def delivery_states(self) -> list[str]:
        with self.database.read() as connection:
            return [row.state for row in list_deliveries(connection, state=None)]

    def lms(self) -> dict[str, list[dict[str, object]]]:
        """What the gradebook and the calendar hold."""
        with urllib.request.urlopen(f"{self.campus.issuer}/sandbox/state", timeout=10) as answer:
            state: dict[str, list[dict[str, object]]] = json.load(answer)
            return state


@pytest.fixture
def scene(tmp_path: Path, databases: Databases) -> Iterator[Scene]:
    with ExitStack() as stack:
        url = stack.enter_context(databases.fresh("sqlite"))
        port = free_port()
        clock = Clock(offset_file=tmp_path / "clock")
        clock.offset_file.write_text("0")  # type: ignore[union-attr]
        sandbox = Sandbox(tmp_path / "sandbox", [replace(MALTA, port=0)], f"http://localhost:{port}", clock)
        sandbox.start()
        stack.callback(sandbox.stop)
        environment = make_environment(f"http://localhost:{port}", url)
        environment["SHARED_SESSIONS_CLOCK_FILE"] = str(tmp_path / "clock")
        database = Database(url)
        stack.callback(database.dispose)
        ensure_tool_key(database, encryption_key=ENCRYPTION_KEY, now=clock.now())
        session, participant_id = _people_and_session(database, sandbox.campuses["malta"], clock)
        scene = Scene(
            database=database,
            sandbox=sandbox,
            clock=clock,
            environment=environment,
            session=session,
            participant_id=participant_id,
        )
        tool = scene.start("lti-tool", "serve", "--port", str(port))
        stack.callback(tool.wait, 20)
        stack.callback(tool.terminate)
        until(lambda: _answers(f"http://127.0.0.1:{port}/readyz"), "the tool is ready", within_s=30)
        yield scene


@pytest.mark.parametrize(
    ("hold", "posted"), [("hold_token", False), ("hold_score_before", False), ("hold_score_after", True)]
)
def test_a_worker_killed_during_a_delivery_leaves_one_right_grade(scene: Scene, hold: str, *, posted: bool) -> None:
    switches = scene.sandbox.sites["malta"].switches
    switches.set(**{hold: True})
    scene.check_in()
    with _worker(scene) as worker:
        assert switches.wait_until_held(hold, timeout_s=20)  # type: ignore[arg-type]
        _kill(worker)
    assert bool(scene.lms()["grades"]) is posted
    assert scene.delivery_states() == ["due"]

    switches.reset()
    scene.later(LEASE + timedelta(seconds=1))
    with _worker(scene):
        until(lambda: scene.delivery_states() == ["delivered"], "the delivery is marked", within_s=30)
    grades = scene.lms()["grades"]
    assert [(grade["user_id"], grade["score"]) for grade in grades] == [(STUDENT, 100)]


def test_a_killed_workers_delivery_is_taken_over_by_another_one(scene: Scene) -> None:
    switches = scene.sandbox.sites["malta"].switches
    switches.set(hold_score_after=True)
    scene.check_in()
    with _worker(scene) as worker:
        assert switches.wait_until_held("hold_score_after", timeout_s=20)
        with _worker(scene):
            _kill(worker)
            switches.reset()
            scene.later(LEASE + timedelta(seconds=1))
            until(lambda: scene.delivery_states() == ["delivered"], "the survivor marks it", within_s=30)
    assert len(scene.lms()["grades"]) == 1


def test_a_worker_stopped_politely_ends_the_work_in_hand(scene: Scene) -> None:
    switches = scene.sandbox.sites["malta"].switches
    switches.set(hold_score_after=True)
    scene.check_in()
    with _worker(scene) as worker:
        assert switches.wait_until_held("hold_score_after", timeout_s=20)
        worker.terminate()
        switches.reset()
        assert worker.wait(30) == 0
    assert scene.delivery_states() == ["delivered"]


def _people_and_session(database: Database, campus: Campus, clock: Clock) -> tuple[Session, int]:
    now, registration = clock.now().replace(microsecond=0), campus.registration()
    series = Series(series_id=uuid4(), slug="s", title="Series", time_zone="Europe/Malta", source=None)
    session = Session(
        session_id=uuid4(),
        series_id=series.series_id,
        title="A session",
        description="",
        hosting_university=None,
        hosting_university_id=None,
        join_url=None,
        start_at=now - timedelta(minutes=10),
        end_at=now + timedelta(hours=2),
        wall_start=(now - timedelta(minutes=10)).replace(tzinfo=None),
        zone="UTC",
        status=Status.PLANNED,
        moved_from_at=None,
        sequence=0,
    )
    with database.write() as connection:
        university_id = add_university(
            connection, slug="malta", name=campus.name, country="MT", time_zone=campus.time_zone, language="en"
        )
        new = campus_platform(campus, "malta", university_id)
        platform_id = add_platform(connection, new, now=now)
        add_series(connection, series, rule=Rule(required=1), now=now)
        save_import(connection, series.series_id, new=[(session, ("u", now))], changed=[], rekeyed=[], now=now)
        visit = NewVisit(
            visit_id="visit",
            proof_hash="",
            nonce="nonce",
            nonce_expires_at=now,
            platform_id=platform_id,
            university_id=1,
            issuer=registration.issuer,
            deployment_id=registration.deployment_id,
            sub=STUDENT,
            is_teacher=False,
            is_learner=True,
            is_test_user=False,
            is_administrator=False,
            resource_link_id="1",
            context_id=str(campus.course_id),
            context_title="Course",
            return_url=None,
            locale=None,
            line_item_url=f"{registration.issuer}/mod/lti/services.php/2/lineitems/4/lineitem?type_id=1",
            line_items_url=None,
            ags_scopes=(SCOPE_SCORE, SCOPE_RESULT_READONLY),
            memberships_url=None,
            custom_series_id=None,
            custom_session_id=None,
        )
        return session, open_visit(connection, visit, now=now, secret_key=b"a key").participant_id


class _worker:  # noqa: N801 - reads as a function
    """A running `moodle-sync worker`, ended at the end of the block if it is still there."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._process = self._scene.start("moodle-sync", "worker")
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def _kill(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(10) == -signal.SIGKILL


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
