"""One validated launch becomes one visit, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.limits import LAUNCHES
from series.people import MAX_VISITS, VISIT_LIFE
from series.store.database import insert_of
from series.store.known import look_up
from series.store.launch_values import NewArrival, NewVisit
from series.store.limits import take
from series.store.placements import save_placement
from series.store.prepared import Prepared
from series.store.scores import queue_missing_scores
from series.store.tables import membership, participant, spent_nonce, visit
from series.store.tombstones import is_erased, remove_tombstones
from series.store.turns import is_somebody
from series.tombstones import Whom

# Of a participant who is erased at this moment, none: the statement waits for it, and looks once more.
_INSERT_VISIT = Prepared(
    lambda _dialect: (
        sa.insert(visit)
        .from_select(
            [column.name for column in visit.columns],
            sa.select(*(sa.bindparam(column.name, type_=column.type) for column in visit.columns))
            .where(participant.c.id == sa.bindparam("participant_id", type_=participant.c.id.type), is_somebody)
            .with_for_update(read=True, key_share=True, of=participant),
        )
        .returning(visit.c.id)
    )
)
_SPEND_NONCE = Prepared(
    lambda dialect: insert_of(dialect, spent_nonce).on_conflict_do_nothing().returning(spent_nonce.c.nonce)
)
_INSERT_PARTICIPANT = Prepared(
    lambda dialect: (
        (fresh := insert_of(dialect, participant))
        .on_conflict_do_update(
            index_elements=["university_id", "issuer", "sub"], set_={"university_id": fresh.excluded.university_id}
        )
        .returning(participant.c.id)
    )
)
_UPSERT_MEMBERSHIP = Prepared(
    lambda dialect: (fresh := insert_of(dialect, membership)).on_conflict_do_update(
        index_elements=["participant_id", "placement_id"],
        set_={"is_learner": fresh.excluded.is_learner, "launched_at": fresh.excluded.launched_at},
    )
)


class NonceSpent(Exception):
    """This launch was already used: a reload, a double click, or a replay.

    `visit_id`: what it has opened, while that is open.
    """

    def __init__(self, visit_id: str | None) -> None:
        super().__init__()
        self.visit_id = visit_id


class PersonErased(Exception):
    """They have had their data erased, and have not said that they begin again."""


class LaunchesTooFast(Exception):
    """One participant opens visits faster than a person could."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


@dataclass(frozen=True, kw_only=True)
class OpenedVisit:
    """`dropped_visit_ids`: the participant's oldest visits, which had to make room. `delivery_ids`: scores that were
    earned elsewhere, and of which this placement's gradebook has heard nothing yet."""

    participant_id: int
    dropped_visit_ids: tuple[str, ...] = ()
    delivery_ids: tuple[int, ...] = ()


def open_visit(connection: sa.Connection, launch: NewVisit, *, now: datetime, secret_key: bytes) -> OpenedVisit:
    """Spend the nonce, then upsert participant, course and placement, and open the visit.

    Raises NonceSpent, PlatformDisabled, DeploymentPending, DeploymentDisabled, PersonErased, NoSeries or
    LaunchesTooFast; the caller's transaction then leaves nothing behind.
    """
    spend_nonce(connection, launch, now)
    known = look_up(connection, launch)
    if known.participant_id is None:
        _let_begin(connection, launch, secret_key)
    placement_id = save_placement(connection, launch, known, now=now)
    participant_id = known.participant_id or upsert_participant(
        connection, university_id=launch.university_id, issuer=launch.issuer, sub=launch.sub, now=now
    )
    dropped = _make_room(connection, participant_id, now) if known.visits >= MAX_VISITS else ()
    if known.is_learner is not _takes_grades(launch):
        _upsert_membership(connection, launch, participant_id, placement_id, now)
    _insert_visit(connection, launch, participant_id, placement_id, now)
    missing: list[int] = []
    if known.may_miss_scores:
        missing = queue_missing_scores(connection, participant_id=participant_id, placement_id=placement_id, now=now)
    return OpenedVisit(participant_id=participant_id, dropped_visit_ids=dropped, delivery_ids=tuple(missing))


def _let_begin(connection: sa.Connection, launch: NewVisit, secret_key: bytes) -> None:
    """Somebody whom nobody knows here: for the first time, or once more. Raises PersonErased."""
    if launch.starts_again:
        remove_tombstones(connection, _whom(launch), secret_key=secret_key)
    else:
        refuse_erased(connection, launch, secret_key=secret_key)


def refuse_erased(connection: sa.Connection, arrival: NewArrival, *, secret_key: bytes) -> None:
    """Raises PersonErased."""
    if is_erased(connection, _whom(arrival), secret_key=secret_key):
        raise PersonErased


def _whom(arrival: NewArrival) -> Whom:
    return Whom(university_id=arrival.university_id, issuer=arrival.issuer, sub=arrival.sub)


def _insert_visit(
    connection: sa.Connection, launch: NewVisit, participant_id: int, placement_id: int, now: datetime
) -> None:
    """Raises PersonErased."""
    opened = _INSERT_VISIT.first(
        connection,
        {
            "id": launch.visit_id,
            "proof_hash": launch.proof_hash,
            "participant_id": participant_id,
            "placement_id": placement_id,
            "is_teacher": launch.is_teacher,
            "is_learner": launch.is_learner,
            "is_test_user": launch.is_test_user,
            "is_administrator": launch.is_administrator,
            "return_url": launch.return_url,
            "locale": launch.locale,
            "opened_at": now,
            "expires_at": now + VISIT_LIFE,
        },
    )
    if opened is None:
        raise PersonErased


def upsert_participant(connection: sa.Connection, *, university_id: int, issuer: str, sub: str, now: datetime) -> int:
    """The id of the person (university, issuer, sub), made when first seen."""
    row = {"university_id": university_id, "issuer": issuer, "sub": sub, "created_at": now}
    return int(_INSERT_PARTICIPANT.first(connection, row).id)


def spend_nonce(connection: sa.Connection, launch: NewArrival, now: datetime) -> None:
    """One INSERT of a unique key: of many at once exactly one gets a row back. Raises NonceSpent."""
    row = {"nonce": launch.nonce, "visit_id": launch.visit_id, "expires_at": launch.nonce_expires_at}
    if _SPEND_NONCE.first(connection, row) is None:
        opened = connection.execute(
            sa.select(visit.c.id)
            .join(spent_nonce, spent_nonce.c.visit_id == visit.c.id)
            .where(spent_nonce.c.nonce == launch.nonce, visit.c.expires_at > now)
        ).scalar_one_or_none()
        raise NonceSpent(opened)


def _make_room(connection: sa.Connection, participant_id: int, now: datetime) -> tuple[str, ...]:
    """Close the participant's oldest visits, so that with the new one there are MAX_VISITS; which ones.

    Only who has so many open is also held to a pace: everybody else's launch costs one row less.
    """
    latest = connection.execute(
        sa.select(visit.c.id)
        .where(visit.c.participant_id == participant_id)
        .order_by(visit.c.opened_at.desc(), visit.c.id)
    ).scalars()
    dropped = tuple(latest)[MAX_VISITS - 1 :]
    if not dropped:
        return ()
    wait_s = take(connection, f"launch {participant_id}", LAUNCHES, now=now)
    if wait_s:
        raise LaunchesTooFast(wait_s)
    connection.execute(sa.delete(visit).where(visit.c.id.in_(dropped)))
    return dropped


def _upsert_membership(
    connection: sa.Connection, launch: NewVisit, participant_id: int, placement_id: int, now: datetime
) -> None:
    row = {
        "participant_id": participant_id,
        "placement_id": placement_id,
        "is_learner": _takes_grades(launch),
        "launched_at": now,
    }
    _UPSERT_MEMBERSHIP.first(connection, row)


def _takes_grades(launch: NewVisit) -> bool:
    """An LMS takes no grade for its own test users."""
    return launch.is_learner and not launch.is_test_user
