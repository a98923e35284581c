"""All scores of a series worked out anew, after its rule or its plan has changed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from series.rule import Score
from series.standing import score_of
from series.store.evidence import derive_completion
from series.store.records import records_of
from series.store.rules import course_count_of, rule_of
from series.store.scores import is_told, queue_scores, score_in
from series.store.tables import completion, counted, delivery, evidence, membership, placement, series, session
from series.store.turns import take_turns

SETTLE = timedelta(seconds=15)  # after a change: longer than what others do in one transaction by the rule before it


@dataclass(frozen=True, kw_only=True)
class Stale:
    """A series whose scores are to be worked out anew; `stale_at` names the last change."""

    series_id: UUID
    slug: str
    stale_at: datetime


def stale_series(connection: sa.Connection, *, now: datetime) -> list[Stale]:
    """Those that have settled."""
    rows = connection.execute(
        sa.select(series.c.id, series.c.slug, series.c.scores_stale_at)
        .where(series.c.scores_stale_at.is_not(None))
        .order_by(series.c.slug)
    )
    found = [Stale(series_id=row.id, slug=row.slug, stale_at=row.scores_stale_at) for row in rows]
    return [each for each in found if not now - SETTLE < each.stale_at <= now]  # a clock may have been put back


def find_stale(connection: sa.Connection, slug: str) -> Stale | None:
    """None when nothing has changed since the last time."""
    query = sa.select(series.c.id, series.c.scores_stale_at).where(series.c.slug == slug)
    row = connection.execute(query).one_or_none()
    if row is None or row.scores_stale_at is None:
        return None
    return Stale(series_id=row.id, slug=slug, stale_at=row.scores_stale_at)


def end_staleness(connection: sa.Connection, stale: Stale) -> bool:
    """Whether all is worked out; False when something has changed meanwhile, and all is to be done once more."""
    as_it_was = (series.c.id == stale.series_id) & (series.c.scores_stale_at == stale.stale_at)
    cleared = connection.execute(sa.update(series).where(as_it_was).values(scores_stale_at=None).returning(series.c.id))
    return cleared.one_or_none() is not None


def people_to_rescore(connection: sa.Connection, series_id: UUID) -> list[int]:
    """Participants who have something that may change, in the order of their ids. Whoever has neither completed
    anything nor been told of a score, and brought nothing before a start, has an empty grade by every rule."""
    completed = sa.select(completion.c.participant_id).join(session, completion.c.session_id == session.c.id)
    told = sa.select(delivery.c.participant_id).join(placement, delivery.c.placement_id == placement.c.id)
    early = sa.select(evidence.c.participant_id).join(session, evidence.c.session_id == session.c.id)
    found = sa.union(
        completed.where(session.c.series_id == series_id),
        told.where(placement.c.series_id == series_id),
        early.where(session.c.series_id == series_id, counted, _IS_EARLY),
    )
    return sorted(connection.execute(found).scalars())


_IS_EARLY = evidence.c.recorded_at < session.c.start_at  # judged when the session's rule could still change


def rescore(connection: sa.Connection, participant_ids: Collection[int], series_id: UUID, *, now: datetime) -> set[int]:
    """Derive their completions where the rule may have changed, queue the scores that differ; the new deliveries' ids.

    May be repeated. Nothing is lowered. They come after us with what they do meanwhile, and we after what they did.
    """
    participant_ids = take_turns(connection, participant_ids)
    for participant_id, session_id in _early_pairs(connection, participant_ids, series_id):
        derive_completion(connection, participant_id=participant_id, session_id=session_id, now=now)
    queued: set[int] = set()
    for participant_id in sorted(_whose_score_differs(connection, participant_ids, series_id, now)):
        queued.update(queue_scores(connection, participant_id=participant_id, series_id=series_id, now=now))
    return queued


def _early_pairs(
    connection: sa.Connection, participant_ids: Collection[int], series_id: UUID
) -> list[tuple[int, UUID]]:
    rows = connection.execute(
        sa.select(evidence.c.participant_id, evidence.c.session_id)
        .join(session, evidence.c.session_id == session.c.id)
        .where(session.c.series_id == series_id, counted, evidence.c.participant_id.in_(participant_ids), _IS_EARLY)
        .distinct()
    )
    return [(row.participant_id, row.session_id) for row in rows]


def _whose_score_differs(
    connection: sa.Connection, participant_ids: Collection[int], series_id: UUID, now: datetime
) -> set[int]:
    """Those with a line item that has heard something else, or nothing. A few queries for all of them, because mostly
    there are none; queue_scores has the last word."""
    cells = connection.execute(
        sa.select(membership.c.participant_id, placement.c.session_id, placement.c.course_id, placement.c.line_item_url)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(
            membership.c.participant_id.in_(participant_ids),
            membership.c.is_learner,
            placement.c.series_id == series_id,
            placement.c.line_item_url.is_not(None),
        )
    ).all()
    if not cells:
        return set()
    told = _last_told(connection, participant_ids, {cell.line_item_url for cell in cells})
    records, rule = records_of(connection, participant_ids, series_id), rule_of(connection, series_id)
    counts = {each: course_count_of(connection, each, series_id) for each in {cell.course_id for cell in cells}}
    found = set()
    for cell in cells:
        score = score_of(records[cell.participant_id], cell.session_id, rule, now, counts[cell.course_id])
        last = told.get((cell.line_item_url, cell.participant_id))
        if score.given if last is None else last != score:
            found.add(cell.participant_id)
    return found


def _last_told(
    connection: sa.Connection, participant_ids: Collection[int], line_item_urls: Collection[str]
) -> dict[tuple[str, int], Score | None]:
    """The newest version of each; None where it never went on its way."""
    rows = connection.execute(
        sa.select(
            delivery.c.line_item_url,
            delivery.c.participant_id,
            delivery.c.score_given,
            delivery.c.score_maximum,
            delivery.c.state,
        )
        .where(delivery.c.line_item_url.in_(line_item_urls), delivery.c.participant_id.in_(participant_ids))
        .order_by(delivery.c.version)
    )
    return {  # the last one of each wins
        (row.line_item_url, row.participant_id): score_in(row) if is_told(row) else None for row in rows
    }
