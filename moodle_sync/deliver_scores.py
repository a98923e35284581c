"""One score to one gradebook: claim, post, then mark, postpone or give up."""

import random

import structlog

from lms.ags import AgsEndpoint, compose_score, post_score, read_result
from lms.errors import LmsError, NotGranted, ScoreConflict
from lms.products import Product
from lms.service_tokens import ServicePlatform
from moodle_sync.services import Services
from series.deliveries import Delivery, next_attempt_at
from series.store import deliveries
from series.store.universities import get_platform

log = structlog.get_logger()


class GradebookIsNewer(LmsError):
    """The LMS holds something that is newer than our score, and another one."""

    permanent = True

    def __init__(self) -> None:
        super().__init__("The gradebook was changed after this score, by somebody else; we do not overwrite that.")


def deliver(services: Services, delivery_id: int) -> None:
    """Send the delivery, if it is due and nobody else has it. May be repeated and interrupted at any point: the bytes
    are the same each time, and the gradebook orders them by their timestamps."""
    with services.database.write() as connection:
        claimed = deliveries.claim(connection, delivery_id, now=services.clock.now())
    if claimed is None:
        return
    try:
        outcome = _send(services, claimed)
    except LmsError as error:
        _decide(services, claimed, error)
    except Exception as error:
        log.exception("delivery_broke", delivery_id=delivery_id)
        _decide(services, claimed, LmsError(f"An error of ours ({type(error).__name__}); it has been noted."))
    else:
        with services.database.write() as connection:
            deliveries.mark_delivered(connection, delivery_id, outcome=outcome, now=services.clock.now())
        log.info("delivered", delivery_id=delivery_id, attempts=claimed.attempts)


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
    )
    try:
        post_score(services.http, services.tokens, platform, endpoint, body)
    except ScoreConflict:
        return _look_at_result(services, platform, endpoint, delivery)
    return "Delivered."


def _look_at_result(services: Services, platform: ServicePlatform, endpoint: AgsEndpoint, delivery: Delivery) -> str:
    """After a 409: our own score, sent before somebody stopped us, or a newer grade of somebody else?"""
    try:
        result = read_result(services.http, services.tokens, platform, endpoint, delivery.sub)
    except NotGranted:
        return _trust_a_repetition(delivery)
    if delivery.score_given == 0 and (result is None or result.result_score is None):
        return "Delivered."  # what was taken back is no longer there
    ours = delivery.score_given / delivery.score_maximum
    if result is not None and result.result_score is not None:
        theirs = result.result_score / (result.result_maximum or 1)
        if abs(theirs - ours) < 0.0005:  # LMSs round
            return "Delivered."
    raise GradebookIsNewer


def _trust_a_repetition(delivery: Delivery) -> str:
    """After a 409 where we may not look: a first attempt has met somebody else's grade, a later one most likely an
    earlier one of ours, whose answer was lost."""
    if delivery.attempts == 1:
        raise GradebookIsNewer
    return "Delivered, unless somebody has changed the grade since: the LMS does not let us look."


def _decide(services: Services, delivery: Delivery, error: LmsError) -> None:
    """Never, or later: by the kind of the error and the age of the delivery."""
    now = services.clock.now()
    again_at = next_attempt_at(
        now,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        retry_after_s=error.retry_after_s,
        jitter=random.random(),  # noqa: S311 - spreads load, hides nothing
    )
    with services.database.write() as connection:
        if error.permanent or again_at is None:
            deliveries.mark_failed(connection, delivery.delivery_id, outcome=str(error))
        else:
            deliveries.postpone(connection, delivery.delivery_id, outcome=str(error), next_attempt_at=again_at)
    log.warning(
        "not_delivered", delivery_id=delivery.delivery_id, error=type(error).__name__, permanent=error.permanent
    )


def service_platform(services: Services, platform_id: int) -> ServicePlatform:
    with services.database.read() as connection:
        row = get_platform(connection, platform_id)
    if row is None:
        raise LmsError("The LMS is no longer registered.")
    return ServicePlatform(
        platform_id=row.platform_id,
        client_id=row.client_id,
        token_endpoint=row.token_endpoint,
        token_audience=row.token_audience,
        product=Product(row.product),
    )
