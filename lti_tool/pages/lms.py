"""The LMSs of the universities: all of them in one line each, and those of one university."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, render_template
from flask_babel import gettext

from lti_tool.pages.lists import wanted_search
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
from series.store.deployments import count_pending
from series.store.platform_checks import checked_platforms
from series.store.preflight_facts import last_launches_at
from series.store.universities import PlatformRow, list_platforms, list_universities, platforms_of_university

blueprint = Blueprint("lms", __name__, url_prefix="/admin/lms")


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
    search = wanted_search()
    with the_tool().database.read() as connection:
        universities = [
            one
            for one in list_universities(connection)
            if may(staff, Action.SEE_LMS, one) and search.lower() in f"{one.name} {one.slug}".lower()
        ]
        shown = {one.university_id: one for one in universities}
        platforms = [row for row in list_platforms(connection) if row.university_id in shown]
        lines = _lines(connection, shown, platforms)
    found = [UniversityLine(university=one, lines=lines[one.university_id]) for one in universities]
    return render_template("lms_all.html", staff=staff, found=found, search=search)


@blueprint.get("/<slug>/")
@with_staff
def show(staff: Staff, slug: str) -> str:
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
        own = university.university_id
        lines = _lines(connection, {own: university}, platforms_of_university(connection, own))[own]
    return render_template(
        "lms_university.html",
        staff=staff,
        university=university,
        lines=lines,
        title=gettext("LMS of %(university)s", university=university.name),
    )


def _lines(
    connection: Connection, universities: Mapping[int, University], rows: list[PlatformRow]
) -> dict[int, list[LmsLine]]:
    """Of each of these universities, by its id."""
    ids = [row.platform_id for row in rows]
    checked = checked_platforms(connection, ids)
    launched = last_launches_at(connection, ids)
    waiting = count_pending(connection, ids)
    lines: dict[int, list[LmsLine]] = {university_id: [] for university_id in universities}
    for row in rows:
        trials = checked[row.platform_id].trials if row.platform_id in checked else ()
        launched_at = launched.get(row.platform_id)
        lines[row.university_id].append(
            LmsLine(
                row=row,
                product=product_in_words(row.product),
                state=state_in_words(row.state),
                verdict=verdict_in_words(row.state, trials),
                last_launch=moment(launched_at, universities[row.university_id].time_zone) if launched_at else None,
                waiting=waiting.get(row.platform_id, 0),
            )
        )
    return lines
