"""The LMSs of the universities: all of them in one line each, and those of one university."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from lti_tool.pages.lms_words import product_in_words, state_in_words, verdict_in_words
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.people import University
from series.permissions import Action, may
from series.staff import Staff
from series.store.database import Connection
from series.store.deployments import list_deployments
from series.store.platform_checks import CheckedPlatform, checked_platforms
from series.store.preflight_facts import last_launch_at
from series.store.universities import PlatformRow, list_platforms, list_universities, platforms_of_university

blueprint = Blueprint("lms", __name__, url_prefix="/admin/lms")
MAX_SEARCH_CHARS = 100


@dataclass(frozen=True, kw_only=True)
class LmsLine:
    """One LMS in one line. `waiting`: deployments to be attached."""

    row: PlatformRow
    product: str
    state: str
    verdict: str
    last_launch: str | None
    waiting: int


@dataclass(frozen=True, kw_only=True)
class UniversityLine:
    university: University
    lines: list[LmsLine]


@blueprint.get("/")
@with_staff
def show_all(staff: Staff) -> str | Response:
    if staff.university is not None:
        return go_to(f"/admin/lms/{staff.university.slug}/")
    search = request.args.get("q", "").replace("\0", "").strip()[:MAX_SEARCH_CHARS]
    with the_tool().database.read() as connection:
        universities = [
            one
            for one in list_universities(connection)
            if may(staff, Action.SEE_LMS, one) and search.lower() in f"{one.name} {one.slug}".lower()
        ]
        platforms = list_platforms(connection)
        found = [
            UniversityLine(
                university=one,
                lines=_lines(connection, one, [row for row in platforms if row.university_id == one.university_id]),
            )
            for one in universities
        ]
    return render_template("lms_all.html", staff=staff, found=found, search=search)


@blueprint.get("/<slug>/")
@with_staff
def show(staff: Staff, slug: str) -> str:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
        lines = _lines(connection, university, platforms_of_university(connection, university.university_id))
    return render_template(
        "lms_university.html",
        staff=staff,
        university=university,
        lines=lines,
        title=gettext("LMS of %(university)s", university=university.name),
    )


def _lines(connection: Connection, university: University, rows: list[PlatformRow]) -> list[LmsLine]:
    checked = checked_platforms(connection, [row.platform_id for row in rows])
    return [_line(connection, university, row, checked.get(row.platform_id)) for row in rows]


def _line(connection: Connection, university: University, row: PlatformRow, checked: CheckedPlatform | None) -> LmsLine:
    launched_at: datetime | None = last_launch_at(connection, row.platform_id)
    deployments = list_deployments(connection, platform_id=row.platform_id)
    return LmsLine(
        row=row,
        product=product_in_words(row.product),
        state=state_in_words(row.state),
        verdict=verdict_in_words(row.state, checked.trials if checked else ()),
        last_launch=moment(launched_at, university.time_zone) if launched_at else None,
        waiting=sum(one.state == "pending" for one in deployments),
    )
