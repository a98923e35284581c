"""One platform takes the place of another: a university registers its LMS again, or its LMS gets another address.

People, courses, placements and all that hangs on them go over to the new platform. What the old one said of its own
services is forgotten: the next launch from each course brings the addresses of the new one.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.store.audit import OPERATOR, append_audit
from series.store.bindings import end_bindings
from series.store.deployments import list_deployments
from series.store.evidence import derive_completion
from series.store.merging import merge_courses, merge_participants, merge_placements
from series.store.tables import course, deployment, moodle_connection, participant, placement, platform
from series.store.unaddressed import count_unaddressed, tell_known_line_items, unaddress_scores
from series.store.universities import (
    NOT_APPROVED,
    PlatformRow,
    disable_platform,
    platforms_of_university,
    successor_of,
)
from series.succession import CannotReplace, Moved, pair_deployments


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """What an operator asks for. `deployments`: ids of `old` to ids of `new`, where they are not plain to see.

    When the issuers differ, a `sub` must mean the same person under both.
    """

    old: PlatformRow
    new: PlatformRow
    deployments: Mapping[str, str]

    @property
    def issuer_changes(self) -> bool:
        return self.old.issuer != self.new.issuer


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What a replacement does. `moodle_url`: where the university's Moodle is said to be, if that is the address which
    changes."""

    deployments: Mapping[str, str]
    courses: Moved
    placements: Moved
    people: Moved
    scores_queued: int
    scores_waiting: int
    moodle_url: str | None


def preview_replacement(connection: sa.Connection, wanted: Replacement, *, now: datetime) -> Replaced:
    """Exactly what `replace_platform` would do, because it does it and takes it back. Raises CannotReplace."""
    savepoint = connection.begin_nested()
    try:
        return replace_platform(connection, wanted, now=now)
    finally:
        savepoint.rollback()


def replace_platform(connection: sa.Connection, wanted: Replacement, *, now: datetime) -> Replaced:
    """Hand over to the new platform all that the old one has, and disable the old one. Raises CannotReplace."""
    _let_nobody_else_write(connection)
    _check(connection, wanted)
    old, new = wanted.old, wanted.new
    pairs, pks = _pair(connection, wanted)
    waits = f"Waits for the first launch through {new.slug}, which brings the new line item."
    unaddress_scores(connection, old.platform_id, outcome=waits, now=now)
    courses = _move(connection, pks, course.c.context_id, merge_courses, {"memberships_url": None}, now)
    stale = {"line_item_url": None, "line_items_url": None, "ags_scopes": "", "line_item_next_at": None}
    placements = _move(connection, pks, placement.c.resource_link_id, merge_placements, stale, now)
    people, rederived = _move_people(connection, wanted, now)
    _end(connection, old, new)
    queued = tell_known_line_items(connection, new.platform_id, also=rederived, now=now)
    done = Replaced(
        deployments=pairs,
        courses=courses,
        placements=placements,
        people=people,
        scores_queued=len(queued),
        scores_waiting=count_unaddressed(connection, new.platform_id),
        moodle_url=_moodle_url(connection, wanted),
    )
    _note(connection, wanted, done, now)
    return done


def _let_nobody_else_write(connection: sa.Connection) -> None:
    """SQLite has one writer at a time anyway. Elsewhere launches, check-ins and the worker wait; we take the tables in
    their order, so that nobody waits for us while we wait for them."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE spent_nonce, mirror, course, participant, delivery IN EXCLUSIVE MODE"))


def _check(connection: sa.Connection, wanted: Replacement) -> None:
    old, new = wanted.old, wanted.new
    if old.platform_id == new.platform_id:
        raise CannotReplace(f"{old.slug!r} cannot take its own place; register the new platform first.")
    if old.university_id != new.university_id:
        raise CannotReplace(f"{old.slug!r} and {new.slug!r} belong to different universities.")
    successor = successor_of(connection, old.platform_id)
    if successor is not None:
        raise CannotReplace(f"{old.slug!r} was replaced by {successor.slug!r} already; there is nothing left to move.")
    if new.succeeds_platform_id is not None:
        raise CannotReplace(f"{new.slug!r} has replaced another platform already; register a further one.")
    if new.state in NOT_APPROVED:
        raise CannotReplace(
            f"{new.slug!r} has registered itself, and nobody has approved it: `lti-tool platform approve {new.slug}`."
        )
    if new.state != "active":
        raise CannotReplace(f"{new.slug!r} is disabled; `lti-tool platform enable {new.slug}` first.")
    if wanted.issuer_changes:
        _check_that_nobody_else_uses(connection, old)


def _check_that_nobody_else_uses(connection: sa.Connection, old: PlatformRow) -> None:
    """People are known by the issuer, whichever platform they come through."""
    for other in platforms_of_university(connection, old.university_id):
        if other.state == "active" and other.issuer == old.issuer and other.platform_id != old.platform_id:
            raise CannotReplace(
                f"{other.slug!r} still uses {old.issuer}, and its people are the same. Disable it first"
                f" (`lti-tool platform disable {other.slug}`); it can be replaced, too, afterwards."
            )


def _pair(connection: sa.Connection, wanted: Replacement) -> tuple[dict[str, str], list[tuple[int, int]]]:
    """Each deployment of the old platform that has something, with the one that takes it over: their ids, and ours."""
    ours = {row.deployment_id: row for row in list_deployments(connection, platform_id=wanted.old.platform_id)}
    theirs = {row.deployment_id: row for row in list_deployments(connection, platform_id=wanted.new.platform_id)}
    for old_id in wanted.deployments:
        if old_id not in ours:
            raise CannotReplace(f"{wanted.old.slug!r} has no deployment {old_id!r}; see `lti-tool deployment list`.")
    known = sa.select(course.c.deployment_id).union(sa.select(placement.c.deployment_id))
    used = set(connection.execute(known).scalars())
    pairs = pair_deployments(
        [name for name, row in ours.items() if row.deployment_pk in used],
        [name for name, row in theirs.items() if row.state == "approved"],
        wanted.deployments,
        old=wanted.old.slug,
        new=wanted.new.slug,
    )
    return pairs, [(ours[old_id].deployment_pk, theirs[new_id].deployment_pk) for old_id, new_id in pairs.items()]


def _move(
    connection: sa.Connection,
    pks: list[tuple[int, int]],
    key: sa.Column[Any],
    merge: Callable[..., None],
    stale: Mapping[str, Any],
    now: datetime,
) -> Moved:
    """The rows of the old deployments; each that has the `key` of a row of the new one is merged with it."""
    ours = key.table
    theirs = ours.alias()
    moved, merged = 0, 0
    for old_pk, new_pk in pks:
        of_old = ours.c.deployment_id == old_pk
        twins = connection.execute(
            sa.select(ours.c.id, theirs.c.id.label("twin_id"))
            .join(theirs, theirs.c[key.name] == key)
            .where(of_old, theirs.c.deployment_id == new_pk)
        ).all()
        connection.execute(sa.update(ours).where(of_old).values(**stale))
        for row in twins:
            merge(connection, kept=row.id, dropped=row.twin_id)
            _append(connection, f"merge_{ours.name}", f"{ours.name} {row.id}", now, dropped=row.twin_id)
        rows = connection.execute(sa.update(ours).where(of_old).values(deployment_id=new_pk).returning(ours.c.id))
        moved, merged = moved + len(rows.all()), merged + len(twins)
    return Moved(all=moved, merged=merged)


def _move_people(connection: sa.Connection, wanted: Replacement, now: datetime) -> tuple[Moved, set[tuple[int, UUID]]]:
    """Also (participant, series) of those whose completions were derived anew."""
    if not wanted.issuer_changes:
        return Moved(all=0, merged=0), set()
    old, new, theirs = wanted.old, wanted.new, participant.alias()
    of_old = (participant.c.university_id == old.university_id) & (participant.c.issuer == old.issuer)
    # Rights of staff do not hang on the operator's word that a number means the same person: they sign in once more.
    end_bindings(connection, sa.select(participant.c.id).where(of_old), actor=OPERATOR, now=now)
    twins = connection.execute(
        sa.select(participant.c.id, theirs.c.id.label("twin_id"))
        .join(theirs, theirs.c.sub == participant.c.sub)
        .where(of_old, theirs.c.university_id == old.university_id, theirs.c.issuer == new.issuer)
    ).all()
    rederived = set()
    for row in twins:
        for session_id in merge_participants(connection, kept=row.id, dropped=row.twin_id):
            series_id = derive_completion(connection, participant_id=row.id, session_id=session_id, now=now)
            rederived.add((row.id, series_id))
        _append(connection, "merge_participant", f"participant {row.id}", now, dropped=row.twin_id)
    rows = connection.execute(
        sa.update(participant).where(of_old).values(issuer=new.issuer).returning(participant.c.id)
    )
    return Moved(all=len(rows.all()), merged=len(twins)), rederived


def _end(connection: sa.Connection, old: PlatformRow, new: PlatformRow) -> None:
    disable_platform(connection, old.platform_id)
    # Its deployments, too: a launch that has passed all other checks looks at its deployment in its own transaction.
    connection.execute(
        sa.update(deployment).where(deployment.c.platform_id == old.platform_id).values(state="disabled")
    )
    connection.execute(
        sa.update(platform).where(platform.c.id == new.platform_id).values(succeeds_platform_id=old.platform_id)
    )


def _moodle_url(connection: sa.Connection, wanted: Replacement) -> str | None:
    if not wanted.issuer_changes:
        return None
    url: str | None = connection.execute(
        sa.select(moodle_connection.c.base_url).where(
            moodle_connection.c.university_id == wanted.old.university_id,
            moodle_connection.c.base_url == wanted.old.issuer,
        )
    ).scalar_one_or_none()
    return url


def _note(connection: sa.Connection, wanted: Replacement, done: Replaced, now: datetime) -> None:
    counts = {
        f"{name}_{kind}": count
        for name in ("courses", "placements", "people")
        for kind, count in asdict(getattr(done, name)).items()
    }
    _append(
        connection,
        "replace_platform",
        f"platform {wanted.old.platform_id}",
        now,
        successor=wanted.new.platform_id,
        scores_queued=done.scores_queued,
        scores_waiting=done.scores_waiting,
        **counts,
    )


def _append(connection: sa.Connection, action: str, thing: str, now: datetime, **detail: str | int) -> None:
    append_audit(connection, actor=OPERATOR, action=action, thing=thing, now=now, **detail)
