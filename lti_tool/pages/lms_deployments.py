"""Attaching a deployment that a launch has named, and switching one off."""

from flask import Blueprint, Response, abort, render_template

from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import platform_or_404
from lti_tool.tool import the_tool
from series.people import University
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.database import Connection
from series.store.deployments import DeploymentRow, approve_deployment, disable_deployment, list_deployments
from series.store.platform_checks import ask_for_check
from series.store.universities import NOT_APPROVED, PlatformRow

blueprint = Blueprint("lms_deployments", __name__, url_prefix="/admin/lms/<slug>/<platform>/deployments/<int:number>")


@blueprint.post("/attach")
@with_staff
def attach(staff: Staff, slug: str, platform: str, number: int) -> Response:
    """One click. On an LMS that waits for approval itself, and of one that was switched off, only the coordinator's."""
    check_form(f"attach {number}")
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        _, row, one = _deployment_or_404(connection, staff, slug, platform, number)
        if (row.state in NOT_APPROVED or one.state == "disabled") and not may(staff, Action.EDIT_PARTNERS):
            abort(403)
        approve_deployment(connection, row, one.deployment_id)
        append_audit(connection, actor=who(staff), action="approve_deployment", thing=f"deployment {number}", now=now)
        ask_for_check(connection, row.platform_id, now=now)
    return go_to(f"/admin/lms/{slug}/{platform}/?saved=attached#deployments")


@blueprint.get("/switch-off")
@with_staff
def show_switch_off(staff: Staff, slug: str, platform: str, number: int) -> str:
    with the_tool().database.read() as connection:
        university, row, one = _deployment_or_404(connection, staff, slug, platform, number)
    return render_template("lms_switch_off.html", staff=staff, university=university, row=row, one=one)


@blueprint.post("/switch-off")
@with_staff
def switch_off(staff: Staff, slug: str, platform: str, number: int) -> Response:
    check_form(f"switch-off {number}")
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        _, row, one = _deployment_or_404(connection, staff, slug, platform, number)
        disable_deployment(connection, row, one.deployment_id)
        append_audit(connection, actor=who(staff), action="disable_deployment", thing=f"deployment {number}", now=now)
    return go_to(f"/admin/lms/{slug}/{platform}/?saved=switched-off#deployments")


def _deployment_or_404(
    connection: Connection, staff: Staff, slug: str, platform: str, number: int
) -> tuple[University, PlatformRow, DeploymentRow]:
    """`number`: ours; the LMS's own id may be any text."""
    university, row = platform_or_404(connection, staff, slug, platform, Action.EDIT_LMS)
    known = list_deployments(connection, platform_id=row.platform_id)
    one = next((one for one in known if one.deployment_pk == number), None)
    if one is None:
        abort(404)
    return university, row, one
