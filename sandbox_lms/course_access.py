"""When people were last in the course. Moodle writes it down once a minute, and only for what they do themselves."""

from sandbox_lms.campus import Person
from sandbox_lms.site import Site

_EVERY_S = 60


def note_access(site: Site, person: Person) -> None:
    now_s = site.now_s()
    if now_s - last_accesses(site).get(person.user_id, 0) <= _EVERY_S:
        return
    with site.database.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO course_access (campus, user_id, at_s) VALUES (?, ?, ?)",
            (site.slug, person.user_id, now_s),
        )


def last_accesses(site: Site) -> dict[str, int]:
    """Seconds since 1970 by user id; who was never there is absent."""
    with site.database.read() as connection:
        rows = connection.execute("SELECT user_id, at_s FROM course_access WHERE campus = ?", (site.slug,)).fetchall()
    return {row["user_id"]: row["at_s"] for row in rows}
