"""A new university, added by the coordinator."""

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from config.slugs import MAX_SLUG_CHARS
from lti_tool.pages.partner_form import countries, time_zones, typed_university
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.partner_typed import (
    TypedUniversity,
    clean_university,
    fault_of_slug,
    faults_of_university,
    propose_slug,
)
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.universities import AlreadyThere, add_university, list_universities

blueprint = Blueprint("partner_add", __name__, url_prefix="/admin/partners")
NOTHING = clean_university(name="", country="", time_zone="", language="en")


@blueprint.get("/add")
@with_staff
def show(staff: Staff) -> Response:
    _only_for(staff)
    return _page(staff, NOTHING, "", {})


@blueprint.post("/add")
@with_staff
def add(staff: Staff) -> Response:
    """Without a short name, one is proposed, and the form comes back with it: it can be changed now, and not later."""
    check_form("add-university")
    _only_for(staff)
    typed, slug = typed_university(), request.form.get("slug", "").strip()[: MAX_SLUG_CHARS + 1]
    with the_tool().database.read() as connection:
        taken = {one.slug for one in list_universities(connection)}
    faults = faults_of_university(typed, WORDS)
    fault = fault_of_slug(slug, taken, WORDS) if slug else ""
    if fault:
        faults["slug"] = fault
    if faults:
        return _page(staff, typed, slug, faults, status=422)
    if not slug:
        return _page(staff, typed, propose_slug(typed.name, taken), {}, is_proposed=True)
    try:
        _save(staff, typed, slug)
    except AlreadyThere:
        return _page(
            staff, typed, slug, {"slug": gettext("Another university has this short name already.")}, status=409
        )
    return go_to(f"/admin/partners/{slug}/?saved=added")


def _save(staff: Staff, typed: TypedUniversity, slug: str) -> None:
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        university_id = add_university(
            connection,
            slug=slug,
            name=typed.name,
            country=typed.country,
            time_zone=typed.time_zone,
            language=typed.language,
        )
        thing = f"university {university_id}"
        append_audit(connection, actor=who(staff), action="add_university", thing=thing, now=now, slug=slug)


def _page(
    staff: Staff,
    typed: TypedUniversity,
    slug: str,
    faults: dict[str, str],
    *,
    is_proposed: bool = False,
    status: int = 200,
) -> Response:
    page = render_template(
        "partner_add.html",
        staff=staff,
        typed=typed,
        slug=slug,
        faults=faults,
        is_proposed=is_proposed,
        countries=countries(),
        time_zones=time_zones(),
    )
    return make_response(page, status)


def _only_for(staff: Staff) -> None:
    if not may(staff, Action.EDIT_PARTNERS):
        abort(403)
