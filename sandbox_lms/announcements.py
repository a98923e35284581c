"""The announcements of the course: discussions that nobody answers, kept raw and cleaned when they are shown."""

from dataclasses import dataclass

from sandbox_lms.site import Site


@dataclass(frozen=True, kw_only=True)
class Discussion:
    discussion_id: int
    subject: str
    message: str
    pinned: int
    user_id: int
    created_at_s: int


def add_discussion(site: Site, *, subject: str, message: str, pinned: bool) -> int:
    """Of the service account; a second one with the same words, too. Gives its id."""
    with site.database.write() as connection:
        row = connection.execute(
            "INSERT INTO discussion (campus, discussion_id, subject, message, pinned, user_id, created_at_s)"
            " SELECT ?, COALESCE(MAX(discussion_id), 0) + 1, ?, ?, ?, ?, ? FROM discussion WHERE campus = ?"
            " RETURNING discussion_id",
            (site.slug, subject, message, pinned, site.campus.moodle_user_id, site.now_s(), site.slug),
        ).fetchone()
    return int(row["discussion_id"])


def all_discussions(site: Site) -> list[Discussion]:
    """Pinned ones first, then the newest."""
    with site.database.read() as connection:
        rows = connection.execute(
            "SELECT discussion_id, subject, message, pinned, user_id, created_at_s FROM discussion WHERE campus = ?"
            " ORDER BY pinned DESC, created_at_s DESC, discussion_id DESC",
            (site.slug,),
        ).fetchall()
    return [Discussion(**dict(row)) for row in rows]
