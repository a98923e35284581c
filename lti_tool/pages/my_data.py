"""“My data”: everything that is held about a participant at this university, for themselves, as page and as files.

Art. 12 to 15 and 20 GDPR: https://eur-lex.europa.eu/eli/reg/2016/679/oj
"""

from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.my_data_values import value_words
from lti_tool.pages.my_data_words import COLUMNS, PARTS, as_document, kept_for
from lti_tool.pages.student_forms import NO_FAULT, Fault
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import with_visit
from lti_tool.printing import NoPdfHere, pdf_of
from lti_tool.tool import the_tool
from series.own_data import OwnData, Part
from series.people import Visit
from series.permissions import Action, may
from series.store.audit import append_audit
from series.store.own_data import read_own_data
from series.store.sessions import get_series

blueprint = Blueprint("my_data", __name__, url_prefix="/visit/<visit_id>")
SHOWN_LINES = 100  # of a part on the page; the files have all


@dataclass(frozen=True, kw_only=True)
class ShownPart:
    """One part in words. `left_out`: lines that only the files have."""

    name: str
    title: str
    why: str
    source: str
    kept: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


@blueprint.get("/my-data/")
@with_visit
def show(visit: Visit) -> Response:
    return render_my_data(visit)


@blueprint.get("/my-data.json")
@with_visit
def as_json(visit: Visit) -> Response:
    own = _read_for_a_file(visit, "json")
    body = msgspec.json.format(msgspec.json.encode(as_document(own)), indent=2)
    return _file(body, "application/json", "my-data.json")


@blueprint.get("/my-data.pdf")
@with_visit
def as_pdf_file(visit: Visit) -> Response:
    own = _read_for_a_file(visit, "pdf")
    zone = visit.university.time_zone
    page = render_template(
        "my_data_print.html", own=own, read_at=moment(own.read_at, zone), parts=in_words(own, zone, at_most=None)
    )
    try:
        return _file(pdf_of(page), "application/pdf", "my-data.pdf")
    except NoPdfHere:
        words = gettext("A PDF cannot be made here at the moment. Please print this page, or take the JSON file.")
        return render_my_data(visit, fault=Fault(at="file", words=words, status=503))


def render_my_data(visit: Visit, *, fault: Fault = NO_FAULT, new_code: str = "") -> Response:
    """`new_code`: made just now, and shown this once."""
    require_own_data(visit)
    now, zone = the_tool().clock.now(), visit.university.time_zone
    with the_tool().database.read() as connection:
        own = read_own_data(connection, visit.participant_id, now=now)
        series = get_series(connection, visit.series_id)
    account = own.parts[Part.ACCOUNT][0]
    page = render_template(
        "my_data.html",
        visit=visit,
        series=series,
        read_at=moment(now, zone),
        parts=in_words(own, zone, at_most=SHOWN_LINES),
        objected=value_words("objected_at", account["objected_at"], zone) if account["objected_at"] else "",
        speaks=may(visit, Action.SPEAK_FOR_ONESELF),
        saved=request.args.get("saved", ""),
        fault=fault,
        new_code=new_code,
    )
    return make_response(page, fault.status)


def in_words(own: OwnData, zone: str, *, at_most: int | None) -> list[ShownPart]:
    return [_shown(part, own, zone, at_most) for part in Part]


def require_own_data(visit: Visit) -> None:
    """403 for who has none here: the LMS's own test users."""
    if not may(visit, Action.SEE_OWN_DATA):
        abort(403)


def _shown(part: Part, own: OwnData, zone: str, at_most: int | None) -> ShownPart:
    rows, words = own.parts[part], PARTS[part]
    shown = rows[:at_most]
    names = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in shown)]
    kinds = {name: "own action" if (part, name) == (Part.DONE, "action") else name for name in names}
    return ShownPart(
        name=part.value,
        title=str(words.title),
        why=str(words.why),
        source=str(words.source),
        kept=kept_for(part),
        columns=tuple(str(COLUMNS[name]) for name in names),
        rows=tuple(tuple(value_words(kinds[name], row[name], zone) for name in names) for row in shown),
        left_out=len(rows) - len(shown),
    )


def _read_for_a_file(visit: Visit, form: str) -> OwnData:
    require_own_data(visit)
    now, who = the_tool().clock.now(), f"participant {visit.participant_id}"
    with the_tool().database.write() as connection:
        append_audit(connection, actor=who, action="export_own_data", thing=who, now=now, form=form)
        return read_own_data(connection, visit.participant_id, now=now)


def _file(body: bytes, mimetype: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, mimetype=mimetype, headers=headers)
