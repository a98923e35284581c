"""The queue beside the rows: it may lose a trigger, and must never stop anybody."""

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
