"""The session's public page: opens for everybody, and holds no personal data."""

from uuid import UUID

from flask import Blueprint, abort, render_template

from lti_tool.pages.times import times_of
from lti_tool.tool import the_tool
from series.store.sessions import get_series, get_session

blueprint = Blueprint("public", __name__)


@blueprint.get("/")
def front() -> str:
    """Somebody came by the bare address: say what this is and how to get in."""
    return render_template("front.html")


@blueprint.get("/s/<uuid:session_id>")
def session(session_id: UUID) -> str:
    with the_tool().database.read() as connection:
        shown = get_session(connection, session_id)
        if shown is None:
            abort(404)
        series = get_series(connection, shown.series_id)
    return render_template("public_session.html", session=shown, series=series, times=times_of(shown, shown.zone))
