"""Where a participant stands in the series, and what can still be done. Pure functions of what their evidence makes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from series.rule import (
    AFTERWARDS,
    IN_THE_SESSION,
    MAX_REQUIRED,
    Demand,
    Kind,
    Outcome,
    Rule,
    Score,
    SessionRule,
    Span,
    Way,
    is_by_recording,
    score_of_session,
)


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """One session as it stands for one participant. `rule`: the one in force for it."""

    session_id: UUID
    span: Span
    is_cancelled: bool
    rule: SessionRule
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class CourseCount:
    """What a course demands for its own grade in place of the series' number: so many of these sessions, or of all."""

    required: int
    session_ids: frozenset[UUID] | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """So many of so many, and what can still be done: live, later by the recording, later in another way.

    `recordings_unused`: sessions completed by recording beyond the number that may count.
    """

    done: int
    required: int
    live: int
    recording: int
    afterwards: int
    recordings_unused: int = 0

    @property
    def is_complete(self) -> bool:
        return self.done >= self.required

    @property
    def can_be_reached(self) -> bool:
        return self.done + self.live + self.recording + self.afterwards >= self.required

    @property
    def score(self) -> Score:
        """What was earned beyond the demand is not counted twice."""
        return Score(given=min(self.done, self.required), maximum=self.required)


def standing(records: Iterable[SessionRecord], rule: Rule, now: datetime, count: CourseCount | None = None) -> Standing:
    """Where one participant stands. A cancelled session, and one from which they are excused, lowers what there is,
    and the demand with it when it exceeds what is left; what was completed counts all the same."""
    chosen = [
        record
        for record in records
        if count is None or count.session_ids is None or record.session_id in count.session_ids
    ]
    completed = [record for record in chosen if record.outcome.completed_at is not None]
    recorded = sum(1 for record in completed if record.outcome.by_recording)
    limit = MAX_REQUIRED if rule.at_most_by_recording is None else rule.at_most_by_recording
    there_are = sum(1 for record in chosen if not record.is_cancelled and not record.outcome.is_excused)
    chances = [_chance(record, now) for record in chosen]
    beyond = [chance for record in completed if (chance := _chance_beside_recording(record, now))]
    chances += beyond[: max(0, recorded - limit)]  # a recording that does not count may still give way to another way
    recording_left = max(0, limit - recorded)
    return Standing(
        done=len(completed) - recorded + min(recorded, limit),
        required=max(1, min(count.required if count else rule.required, there_are)),
        live=chances.count("live"),
        recording=min(chances.count("recording"), recording_left),
        afterwards=chances.count("afterwards"),
        recordings_unused=max(0, recorded - limit),
    )


def score_of(
    records: Collection[SessionRecord], session_id: UUID | None, rule: Rule, now: datetime, count: CourseCount | None
) -> Score:
    """What a gradebook is told of a participant: of one session, or (None) of the whole series."""
    if session_id is None:
        return standing(records, rule, now, count).score
    completed = {record.session_id for record in records if record.outcome.completed_at is not None}
    return score_of_session(is_complete=session_id in completed)


def open_kinds(record: SessionRecord, now: datetime) -> frozenset[Kind]:
    """What a participant can still do alone for a session that does not count for them yet."""
    if record.outcome.completed_at is not None or record.outcome.is_excused or record.is_cancelled:
        return frozenset()
    return frozenset(demand.kind for way in _open_ways(record, now) for demand in way)


def _chance(record: SessionRecord, now: datetime) -> str | None:
    """The best way that is still open to complete this session, of those that a participant can go alone."""
    if record.outcome.completed_at is not None or record.outcome.is_excused or record.is_cancelled:
        return None
    return _best(_open_ways(record, now))


def _chance_beside_recording(record: SessionRecord, now: datetime) -> str | None:
    """Of a session that was completed by its recording alone: another way that is still open."""
    if not record.outcome.by_recording or record.is_cancelled:
        return None
    return _best([way for way in _open_ways(record, now) if not is_by_recording(way)])


def _open_ways(record: SessionRecord, now: datetime) -> list[Way]:
    return [way for way in record.rule.ways if all(_is_open(demand, record.span, now) for demand in way)]


def _best(ways: list[Way]) -> str | None:
    others = [way for way in ways if not is_by_recording(way)]
    if any(demand.kind in IN_THE_SESSION for way in others for demand in way):
        return "live"
    if others:
        return "afterwards"
    return "recording" if ways else None


def _is_open(demand: Demand, span: Span, now: datetime) -> bool:
    if demand.kind in IN_THE_SESSION:
        return now < span.end_at
    if demand.kind in AFTERWARDS:
        return demand.within_days is None or now <= span.end_at + timedelta(days=demand.within_days)
    return demand.kind is Kind.LMS  # another person's word is not theirs to give
