"""One LMS of a university for whoever runs it: does it work, what to do, addresses, deployments, claims, refusals."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext

from lms.products import Product
from lms.products.table import token_audience
from lti_tool.pages.lms_board import board_of
from lti_tool.pages.lms_claims import advice, claim_lines, scope_lines, unexpanded
from lti_tool.pages.lms_keys import key_lines, platform_keys
from lti_tool.pages.lms_refusals import refusal_lines
from lti_tool.pages.lms_words import deployment_in_words, product_in_words, role_in_words, state_in_words
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import platform_or_404
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.permissions import Action
from series.staff import Staff
from series.store.arrivals import seen_claims
from series.store.audit import append_audit
from series.store.deployments import DeploymentRow, list_deployments
from series.store.last_launches import last_launches
from series.store.platform_checks import ask_for_check, checked_platform
from series.store.preflight_facts import last_launch_at, last_placed
from series.store.refusals import last_refusals
from series.store.universities import PlatformRow, successor_of

blueprint = Blueprint("lms_platform", __name__, url_prefix="/admin/lms/<slug>/<platform>")
MAX_TEST_USER_CHARS = 255


@dataclass(frozen=True, kw_only=True)
class Address:
    """`name`: for the field's id."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class DeploymentLine:
    row: DeploymentRow
    state: str
    first_seen: str | None


@blueprint.get("/")
@with_staff
def show(staff: Staff, slug: str, platform: str) -> Response:
    return _page(staff, slug, platform)


@blueprint.post("/check")
@with_staff
def check_now(staff: Staff, slug: str, platform: str) -> Response:
    """The worker begins within a second."""
    check_form(f"check-lms {platform}")
    tool, now = the_tool(), the_tool().clock.now()
    test_user = request.form.get("test_student", "").strip()
    if test_user and not _is_user_id(test_user):
        fault = gettext("This is no number of a person in an LMS: please enter it as the LMS has it.")
        return _page(staff, slug, platform, fault=fault)
    with tool.database.write() as connection:
        _, row = platform_or_404(connection, staff, slug, platform, Action.EDIT_LMS)
        ask_for_check(connection, row.platform_id, test_user=test_user or None, now=now)
        thing = f"platform {row.platform_id}"
        with_student = {"test_student": "yes"} if test_user else {}  # and not which one
        append_audit(connection, actor=who(staff), action="check_lms", thing=thing, now=now, **with_student)
    return go_to(f"/admin/lms/{slug}/{platform}/?saved=check#board")


def _is_user_id(text: str) -> bool:
    """Core 5.3.6: at most 255 ASCII characters."""
    return len(text) <= MAX_TEST_USER_CHARS and text.isascii() and text.isprintable()


def _page(staff: Staff, slug: str, platform: str, *, fault: str = "") -> Response:
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.read() as connection:
        university, row = platform_or_404(connection, staff, slug, platform, Action.SEE_LMS)
        zone = university.time_zone
        placed, launched_at = last_placed(connection, row.platform_id), last_launch_at(connection, row.platform_id)
        checked = checked_platform(connection, row.platform_id)
        seen = seen_claims(connection, row.platform_id)
        deployments = list_deployments(connection, platform_id=row.platform_id)
        successor = successor_of(connection, row.platform_id)
        refusals = refusal_lines(last_refusals(connection, row.platform_id), zone)
        launches = last_launches(connection, row.platform_id)
        our_keys, their_keys = key_lines(connection, zone), platform_keys(connection, row.platform_id, zone)
    claims = claim_lines(seen)
    page = render_template(
        "lms_platform.html",
        staff=staff,
        university=university,
        row=row,
        product=product_in_words(row.product),
        state=state_in_words(row.state),
        successor=successor,
        board=board_of(university, row, checked, now),
        theirs=_theirs(row),
        ours=_ours(tool.settings.public_url, row.slug),
        deployments=[_deployment(one, zone) for one in deployments],
        scopes=scope_lines(row.granted_scopes, placed, checked.trials if checked else ()),
        claims=claims,
        unexpanded=unexpanded(seen),
        advice=advice(claims, row.product),
        refusals=refusals,
        launches=launches,
        launched_at=_moment(launched_at, zone),
        role=role_in_words,
        moment=partial(moment, zone=zone),
        our_keys=our_keys,
        their_keys=their_keys,
        saved=request.args.get("saved", ""),
        fault=fault,
        typed=request.form.get("test_student", "")[:MAX_TEST_USER_CHARS] if fault else "",
    )
    return make_response(page, 422 if fault else 200)


def _theirs(row: PlatformRow) -> list[Address]:
    return [
        Address(name="issuer", label=gettext("Issuer"), value=row.issuer),
        Address(name="client-id", label=gettext("Client ID"), value=row.client_id),
        Address(name="authorization", label=gettext("Authentication request URL"), value=row.authorization_endpoint),
        Address(name="token", label=gettext("Access token URL"), value=row.token_endpoint),
        Address(name="jwks", label=gettext("Public keyset URL"), value=row.jwks_uri),
        Address(
            name="audience",
            label=gettext("Audience of our token requests"),
            value=token_audience(Product(row.product), row.token_audience) or row.token_endpoint,
        ),
    ]


def _ours(public_url: str, slug: str) -> list[Address]:
    labels = (
        ("tool-url", gettext("Tool URL"), "/lti/launch"),
        ("login-url", gettext("Initiate login URL"), f"/lti/login/{slug}"),
        ("redirect", gettext("Redirection URI"), "/lti/launch"),
        ("keyset", gettext("Public keyset URL"), "/lti/jwks.json"),
        ("content", gettext("Content selection (deep linking) URL"), "/lti/launch"),
        ("icon", gettext("Icon URL"), "/static/icon.svg"),
        ("canvas", gettext("Canvas: JSON of a developer key"), "/lti/canvas.json"),
    )
    return [Address(name=f"our-{name}", label=label, value=public_url + path) for name, label, path in labels]


def _deployment(one: DeploymentRow, zone: str) -> DeploymentLine:
    return DeploymentLine(row=one, state=deployment_in_words(one.state), first_seen=_moment(one.first_seen_at, zone))


def _moment(at: datetime | None, zone: str) -> str | None:
    return moment(at, zone) if at else None
