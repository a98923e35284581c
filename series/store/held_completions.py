"""What Moodle takes back from so many people at once that an instructor must say yes first."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from series.collecting import BRAKE_WITHIN, Said, Source, is_held
from series.store.activity_states import Place, known_people, known_states, people_with_something
from series.store.audit import append_audit
from series.store.database import insert
from series.store.moodle_tables import activity_state, course_collect, mapped_activity
from series.store.tables import course, moodle_connection
from series.store.taking_back import people_to_weigh, take_back
from series.store.tombstones import hold_off_erasures
from series.store.turns import take_turns


@dataclass(frozen=True, kw_only=True)
class HeldThing:
    """What some would lose. `name`: of an activity that counts, when it was mapped; else None."""

    source: Source
    session_id: UUID
    name: str | None
    subs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HeldCompletions:
    """`subs`: who would lose something; of `of` people whom the course's activities have given anything. `things`: as
    far as it still stands."""

    held_at: datetime
    subs: tuple[str, ...]
    of: int
    things: tuple[HeldThing, ...]


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """`changed_s`: since when it is not complete, by Moodle's clock; 0 where it does not say."""

    sub: str
    number: int
    source: str
    changed_s: int

    @property
    def thing(self) -> tuple[str, int, str]:
        return self.sub, self.number, self.source


class _Kept(msgspec.Struct):
    """What course_collect.held holds. `stays`: of which somebody has said no."""

    waits: list[_Entry] = []
    stays: list[_Entry] = []


_KEPT = msgspec.json.Decoder(_Kept)


def subs_held_of(text: str) -> set[str]:
    """Whom course_collect.held names."""
    kept = _kept(text)
    return {entry.sub for entry in (*kept.waits, *kept.stays)}


Taken = Mapping[str, Collection[Said]]
"""What one reading would take back, by `sub`."""


def weigh(
    connection: sa.Connection, course_id: int, taken: Taken, standing: Taken, *, now: datetime
) -> dict[str, list[Said]]:
    """What of it may be taken back now; the rest is held, or stays by somebody's word. `standing`: what the same
    reading says is complete. While anything is held, nothing more is taken back."""
    connection.execute(insert(connection, course_collect).values(course_id=course_id).on_conflict_do_nothing())
    kept = _lock(connection, course_id)
    fresh, before = _weighed(connection, course_id, kept, taken, standing, now)
    if fresh != before:
        _save(connection, course_id, fresh, now if fresh.waits != before.waits else None)
    return _free(fresh, taken)


def undecided(connection: sa.Connection, course_id: int, taken: Taken) -> int:
    """Of how many people something would be taken back that neither waits for somebody's word nor stays by it."""
    held = connection.execute(sa.select(course_collect.c.held).filter_by(course_id=course_id)).scalar_one_or_none()
    return len({entry.sub for entry in _new(_kept(held), taken)})


def preview_held(
    connection: sa.Connection, course_id: int, taken: Taken, standing: Taken, *, now: datetime
) -> dict[str, list[Said]]:
    """What `weigh` would let be taken back; nothing is written."""
    held = connection.execute(sa.select(course_collect.c.held).filter_by(course_id=course_id)).scalar_one_or_none()
    fresh, _ = _weighed(connection, course_id, _kept(held), taken, standing, now)
    return _free(fresh, taken)


def held_completions(connection: sa.Connection, course_id: int | None) -> HeldCompletions | None:
    row = connection.execute(sa.select(course_collect).where(course_collect.c.course_id == course_id)).one_or_none()
    if row is None or row.held_at is None:
        return None
    waits = _kept(row.held).waits
    subs = {entry.sub for entry in waits}
    return HeldCompletions(
        held_at=row.held_at,
        subs=tuple(sorted(subs, key=lambda sub: (len(sub), sub))),
        of=people_with_something(connection, row.course_id),
        things=_things(connection, row.course_id, waits),
    )


def _things(connection: sa.Connection, course_id: int, waits: list[_Entry]) -> tuple[HeldThing, ...]:
    states = connection.execute(
        sa.select(activity_state, mapped_activity.c.name)
        .outerjoin(
            mapped_activity,
            (mapped_activity.c.course_id == activity_state.c.course_id)
            & (mapped_activity.c.cmid == activity_state.c.cmid)
            & (activity_state.c.source == Source.ACTIVITY),
        )
        .where(activity_state.c.course_id == course_id, activity_state.c.sub.in_({entry.sub for entry in waits}))
        .order_by(activity_state.c.source, activity_state.c.cmid, activity_state.c.sub)
    )
    held = {entry.thing for entry in waits}
    found: dict[tuple[str, UUID, str | None], list[str]] = {}
    for row in states:
        if (row.sub, row.cmid, row.source) in held:
            found.setdefault((row.source, row.session_id, row.name), []).append(row.sub)
    return tuple(
        HeldThing(source=Source(source), session_id=session_id, name=name, subs=tuple(subs))
        for (source, session_id, name), subs in found.items()
    )


def held_of(
    connection: sa.Connection, course_ids: Collection[int], sub: str
) -> dict[tuple[int, int, str], Literal["waits", "stays"]]:
    """By course, activity and source: what of one person Moodle takes back that waits for somebody's word, or stays by
    it."""
    query = sa.select(course_collect.c.course_id, course_collect.c.held).where(
        course_collect.c.course_id.in_(course_ids), course_collect.c.held.is_not(None)
    )
    found: dict[tuple[int, int, str], Literal["waits", "stays"]] = {}
    for row in connection.execute(query):
        kept = _kept(row.held)
        found |= {(row.course_id, one.number, one.source): "stays" for one in kept.stays if one.sub == sub}
        found |= {(row.course_id, one.number, one.source): "waits" for one in kept.waits if one.sub == sub}
    return found


def accept_held(
    connection: sa.Connection, course_id: int, *, held_at: datetime, by: str, now: datetime
) -> list[int] | None:
    """It is taken back; the new deliveries' ids. None, and nothing is done, when something else is held by now."""
    hold_off_erasures(connection, course_id)
    kept = _of_moment(connection, course_id, held_at)
    if kept is None:
        return None
    place = _place(connection, course_id)
    subs = {entry.sub for entry in kept.waits}
    take_turns(connection, known_people(connection, place, subs, now=now).values())
    queued: list[int] = []
    for sub in sorted(subs):
        known = known_states(connection, course_id, sub)
        said = [
            Said(key=key, session_id=known[key].session_id, is_complete=False, changed_at=None)
            for entry in kept.waits
            if entry.sub == sub and (key := (entry.number, Source(entry.source))) in known
        ]
        queued += take_back(connection, place, sub, said, now=now, is_decided=True).queued
    _save(connection, course_id, _Kept(stays=kept.stays), now)
    _note(connection, course_id, by, "accept_taken_back", now, len(subs))
    return queued


def reject_held(
    connection: sa.Connection, course_id: int, *, held_at: datetime, by: str, now: datetime
) -> list[int] | None:
    """All of it stays, and is not asked about again while Moodle goes on saying the same. None as in accept_held."""
    kept = _of_moment(connection, course_id, held_at)
    if kept is None:
        return None
    anew = {entry.thing for entry in kept.waits}
    stays = [entry for entry in kept.stays if entry.thing not in anew]
    _save(connection, course_id, _Kept(stays=[*stays, *kept.waits]), now)
    _note(connection, course_id, by, "reject_taken_back", now, len({entry.sub for entry in kept.waits}))
    return []


def forget_held(connection: sa.Connection, course_id: int, cmid: int) -> None:
    """The activity counts no more, so that there is nothing left to decide about it."""
    kept = _lock(connection, course_id)
    of_it = (cmid, Source.ACTIVITY.value)
    waits = [entry for entry in kept.waits if (entry.number, entry.source) != of_it]
    stays = [entry for entry in kept.stays if (entry.number, entry.source) != of_it]
    if (waits, stays) != (kept.waits, kept.stays):
        _save(connection, course_id, _Kept(waits=waits, stays=stays), None)


def forget_held_person(connection: sa.Connection, course_id: int, sub: str) -> None:
    """Somebody has had their data erased, so that there is nothing left to decide about them."""
    kept = _lock(connection, course_id)
    waits, stays = ([entry for entry in each if entry.sub != sub] for each in (kept.waits, kept.stays))
    if (waits, stays) != (kept.waits, kept.stays):
        _save(connection, course_id, _Kept(waits=waits, stays=stays), None)


def _weighed(
    connection: sa.Connection, course_id: int, before: _Kept, taken: Taken, standing: Taken, now: datetime
) -> tuple[_Kept, _Kept]:
    """Together with what was taken back a short while before, so that a reset that is seen little by little is one."""
    complete = {entry.thing for entry in _entries(standing)}
    stays = [entry for entry in before.stays if entry.thing not in complete]
    waits = [entry for entry in before.waits if entry.thing not in complete]
    new = _new(_Kept(waits=waits, stays=stays), taken)
    recent, of = people_to_weigh(connection, course_id, since=now - BRAKE_WITHIN)
    if waits or is_held(len(recent | {entry.sub for entry in new}), of=of):
        waits = sorted([*waits, *new], key=lambda entry: entry.thing)
    return _Kept(waits=waits, stays=stays), before


def _new(kept: _Kept, taken: Taken) -> list[_Entry]:
    waits = {entry.thing for entry in kept.waits}
    return [entry for entry in _entries(taken) if entry not in kept.stays and entry.thing not in waits]


def _free(kept: _Kept, taken: Taken) -> dict[str, list[Said]]:
    waits = {entry.thing for entry in kept.waits}
    free = {
        sub: [one for one in said if (entry := _entry(sub, one)) not in kept.stays and entry.thing not in waits]
        for sub, said in taken.items()
    }
    return {sub: said for sub, said in free.items() if said}


def _entries(said: Taken) -> Iterable[_Entry]:
    return (_entry(sub, one) for sub, some in said.items() for one in some)


def _entry(sub: str, said: Said) -> _Entry:
    number, source = said.key
    return _Entry(sub=sub, number=number, source=source.value, changed_s=said.changed_s)


def _of_moment(connection: sa.Connection, course_id: int, held_at: datetime) -> _Kept | None:
    kept = _lock(connection, course_id)
    shown = connection.execute(sa.select(course_collect.c.held_at).filter_by(course_id=course_id)).scalar_one_or_none()
    return kept if kept.waits and shown == held_at else None


def _lock(connection: sa.Connection, course_id: int) -> _Kept:
    """Whoever else reads or decides just now comes before or after us."""
    query = sa.select(course_collect.c.held).where(course_collect.c.course_id == course_id)
    return _kept(connection.execute(query.with_for_update()).scalar_one_or_none())


def _kept(text: str | None) -> _Kept:
    return _Kept() if text is None else _KEPT.decode(text)


def _save(connection: sa.Connection, course_id: int, kept: _Kept, now: datetime | None) -> None:
    """`now` None: what waits is what has waited before."""
    values: dict[str, Any] = {"held": msgspec.json.encode(kept).decode() if kept.waits or kept.stays else None}
    if not kept.waits:
        values["held_at"] = None
    elif now is not None:
        values["held_at"] = now
    connection.execute(sa.update(course_collect).where(course_collect.c.course_id == course_id).values(values))


def _place(connection: sa.Connection, course_id: int) -> Place:
    """Everybody whom it is about is known already."""
    row = connection.execute(
        sa.select(course.c.university_id, moodle_connection.c.base_url)
        .join(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
        .where(course.c.id == course_id)
    ).one()
    return Place(course_id=course_id, university_id=row.university_id, base_url=row.base_url, knows_people=False)


def _note(connection: sa.Connection, course_id: int, by: str, action: str, now: datetime, people: int) -> None:
    append_audit(connection, actor=by, action=action, thing=f"course {course_id}", now=now, people=people)
