"""One score to one gradebook: claim, post, then mark, postpone or give up."""

from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from lms.ags import SCOPE_LINE_ITEM, AgsEndpoint, Result, compose_score, post_score, read_result
from lms.errors import LmsError, NotFound, NotGranted, ScoreConflict
from lms.line_items import is_line_item_there
from lms.service_tokens import ServicePlatform
from moodle_sync.services import Services, jitter, pause_platform, service_platform
from series.deliveries import ANSWERED_LATELY, GIVE_UP_AFTER, Delivery, after_the_pause, next_attempt_at
from series.store import deliveries, line_items
from series.store.database import Connection
from series.store.gradebook_pauses import resume

log = structlog.get_logger()
ANOTHER_LINE_ITEM_AFTER = timedelta(days=1)  # whoever deletes the column again and again should not fight with us
_ANOTHER_LINE_ITEM = (
    "The grade column was deleted in the LMS. Within a day the tool looks for another one, or makes one, and sends the"
    " grades there."
)


class GradebookIsNewer(LmsError):
    """The LMS holds something that is newer than our score, and another one."""

    permanent = True

    def __init__(self) -> None:
        super().__init__(
            "The gradebook was changed after this score, by somebody else; we do not overwrite that unless somebody"
            " sends it again."
        )


class LineItemGone(NotFound):
    """It is the line item that is not there any more, not the person."""


class Came(StrEnum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    LATER = "later"
    NEVER = "never"


def deliver(services: Services, delivery_id: int) -> Came | None:
    """Send the delivery, if it is due and nobody else has it. May be repeated and interrupted at any point: the bytes
    are the same each time, and the gradebook orders them by their timestamps."""
    claimed_at = services.clock.now()
    with services.database.write() as connection:
        claimed = deliveries.claim(connection, delivery_id, now=claimed_at)
    if claimed is None:
        return None
    result = attempt(services, claimed)
    with services.database.write() as connection:
        return settle(connection, claimed, result, claimed_at=claimed_at, now=services.clock.now())


def attempt(services: Services, delivery: Delivery) -> str | LmsError:
    """The calls for a claimed delivery: with a sentence, the gradebook holds our score; or what went wrong."""
    try:
        return _find_it_there(services, delivery) or _send(services, delivery)
    except LmsError as error:
        return error
    except Exception as error:
        log.exception("delivery_broke", delivery_id=delivery.delivery_id)
        return LmsError(f"An error of ours ({type(error).__name__}); it has been noted.")


def settle(
    connection: Connection, delivery: Delivery, result: str | LmsError, *, claimed_at: datetime, now: datetime
) -> Came:
    """Write down what came of an attempt: for the delivery, and for its platform."""
    is_of_platform = isinstance(result, LmsError) and result.of_platform
    if delivery.is_probe and not is_of_platform:
        resume(connection, delivery.platform_id)
    if isinstance(result, LmsError):
        return _decide(connection, delivery, result, claimed_at=claimed_at, now=now)
    deliveries.mark_delivered(connection, delivery.delivery_id, outcome=result, now=now)
    log.info("delivered", delivery_id=delivery.delivery_id, attempts=delivery.attempts)
    return Came.DELIVERED


def _find_it_there(services: Services, delivery: Delivery) -> str | None:
    """What a worker that died has sent is not sent twice where we may look: to some LMSs that is a second attempt."""
    if not delivery.was_cut_off:
        return None
    platform = service_platform(services, delivery.platform_id)
    endpoint = AgsEndpoint(line_item_url=delivery.line_item_url, scopes=delivery.ags_scopes)
    try:
        result = read_result(services.http, services.tokens, platform, endpoint, delivery.sub)
    except LmsError as error:
        if error.of_platform:
            raise
        return None
    return "Delivered." if _is_ours(result, delivery) else None


def _send(services: Services, delivery: Delivery) -> str:
    """Returns when the gradebook holds our score, with a sentence that says so."""
    platform = service_platform(services, delivery.platform_id)
    endpoint = AgsEndpoint(line_item_url=delivery.line_item_url, scopes=delivery.ags_scopes)
    body = compose_score(
        platform.product,
        user_id=delivery.sub,
        given=delivery.score_given,
        maximum=delivery.score_maximum,
        at=delivery.score_at,
        version=delivery.version,
    )
    try:
        post_score(services.http, services.tokens, platform, endpoint, body)
    except ScoreConflict:
        return _look_at_result(services, platform, endpoint, delivery)
    except NotFound as error:
        if _is_line_item_gone(services, platform, endpoint):
            raise LineItemGone(str(error), status=error.status) from None
        raise
    return "Delivered."


def _is_line_item_gone(services: Services, platform: ServicePlatform, endpoint: AgsEndpoint) -> bool:
    """By the LMS's own word. It is not asked where we could not get another one anyway."""
    if SCOPE_LINE_ITEM not in endpoint.scopes:
        return False
    try:
        return not is_line_item_there(
            services.http, services.tokens, platform, endpoint.line_item_url, scopes=endpoint.scopes
        )
    except LmsError as error:
        if error.of_platform:
            raise
        return False


def _look_at_result(services: Services, platform: ServicePlatform, endpoint: AgsEndpoint, delivery: Delivery) -> str:
    """After a 409: our own score, sent before somebody stopped us, or a newer grade of somebody else?"""
    try:
        result = read_result(services.http, services.tokens, platform, endpoint, delivery.sub)
    except NotGranted:
        return _trust_a_repetition(delivery)
    if _is_ours(result, delivery):
        return "Delivered."
    raise GradebookIsNewer


def _is_ours(result: Result | None, delivery: Delivery) -> bool:
    if result is None or result.result_score is None:
        return delivery.score_given == 0  # what was taken back is no longer there
    theirs = result.result_score / (result.result_maximum or 1)
    return abs(theirs - delivery.score_given / delivery.score_maximum) < 0.0005  # LMSs round


def _trust_a_repetition(delivery: Delivery) -> str:
    """After a 409 where we may not look: a first attempt has met somebody else's grade, a later one most likely an
    earlier one of ours, whose answer was lost."""
    if delivery.attempts == 1:
        raise GradebookIsNewer
    return "Delivered, unless somebody has changed the grade since: the LMS does not let us look."


def _decide(
    connection: Connection, delivery: Delivery, error: LmsError, *, claimed_at: datetime, now: datetime
) -> Came:
    """Never, or later: by the kind of the error and the age of the delivery. A platform that does not answer is left
    alone with all that waits for it; nothing is given up for that."""
    log.warning(
        "not_delivered", delivery_id=delivery.delivery_id, error=type(error).__name__, permanent=error.permanent
    )
    again_at: datetime | None = None
    trying_since = delivery.trying_since
    if error.of_platform:
        by = f"delivery {delivery.delivery_id}"
        until = pause_platform(connection, delivery.platform_id, error, by=by, claimed_at=claimed_at, now=now)
        again_at = after_the_pause(until, attempts=delivery.attempts)
        # Where others get through, the fault is this one's: its line item may be at an address that is no more.
        takes_others = deliveries.takes_scores(connection, delivery.platform_id, since=now - ANSWERED_LATELY)
        trying_since = (trying_since or now) if takes_others else None
        if trying_since is not None and now - trying_since > GIVE_UP_AFTER:
            again_at = None
    elif not error.permanent:
        if not isinstance(error, NotGranted):  # for a launch that grants it we wait however long
            trying_since = trying_since or now
        again_at = next_attempt_at(
            now,
            attempts=delivery.attempts,
            trying_since=trying_since or now,
            retry_after_s=error.retry_after_s,
            jitter=jitter(),
        )
    if again_at is None or error.permanent:
        _give_up(connection, delivery, error, now)
        return Came.NEVER
    deliveries.postpone(
        connection,
        delivery.delivery_id,
        outcome=str(error),
        next_attempt_at=again_at,
        trying_since=trying_since,
    )
    return Came.LATER


def _give_up(connection: Connection, delivery: Delivery, error: LmsError, now: datetime) -> None:
    if isinstance(error, LineItemGone) and line_items.forget_line_item(
        connection,
        delivery.delivery_id,
        problem=_ANOTHER_LINE_ITEM,
        next_attempt_at=now + ANOTHER_LINE_ITEM_AFTER,
    ):
        return
    was_refused = error.permanent and not isinstance(error, GradebookIsNewer)
    deliveries.mark_failed(connection, delivery.delivery_id, outcome=error.when_given_up, was_refused=was_refused)
