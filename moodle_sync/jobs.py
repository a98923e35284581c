"""The periodic jobs: each pass is a row in sync_run, begun once over all workers, ended with what came of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from lms.errors import LmsError
from moodle_sync.errors import NotACalendar, SourceUnreadable
from moodle_sync.import_series import hold_table, import_series
from moodle_sync.plan_words import held_in_words
from moodle_sync.preview_import import problem_line
from moodle_sync.publish_pooled import publish_pooled
from moodle_sync.refresh_rosters import counts_of, problems_of, refresh_university
from moodle_sync.rescore import rescore_series
from moodle_sync.seal_audit import seal_audit
from moodle_sync.services import Services
from moodle_sync.written import written
from series.store import runs
from series.store.activity_states import purge_waiting
from series.store.audit import WORKER
from series.store.calendar_sources import due_sources
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.limits import purge_full
from series.store.rescoring import stale_series
from series.store.retention_run import delete_what_had_its_time
from series.store.roster_reads import universities_due
from series.store.rules import freeze_all_started, series_to_freeze
from series.store.sessions import find_series
from series.store.staff import purge_links
from series.store.staff_sessions import purge_sessions
from series.store.uploads import drop_upload, find_upload, purge_uploads
from series.store.visits import purge_expired

log = structlog.get_logger()
KEEP_UPLOADS = timedelta(days=1)
KEEP_RUNS, KEEP_UNEVENTFUL_RUNS = timedelta(days=30), timedelta(days=2)
RESCORE_INTERVAL_S = 5
RESCORE_AGAIN_S = 300  # after one that failed


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of one run: counts by what was done, and a sentence for each thing to look at."""

    counts: dict[str, int]
    problems: list[str]
    separator: str = "; "

    @property
    def outcome(self) -> str:
        return "failed" if self.problems and not any(self.counts.values()) else "done"


def begin(services: Services, job: str, scope: str, *, slot: str) -> int | None:
    """The run's id, or None when another worker has the slot or the job is under way."""
    with services.database.write() as connection:
        return runs.begin_run(connection, job=job, scope=scope, slot=slot, now=services.clock.now())


def run_calendar(services: Services, run_id: int) -> None:
    """Read one series' calendar again; when it changed anything, mirror at once."""

    def work(scope: str) -> Report:
        with services.database.read() as connection:
            series = find_series(connection, scope)
        imported = import_series(services, series, series.source or "")
        counts = {"new": imported.new, "changed": imported.changed, "same": imported.same}
        problems = [f"“{problem.event}” {problem.fact}: {problem.done}" for problem in imported.problems]
        if imported.held is not None:
            counts["held"] = len(imported.held.changes)
            problems.insert(0, held_in_words(imported.held, series))
        if imported.refused is not None:
            problems.append("The calendar still says what was rejected; that was left out.")
        return Report(counts=counts, problems=problems)

    _guard(services, run_id, work)


def run_table(services: Services, run_id: int) -> None:
    """Read the table that somebody has uploaded for a series, and hold what it would change."""

    def work(scope: str) -> Report:
        with services.database.read() as connection:
            series = find_series(connection, scope)
            upload = find_upload(connection, series.series_id)
        if upload is None or upload.run_id != run_id:
            return Report(counts={}, problems=["The table is no longer there; please upload it once more."])
        try:
            imported = hold_table(services, series, upload)
        finally:
            with services.database.write() as connection:
                drop_upload(connection, run_id)
        problems = [problem_line(problem) for problem in imported.problems]
        changes = len(imported.held.changes) if imported.held else 0
        return Report(counts={"held": changes, "same": imported.same}, problems=problems, separator="\n")

    _guard(services, run_id, work)


def run_rescore(services: Services, run_id: int) -> Report:
    """Work out one series' scores anew."""

    def work(scope: str) -> Report:
        done = rescore_series(services, scope, run_id=run_id)
        counts = {"people": done.people, "changed": done.changed}
        if not done.broken:
            return Report(counts=counts, problems=[])
        said = f"People whose scores could not be worked out: {done.broken}; it has been noted."
        return Report(counts=counts, problems=[said])

    return _guard(services, run_id, work)


def run_rosters(services: Services, run_id: int, *, only_due: bool = True) -> Report:
    """Read who is in one university's courses."""

    def work(scope: str) -> Report:
        readings = refresh_university(services, scope, run_id=run_id, only_due=only_due)
        return Report(counts=counts_of(readings), problems=problems_of(readings), separator="\n")

    return _guard(services, run_id, work)


def run_pooled(services: Services, run_id: int) -> Report:
    """Renew the pooled numbers of one series."""

    def work(scope: str) -> Report:
        renewed = publish_pooled(services, scope)
        counts = {} if renewed is None else {"blocks": renewed.blocks, "universities": renewed.universities}
        return Report(counts=counts, problems=[])

    return _guard(services, run_id, work)


def run_seal(services: Services, run_id: int) -> Report:
    """Seal what was appended to the audit."""
    return _guard(services, run_id, lambda _: Report(counts=seal_audit(services), problems=[]))


def run_retention(services: Services, run_id: int) -> Report:
    """Delete what has had its time, and note how much of it."""

    def work(_: str) -> Report:
        deleted = delete_what_had_its_time(
            services.database, by=WORKER, now=services.clock.now(), on_batch=partial(_say_alive, services, run_id)
        )
        return Report(counts={kept.value: count for kept, count in deleted.items()}, problems=[])

    return _guard(services, run_id, work)


def _say_alive(services: Services, run_id: int) -> None:
    with services.database.write() as connection:
        runs.still_alive(connection, run_id, now=services.clock.now())


def roster_scopes(services: Services) -> Collection[str]:
    """Universities that have a roster to be read now."""
    with services.database.read() as connection:
        return universities_due(connection, now=services.clock.now())


def calendar_scopes(services: Services) -> Collection[str]:
    """Series that have a source to be read again, and no reason to wait."""
    with services.database.read() as connection:
        return due_sources(connection, now=services.clock.now())


def rescore_scopes(services: Services) -> dict[str, int]:
    """Series whose scores are to be worked out anew, each with how often to try, in seconds."""
    found = {}
    with services.database.read() as connection:
        for stale in stale_series(connection, now=services.clock.now()):
            last = runs.list_runs_of(connection, "rescore", stale.slug, limit=1)
            has_failed = any(run.outcome == "failed" or run.reason for run in last)
            found[stale.slug] = RESCORE_AGAIN_S if has_failed else RESCORE_INTERVAL_S
    return found


def freeze_rules(services: Services) -> None:
    """A session that has started keeps the rule with which it did, also when nobody has checked in yet."""
    now = services.clock.now()
    with services.database.read() as connection:
        if not series_to_freeze(connection, now=now):
            return
    with services.database.write() as connection:
        freeze_all_started(connection, now=now)


def clean_up(services: Services) -> None:
    """Drop what has had its time: spent nonces, closed visits, sign-ins and links of staff, who waits for nothing any
    more, old runs."""
    now = services.clock.now()
    with services.database.write() as connection:
        purge_expired(connection, now=now)
        purge_full(connection, now=now)
        purge_uploads(connection, before=now - KEEP_UPLOADS)
        purge_sessions(connection, now=now)
        purge_links(connection, now=now)
        purge_waiting(connection, now=now)
        runs.purge_runs(connection, before=now - KEEP_RUNS, uneventful_before=now - KEEP_UNEVENTFUL_RUNS)


def _guard(services: Services, run_id: int, work: Callable[[str], Report]) -> Report:
    """Run one job for one scope; whatever happens there stays there, and is written down in words."""
    with services.database.read() as connection:
        scope = runs.scope_of(connection, run_id)
    if scope is None:
        return Report(counts={}, problems=[])
    try:
        report = work(scope)
    except (LmsError, SourceUnreadable, NotACalendar, DatabaseBusy, DatabaseUnreachable) as error:
        report = Report(counts={}, problems=[str(error)])
    except Exception as error:
        log.exception("run_broke", run_id=run_id)
        report = Report(counts={}, problems=[f"An error of ours ({type(error).__name__}); it has been noted."])
    _end(services, run_id, scope, report)
    return report


def _end(services: Services, run_id: int, scope: str, report: Report) -> None:
    def write() -> None:
        with services.database.write() as connection:
            runs.end_run(
                connection,
                run_id,
                outcome=report.outcome,
                counts=report.counts,
                reason=report.separator.join(report.problems) or None,
                now=services.clock.now(),
            )
        log.info("run_ended", run_id=run_id, scope=scope, outcome=report.outcome, **report.counts)

    written(run_id, write)
