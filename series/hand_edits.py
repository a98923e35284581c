"""Edits that a coordinator makes by hand: they win over the calendar until they are released."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from series.join_links import JoinPlaces, place_of
from series.people import University
from series.sessions import Field, Session, Status

LONGEST = timedelta(hours=12)
FARTHEST = timedelta(days=750)  # as far as a calendar is read, and not farther
MAX_TITLE_CHARS = 255
MAX_NAMES_CHARS = 500
MAX_DESCRIPTION_CHARS = 20_000


class NotPossible(Exception):
    """An edit that would leave no sensible session; the message is one sentence for a person."""


def move(session: Session, *, wall_start: datetime, length: timedelta, now: datetime) -> Session:
    """To another time in the session's own zone. `wall_start` is naive."""
    _not_begun(session, now)
    ahead = wall_start - now.replace(tzinfo=None)
    if ahead > FARTHEST:
        raise NotPossible("A session lies at most two years ahead.")
    if ahead < -timedelta(days=1) or (start_at := instant_of(wall_start, session.zone)) <= now:
        raise NotPossible("The new start is in the past.")
    if not timedelta(0) < length <= LONGEST:
        raise NotPossible("A session lasts more than nothing and at most twelve hours.")
    fresh = replace(session, start_at=start_at, end_at=start_at + length, wall_start=wall_start)
    if start_at != session.start_at:
        original = session.moved_from_at or session.start_at
        fresh = replace(fresh, moved_from_at=None if original == start_at else original)
    return _edited(session, fresh, Field.TIME)


def cancel(session: Session, *, now: datetime) -> Session:
    _not_begun(session, now)
    return _edited(session, replace(session, status=Status.CANCELLED), Field.STATUS)


def restore(session: Session, *, now: datetime) -> Session:
    _not_begun(session, now)
    return _edited(session, replace(session, status=Status.PLANNED), Field.STATUS)


def rewrite(session: Session, *, title: str, description: str, now: datetime) -> Session:
    _not_begun(session, now)
    title, description = _line(title), _text(description)
    if not title or len(title) > MAX_TITLE_CHARS:
        raise NotPossible(f"A title has 1 to {MAX_TITLE_CHARS} characters.")
    if len(description) > MAX_DESCRIPTION_CHARS:
        raise NotPossible(f"A description has at most {MAX_DESCRIPTION_CHARS:,} characters.")
    renamed = _edited(session, replace(session, title=title), Field.TITLE)
    return _edited(renamed, replace(renamed, description=description), Field.DESCRIPTION)


def change_join_url(session: Session, join_url: str, *, places: JoinPlaces, now: datetime) -> Session:
    """Until the end, because a meeting may break while it goes on; none takes the link away. The same link, said again
    where the calendar's was refused, is a person's word: the calendar is not asked any more."""
    if session.is_over(now):
        raise NotPossible("This session is over; what is over is not changed any more.")
    join_url = join_url.strip()
    if join_url and join_url != session.join_url:
        _check_place(join_url, places)
    fresh = replace(session, join_url=join_url or None, refused_join_host=None)
    return _edited(session, fresh, Field.JOIN_URL)


def _check_place(join_url: str, places: JoinPlaces) -> None:
    place = place_of(join_url, in_development=places.in_development)
    if place is None:
        raise NotPossible(
            "The join link must be a whole https address, such as https://zoom.us/j/123, without a user name or a"
            " password before the host, and with nothing but letters, digits, hyphens and dots in the host's name."
        )
    if not places.allow(join_url):
        raise NotPossible(
            f"This link leads to {place}. Meetings of this series are at {', '.join(places.hosts)}. Please use a link"
            " there; the coordinator can allow another place on the page of the series."
        )


def change_host(session: Session, host: University | None, *, now: datetime) -> Session:
    _not_begun(session, now)
    fresh = replace(
        session,
        hosting_university=host.name if host else None,
        hosting_university_id=host.university_id if host else None,
    )
    return _edited(session, fresh, Field.HOST)


def change_people(session: Session, *, co_hosts: str, speakers: str, now: datetime) -> Session:
    """Names, as they shall be read; none takes them away."""
    _not_begun(session, now)
    co_hosts, speakers = _line(co_hosts), _line(speakers)
    if max(len(co_hosts), len(speakers)) > MAX_NAMES_CHARS:
        raise NotPossible(f"Names have at most {MAX_NAMES_CHARS} characters.")
    return _edited(session, replace(session, co_hosts=co_hosts, speakers=speakers), Field.PEOPLE)


def swap_hosts(one: Session, other: Session, *, now: datetime) -> tuple[Session, Session]:
    """Each university takes the other's date."""
    swapped = []
    for mine, theirs in ((one, other), (other, one)):
        _not_begun(mine, now)
        fresh = replace(
            mine,
            hosting_university=theirs.hosting_university,
            hosting_university_id=theirs.hosting_university_id,
        )
        swapped.append(_edited(mine, fresh, Field.HOST))
    return swapped[0], swapped[1]


def add(
    series_id: UUID,
    *,
    title: str,
    wall_start: datetime,
    length: timedelta,
    zone: str,
    host: University | None,
    now: datetime,
    is_rehearsal: bool = False,
) -> Session:
    """A session that no calendar knows, and none takes away; without a join link so far."""
    blank = Session(
        session_id=uuid4(),
        series_id=series_id,
        title="",
        description="",
        hosting_university=None,
        hosting_university_id=None,
        join_url=None,
        start_at=now + LONGEST,
        end_at=now + 2 * LONGEST,
        wall_start=wall_start,
        zone=zone,
        status=Status.PLANNED,
        moved_from_at=None,
        sequence=0,
    )
    made = rewrite(blank, title=title, description="", now=now)
    made = move(made, wall_start=wall_start, length=length, now=now)
    made = change_host(made, host, now=now)
    return replace(made, moved_from_at=None, sequence=0, by_hand=(), is_own=True, is_rehearsal=is_rehearsal)


def release(session: Session, fields: Iterable[Field]) -> Session:
    """From the next reading on, the calendar says again what these are."""
    released = set(fields)
    return replace(session, by_hand=tuple(field for field in session.by_hand if field not in released))


def with_hand_edits(session: Session, fresh: Session) -> Session:
    """What a calendar says of a session, except for what was edited by hand."""
    for field in session.by_hand:
        fresh = replace(fresh, **{name: getattr(session, name) for name in field.attributes})
    return replace(fresh, by_hand=session.by_hand)


def _edited(session: Session, fresh: Session, field: Field) -> Session:
    """With the field marked, unless no calendar speaks of the session. A change of time, place or status counts in the
    feeds' SEQUENCE."""
    if fresh == session:
        return session
    counts = field in {Field.TIME, Field.STATUS, Field.JOIN_URL}
    marked = () if session.is_own else tuple(each for each in Field if each in {*session.by_hand, field})
    return replace(fresh, by_hand=marked, sequence=session.sequence + counts)


def _not_begun(session: Session, now: datetime) -> None:
    if session.start_at <= now:
        raise NotPossible("This session has begun; what is over is not changed any more.")


def instant_of(wall: datetime, zone: str) -> datetime:
    """Raises NotPossible."""
    instant = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall:
        raise NotPossible("The clocks go forward then: there is no such time on that day.")
    return instant


def _line(text: str) -> str:
    return " ".join(_text(text).split())


def _text(text: str) -> str:
    """Without what nobody can see, and PostgreSQL does not store."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t").strip()
