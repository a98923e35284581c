"""What stops a calendar's changes until a person has looked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from series.plans import Kind, NewSession, Plan, Reason, brake, list_changes
from series.sessions import Session, Status
from tests.conftest import NOW
from tests.examples import moved, weekly

HOUR = timedelta(hours=1)


def ahead(count: int) -> list[Session]:
    """Sessions to come, the first a week from now."""
    return weekly(count + 1)[1:]


def cancelled(session: Session) -> Session:
    return replace(session, status=Status.CANCELLED)


def plan(*changed: Session, new: Sequence[Session] = (), paired: tuple[UUID, ...] = ()) -> Plan:
    added = tuple(NewSession(session=session, key=("uid", session.start_at)) for session in new)
    return Plan(new=added, changed=changed, rekeyed=(), paired=paired)


def reasons(known: list[Session], *changed: Session, paired: tuple[UUID, ...] = ()) -> tuple[Reason, ...]:
    return brake(plan(*changed, paired=paired), {session.session_id: session for session in known}, now=NOW)


@pytest.mark.parametrize("left", [1, 2, 3, 12])
def test_a_single_cancellation_is_never_held(left: int) -> None:
    known = ahead(left)
    assert reasons(known, cancelled(known[0])) == ()


@pytest.mark.parametrize(("count", "left", "held"), [(2, 7, False), (2, 6, True), (2, 2, True), (3, 13, True)])
def test_several_cancellations_are_held(count: int, left: int, held: bool) -> None:  # noqa: FBT001
    """More than two, or two that are more than 30 % of what is to come."""
    known = ahead(left)
    assert reasons(known, *map(cancelled, known[:count])) == ((Reason.MANY_CANCELLED,) if held else ())


@pytest.mark.parametrize(("count", "held"), [(2, False), (3, True)])
def test_more_than_two_moves_are_held(count: int, held: bool) -> None:  # noqa: FBT001
    known = ahead(12)
    assert reasons(known, *(moved(session, HOUR) for session in known[:count])) == (
        (Reason.MANY_MOVED,) if held else ()
    )


@pytest.mark.parametrize("change", [cancelled, lambda session: moved(session, HOUR)], ids=["cancelled", "moved"])
@pytest.mark.parametrize(("minutes", "held"), [(1, True), (120, True), (121, False)])
def test_what_starts_within_two_hours_is_held(change: object, minutes: int, held: bool) -> None:  # noqa: FBT001
    soon = moved(ahead(1)[0], NOW + timedelta(minutes=minutes) - ahead(1)[0].start_at)
    found = reasons([soon, *ahead(9)[1:]], change(soon))  # type: ignore[operator]
    assert found == ((Reason.SOON,) if held else ())


def test_what_is_over_or_cancelled_already_does_not_count() -> None:
    over, *known = weekly(8)
    was = [cancelled(session) for session in known[:3]]
    assert reasons([over, *was, *known[3:]], *(moved(session, HOUR) for session in was)) == ()


def test_other_changes_and_new_sessions_are_never_held() -> None:
    known = ahead(5)
    changed = plan(*(replace(session, title="Another", join_url=None) for session in known), new=ahead(40)[5:])
    assert brake(changed, {session.session_id: session for session in known}, now=NOW) == ()


def test_a_guess_is_held() -> None:
    known = ahead(3)
    assert reasons(known, paired=(known[0].session_id,)) == (Reason.GUESSED,)


def test_changes_are_named_and_in_the_order_of_their_dates() -> None:
    one, two, three, four, five = known = ahead(5)
    was = {session.session_id: session for session in (*known[:3], cancelled(four), five)}
    late = replace(five, session_id=UUID(int=1))
    listed = list_changes(
        plan(replace(three, title="x"), four, moved(two, HOUR), cancelled(one), new=[late], paired=(five.session_id,)),
        was,
    )
    assert [(change.kind, change.before and change.before.session_id) for change in listed] == [
        (Kind.CANCELLED, one.session_id),
        (Kind.MOVED, two.session_id),
        (Kind.CHANGED, three.session_id),
        (Kind.RESTORED, four.session_id),
        (Kind.NEW, None),
        (Kind.PAIRED, five.session_id),
    ]
