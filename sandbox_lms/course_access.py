"""When people were last in the course. Moodle writes it down once a minute, and only for what they do themselves."""

from sandbox_lms.campus import Person
from sandbox_lms.site import Site

_EVERY_S = 60


def note_access(site: Site, person: Person) -> None:
    with site.database.write() as connection:
        connection.execute(
            "INSERT INTO course_access (campus, user_id, at_s) VALUES (?, ?, ?)"
            " ON CONFLICT (campus, user_id) DO UPDATE SET at_s = excluded.at_s WHERE excluded.at_s - at_s > ?",
            (site.slug, person.user_id, site.now_s(), _EVERY_S),
        )


def last_accesses(site: Site) -> dict[str, int]:
    """Seconds since 1970 by user id; who was never there is absent."""
    with site.database.read() as connection:
        rows = connection.execute("SELECT user_id, at_s FROM course_access WHERE campus = ?", (site.slug,)).fetchall()
    return {row["user_id"]: row["at_s"] for row in rows}
