"""One university, for the coordinator: its facts, what it still needs, its people and its LMSs."""

from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.partner_form import countries, time_zones, typed_university
from lti_tool.pages.partners import chosen_series, row_of
from lti_tool.pages.people import person_row
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.partner_typed import TypedUniversity, faults_of_university
from series.people import University
from series.permissions import Action
from series.staff import Staff
from series.store.partners import approve_pending, change_university, pending_deployments
from series.store.people import people_of
from series.store.readiness import readiness, running_series
from series.store.universities import platforms_of_university

blueprint = Blueprint("partner", __name__, url_prefix="/admin/partners/<slug>")


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _page(staff, slug)


@blueprint.post("/facts")
@with_staff
def change(staff: Staff, slug: str) -> Response:
    check_form(f"change-university {slug}")
    typed = typed_university()
    faults = faults_of_university(typed, WORDS)
    if faults:
        return _page(staff, slug, typed, faults, status=422)
    with the_tool().database.write() as connection:
        home = university_or_404(connection, staff, slug, Action.EDIT_PARTNERS)
        change_university(
            connection,
            home,
            name=typed.name,
            country=typed.country,
            time_zone=typed.time_zone,
            language=typed.language,
            actor=who(staff),
            now=the_tool().clock.now(),
        )
    return go_to(f"/admin/partners/{slug}/?saved=facts")


@blueprint.post(f"/deployments/<{ANY_ID}:deployment_pk>/approve")
@with_staff
def approve(staff: Staff, slug: str, deployment_pk: int) -> Response:
    """From now on, launches from that part of the LMS open."""
    check_form(f"approve-deployment {deployment_pk}")
    with the_tool().database.write() as connection:
        home = university_or_404(connection, staff, slug, Action.EDIT_PARTNERS)
        is_there = approve_pending(
            connection, home.university_id, deployment_pk, actor=who(staff), now=the_tool().clock.now()
        )
    if not is_there:
        abort(404)
    return go_to(f"/admin/partners/{slug}/?saved=approved")


def _page(
    staff: Staff,
    slug: str,
    typed: TypedUniversity | None = None,
    faults: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        home = university_or_404(connection, staff, slug, Action.SEE_PARTNERS)
        choices = running_series(connection, now=now)
        series = chosen_series(choices)
        series_id = series.series_id if series else None
        (one,) = readiness(connection, series_id, now=now, university_id=home.university_id)
        admins = people_of(connection, home.university_id, now=now)
        platforms = platforms_of_university(connection, home.university_id)
        pending = pending_deployments(connection, platforms)
    page = render_template(
        "partner.html",
        staff=staff,
        university=home,
        series=series,
        choices=choices,
        row=row_of(one, series, staff),
        admins=[person_row(person) for person in admins],
        platforms=platforms,
        pending=[(each, _seen(each.first_seen_at, home)) for each in pending],
        typed=typed or _typed(home),
        faults=faults or {},
        countries=countries(),
        time_zones=time_zones(),
        saved=request.args.get("saved", ""),
    )
    return make_response(page, status)


def _typed(home: University) -> TypedUniversity:
    return TypedUniversity(name=home.name, country=home.country, time_zone=home.time_zone, language=home.language)


def _seen(at: datetime | None, home: University) -> str:
    return moment(at, home.time_zone) if at else ""
