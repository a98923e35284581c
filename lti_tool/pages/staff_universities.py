"""The university that a page of staff is about, and the LMS."""

from flask import abort

from series.people import University
from series.permissions import Action, may
from series.staff import Staff
from series.store.database import Connection
from series.store.universities import NotThere, PlatformRow, find_platform, find_university


def university_or_404(connection: Connection, staff: Staff, slug: str, action: Action) -> University:
    """Whoever may not do this there is told so (403), and nothing of it."""
    if "\0" in slug:  # PostgreSQL cannot even be asked for it
        abort(404)
    try:
        university = find_university(connection, slug)
    except NotThere:
        abort(404)
    if not may(staff, action, university):
        abort(403)
    return university


def platform_or_404(
    connection: Connection, staff: Staff, slug: str, platform: str, action: Action
) -> tuple[University, PlatformRow]:
    """The LMS, which must be of this university."""
    university = university_or_404(connection, staff, slug, action)
    row = None if "\0" in platform else find_platform(connection, platform)
    if row is None or row.university_id != university.university_id:
        abort(404)
    return university, row
