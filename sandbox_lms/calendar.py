"""The calendar of a course: its events as Moodle keeps them, raw; they are cleaned when they are shown."""

import sqlite3
from dataclasses import asdict, dataclass

from sandbox_lms.site import Site


@dataclass(frozen=True, kw_only=True)
class Event:
    """A row of Moodle's event table. Times are seconds since 1970; `repeat_id` 0 means that it is not one of a row."""

    event_id: int
    name: str
    description: str
    format: int
    course_id: int
    user_id: int
    repeat_id: int
    event_type: str
    timestart: int
    timeduration: int
    visible: int
    sequence: int
    location: str
    timemodified: int


def next_event_id(connection: sqlite3.Connection, site: Site) -> int:
    """A number that no event of this campus has had: like Moodle's ids, those of deleted events do not come back."""
    row = connection.execute(
        "INSERT INTO event_counter (campus, last_id) VALUES (?, 1)"
        " ON CONFLICT (campus) DO UPDATE SET last_id = last_id + 1 RETURNING last_id",
        (site.slug,),
    ).fetchone()
    return int(row["last_id"])


def put_event(connection: sqlite3.Connection, site: Site, event: Event) -> None:
    """Store the event in place of the one with its id, if there is one."""
    connection.execute(
        "INSERT OR REPLACE INTO event (campus, event_id, name, description, format, course_id, user_id, repeat_id,"
        " event_type, timestart, timeduration, visible, sequence, location, timemodified)"
        " VALUES (:campus, :event_id, :name, :description, :format, :course_id, :user_id, :repeat_id, :event_type,"
        " :timestart, :timeduration, :visible, :sequence, :location, :timemodified)",
        {"campus": site.slug, **asdict(event)},
    )


def delete_event(connection: sqlite3.Connection, site: Site, event_id: int) -> None:
    connection.execute("DELETE FROM event WHERE campus = ? AND event_id = ?", (site.slug, event_id))


def delete_repeats(connection: sqlite3.Connection, site: Site, repeat_id: int) -> None:
    """The whole row of events that were created together."""
    connection.execute("DELETE FROM event WHERE campus = ? AND repeat_id = ?", (site.slug, repeat_id))


def find_event(connection: sqlite3.Connection, site: Site, event_id: int) -> Event | None:
    row = connection.execute("SELECT * FROM event WHERE campus = ? AND event_id = ?", (site.slug, event_id)).fetchone()
    return _event(row) if row else None


def all_events(connection: sqlite3.Connection, site: Site) -> list[Event]:
    """Every event of the campus in the order of its start."""
    rows = connection.execute("SELECT * FROM event WHERE campus = ? ORDER BY timestart, event_id", (site.slug,))
    return [_event(row) for row in rows]


def events_of_course(site: Site) -> list[Event]:
    """What a person sees in the course's calendar."""
    with site.database.read() as connection:
        found = all_events(connection, site)
    return [event for event in found if event.course_id == site.campus.course_id and event.visible]


def _event(row: sqlite3.Row) -> Event:
    return Event(**{name: row[name] for name in row.keys() if name != "campus"})  # noqa: SIM118  # a Row is no dict
