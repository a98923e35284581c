"""A line item for a placement that has none: look for it, make it, then queue everybody's scores."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from lms.ags import SCOPE_LINE_ITEM, SCOPE_SCORE
from lms.errors import LmsError, NotAllowed
from lms.line_items import NewLineItem, create_line_item, find_line_items
from moodle_sync.services import Services, jitter, pause_platform, service_platform
from series.deliveries import next_attempt_at
from series.store import line_items
from series.store.gradebook_pauses import resume
from series.store.line_items import LackingLineItem

log = structlog.get_logger()
SCOPES = (SCOPE_LINE_ITEM, SCOPE_SCORE)  # a column that we may not write to would be of no use
AFTER_A_REFUSAL = timedelta(days=1)  # until then somebody may have mended it in the LMS


class Searching:
    """The platforms that this process is asking for a line item: each gets one thread, because it may hang."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: Counter[int] = Counter()

    def platforms(self) -> list[int]:
        with self._lock:
            return [platform_id for platform_id, threads in self._at.items() if threads]

    @contextmanager
    def at(self, platform_id: int) -> Iterator[None]:
        with self._lock:
            self._at[platform_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._at[platform_id] -= 1


def due_line_items(services: Services, *, now: datetime, limit: int, but_not: Collection[int] = ()) -> list[int]:
    """Placements that want a line item now, one of each platform; not of the platforms `but_not`."""
    with services.database.read() as connection:
        return line_items.due_placements(connection, scopes=SCOPES, now=now, limit=limit, but_not=but_not)


def find_line_item(services: Services, placement_id: int, *, searching: Searching | None = None) -> None:
    """Find or make the placement's line item, if it is due and nobody else has it.

    May be repeated and interrupted at any point: what was made before a crash is found again by its resource id, and
    whose score was not queued yet is by the next attempt.
    """
    claimed_at = services.clock.now()
    with services.database.write() as connection:
        lacking = line_items.claim_placement(connection, placement_id, scopes=SCOPES, now=claimed_at)
    if lacking is None:
        return
    with (searching or Searching()).at(lacking.platform_id):
        _give_line_item(services, lacking, claimed_at)


def _give_line_item(services: Services, lacking: LackingLineItem, claimed_at: datetime) -> None:
    placement_id = lacking.placement_id
    try:
        if lacking.line_item_url is None:
            line_item_url = _find_or_make(services, lacking)
            with services.database.write() as connection:
                line_items.save_line_item(connection, placement_id, line_item_url)
                if lacking.is_probe:
                    resume(connection, lacking.platform_id)
        _queue_everybody(services, placement_id)
    except LmsError as error:
        _postpone(services, lacking, error, claimed_at)
    except Exception as error:
        log.exception("line_item_broke", placement_id=placement_id)
        ours = LmsError(f"An error of ours ({type(error).__name__}); it has been noted.")
        _postpone(services, lacking, ours, claimed_at)


def _find_or_make(services: Services, lacking: LackingLineItem) -> str:
    platform = service_platform(services, lacking.platform_id)
    found = find_line_items(
        services.http,
        services.tokens,
        platform,
        lacking.line_items_url,
        resource_id=lacking.resource_id,
        resource_link_id=lacking.resource_link_id,
        scopes=lacking.ags_scopes,
    )
    if found:
        log.info("line_item_found", placement_id=lacking.placement_id)
        return found[0]
    new = NewLineItem(
        label=lacking.label,
        score_maximum=lacking.score_maximum,
        resource_id=lacking.resource_id,
        resource_link_id=lacking.resource_link_id,
    )
    made = create_line_item(
        services.http, services.tokens, platform, lacking.line_items_url, new, scopes=lacking.ags_scopes
    )
    log.info("line_item_made", placement_id=lacking.placement_id)
    return made


def _queue_everybody(services: Services, placement_id: int) -> None:
    """One by one, so that check-ins and launches do not wait long."""
    with services.database.read() as connection:
        line_item_url = line_items.line_item_of(connection, placement_id)
        learners = line_items.learners_of(connection, placement_id)
    for participant_id in learners:
        with services.database.write() as connection:
            line_items.queue_score_of(connection, placement_id, participant_id, now=services.clock.now())
    with services.database.write() as connection:
        line_items.end_search(connection, placement_id, line_item_url)


def _postpone(services: Services, lacking: LackingLineItem, error: LmsError, claimed_at: datetime) -> None:
    now = services.clock.now()
    again_at = next_attempt_at(
        now,
        attempts=lacking.attempts,
        trying_since=now,
        retry_after_s=error.retry_after_s,
        jitter=jitter(),
    )
    if error.permanent or again_at is None:
        again_at = now + AFTER_A_REFUSAL
    with services.database.write() as connection:
        if error.of_platform and not isinstance(error, NotAllowed):  # scores may be allowed where columns are not
            by = f"placement {lacking.placement_id}"
            until = pause_platform(connection, lacking.platform_id, error, by=by, claimed_at=claimed_at, now=now)
            again_at = max(again_at, until)
        elif lacking.is_probe:
            resume(connection, lacking.platform_id)
        line_items.postpone_line_item(connection, lacking.placement_id, problem=str(error), next_attempt_at=again_at)
    log.warning("no_line_item", placement_id=lacking.placement_id, error=type(error).__name__)
