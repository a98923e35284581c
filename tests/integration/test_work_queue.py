"""The queue beside the rows: it may lose a trigger, and must never stop anybody."""

import subprocess
import sys
from pathlib import Path

from structlog.testing import capture_logs

from series.store.database import Database
from series.store.work_queue import WorkQueue
from tests.at_once import THREADS, at_once

SECRET_KEY = b"a test's secret key, long enough for all"


def test_many_programs_that_start_at_once_on_a_new_database_all_get_the_queue(database: Database) -> None:
    queues = at_once(database, lambda own, _: WorkQueue(own.url, SECRET_KEY))
    for number, queue in enumerate(queues):
        queue.enqueue("deliver", number)
    assert queues[0].huey.pending_count() == THREADS
    assert not queues[-1].is_idle()
    for queue in queues:
        queue.huey.storage.close()


def test_a_trigger_that_is_lost_is_a_warning_and_no_error(tmp_path: Path) -> None:
    queue = WorkQueue(f"sqlite:///{tmp_path}/x.db", SECRET_KEY)
    queue.huey.storage.close()
    (tmp_path / "x.db.queue").write_bytes(b"no database any more " * 500)
    with capture_logs() as records:
        queue.enqueue("deliver", 1)
    assert [(record["event"], record["row_id"]) for record in records] == [("trigger_lost", 1)]


def test_a_trigger_of_another_version_is_no_error(sqlite_url: str) -> None:
    queue = WorkQueue(sqlite_url, SECRET_KEY)
    queue.enqueue("mirror", 7)
    with capture_logs() as records:
        queue.huey.execute(queue.huey.dequeue())
    assert [record["event"] for record in records if record.get("job") == "mirror"] == ["trigger_unknown"]
    assert not [record for record in records if record["log_level"] == "error"]
    queue.huey.storage.close()


def test_a_stop_is_said_before_the_work_in_hand_has_ended(sqlite_url: str) -> None:
    script = (
        "import os, signal, sys, threading; from series.store.work_queue import WorkQueue\n"
        f"queue, said = WorkQueue(sys.argv[1], {SECRET_KEY!r}), threading.Event()\n"
        "def job(_):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(said.wait(10))\n"
        "queue.enqueue('job', 1)\n"
        "queue.work({'job': job}, threads=1, on_stop=said.set)"
    )
    done = subprocess.run([sys.executable, "-c", script, sqlite_url], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["True"]
