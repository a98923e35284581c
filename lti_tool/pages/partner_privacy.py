"""Whether named data of a university may cross a border, and the contract that lets them; for the coordinator."""

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.countries import LOOKED_UP_ON, SOURCE, is_inside
from series.permissions import Action
from series.staff import Staff
from series.store.borders import instrument_of, record_instrument, withdraw_instrument

blueprint = Blueprint("partner_privacy", __name__, url_prefix="/admin/partners/<slug>/privacy")
MAX_CHARS = 1_000


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _page(staff, slug)


@blueprint.post("/")
@with_staff
def record(staff: Staff, slug: str) -> Response:
    check_form(f"instrument {slug}")
    typed = " ".join(request.form.get("instrument", "")[: MAX_CHARS + 1].split())
    fault = _fault(typed)
    if fault:
        return _page(staff, slug, typed=typed, fault=fault, status=422)
    with the_tool().database.write() as connection:
        home = university_or_404(connection, staff, slug, Action.RUN_PRIVACY)
        record_instrument(connection, home.university_id, typed, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"/admin/partners/{slug}/privacy/?saved=recorded")


@blueprint.post("/withdraw")
@with_staff
def withdraw(staff: Staff, slug: str) -> Response:
    """May be repeated."""
    check_form(f"withdraw-instrument {slug}")
    with the_tool().database.write() as connection:
        home = university_or_404(connection, staff, slug, Action.RUN_PRIVACY)
        withdraw_instrument(connection, home.university_id, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"/admin/partners/{slug}/privacy/?saved=withdrawn")


def _fault(typed: str) -> str:
    if len(typed) > MAX_CHARS:
        return WORDS.gettext("Please say it in at most %(n)s characters.", n=MAX_CHARS)
    if len(typed) < 10 or not typed.isprintable():
        return WORDS.gettext("Please name the contract, its parties and its date, so that others can find it.")
    return ""


def _page(staff: Staff, slug: str, *, typed: str = "", fault: str = "", status: int = 200) -> Response:
    with the_tool().database.read() as connection:
        home = university_or_404(connection, staff, slug, Action.RUN_PRIVACY)
        instrument = instrument_of(connection, home.university_id)
    page = render_template(
        "partner_privacy.html",
        staff=staff,
        university=home,
        is_inside=is_inside(home.country, the_tool().clock.now().date()),
        instrument=instrument,
        recorded=moment(instrument.at, "UTC") if instrument else "",
        looked_up=LOOKED_UP_ON.isoformat(),
        source=SOURCE,
        typed=typed,
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, status)
