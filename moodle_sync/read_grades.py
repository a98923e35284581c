"""What the gradebook columns of single sessions hold: one call for each column, whoever many people it has."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lms.ags import SCOPE_RESULT_READONLY, AgsEndpoint, Result, read_results
from lms.errors import LmsError, TryLater, Unreachable
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.services import Services, service_platform
from series.collecting import CLOCKS_DIFFER, Graded, SentScore, is_echo, possible_echoes
from series.store.course_collects import CollectedCourse, OwnActivity, sent_scores


@dataclass(kw_only=True)
class Grades:
    """`graded`: by `sub` and placement, what may be new. `moved`: who has a new grade that is none of ours. `newest`:
    by line item, up to now: a time that has not come yet says nothing of those before it. `sent`: what of it may
    be our own echo, by placement and `sub`."""

    graded: dict[str, dict[int, Graded]] = field(default_factory=lambda: defaultdict(dict))
    moved: set[str] = field(default_factory=set)
    newest: dict[str, datetime] = field(default_factory=dict)
    sent: dict[int, dict[str, list[SentScore]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_grades(services: Services, access: MoodleAccess, course: CollectedCourse, *, of_all: bool) -> Grades:
    """`of_all`: also of what has been seen before. A column that cannot be read is a problem of its own; raises what
    says that the whole site is down."""
    found = Grades(newest=dict(course.results))
    for own in course.own_of_sessions:
        if own.line_item_url is None or SCOPE_RESULT_READONLY not in own.ags_scopes:
            continue
        endpoint = AgsEndpoint(line_item_url=own.line_item_url, scopes=own.ags_scopes)
        asked_at = services.clock.now()
        access.before_call()
        try:
            platform = service_platform(services, own.platform_id)
            results = read_results(services.http, services.tokens, platform, endpoint)
        except LmsError as error:
            if error.of_platform and isinstance(error, Unreachable | TryLater):
                raise
            found.problems.append(str(error))  # web services may answer all the same
            continue
        seen_at = None if of_all else course.results.get(own.line_item_url)
        _note_newest(found, own.line_item_url, results, asked_at)
        _add(services, found, own, results, seen_at=seen_at, asked_at=asked_at)
    return found


def _add(
    services: Services,
    found: Grades,
    own: OwnActivity,
    results: list[Result],
    *,
    seen_at: datetime | None,
    asked_at: datetime,
) -> None:
    """`seen_at`: of the newest result before; what is a little older may have come since, by another clock."""
    with services.database.read() as connection:
        sent = {sub: possible_echoes(scores, read_at=asked_at) for sub, scores in sent_scores(connection, own).items()}
    found.sent[own.placement_id] = sent
    for result in results:
        graded = _graded(result)
        if graded is None:
            continue
        at = graded.changed_at
        if at is not None and seen_at is not None and at < seen_at - CLOCKS_DIFFER:
            continue
        found.graded[result.user_id][own.placement_id] = graded
        if (seen_at is None or at is None or at > seen_at) and not is_echo(graded, sent.get(result.user_id, ())):
            found.moved.add(result.user_id)


def _note_newest(found: Grades, line_item_url: str, results: list[Result], asked_at: datetime) -> None:
    """Of all that the column holds now, whatever it was before."""
    found.newest.pop(line_item_url, None)
    graded_at = [at for result in results if (at := _instant(result.timestamp)) is not None]
    if graded_at:
        found.newest[line_item_url] = min(max(graded_at), asked_at)


def _graded(result: Result) -> Graded | None:
    score, maximum = result.result_score, result.result_maximum or 1
    if score is None or not math.isfinite(score) or not math.isfinite(maximum) or maximum <= 0:
        return None
    return Graded(part=score / maximum, changed_at=_instant(result.timestamp))


def _instant(text: str | None) -> datetime | None:
    """None as well for a time without a zone."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)
