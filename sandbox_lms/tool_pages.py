"""Where an administrator of the LMS registers a tool by its link, and activates it."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, abort, redirect, render_template, request

from sandbox_lms.campus import Person
from sandbox_lms.pages import check_origin
from sandbox_lms.registered_tools import activate_tool, all_tools, find_tool, new_registration_token
from sandbox_lms.registration import CONFIGURATION_PATH, manners, registering_product
from sandbox_lms.sign_ins import with_person
from sandbox_lms.site import Site

blueprint = Blueprint("tool_pages", __name__)


@blueprint.get("/admin/tools")
@with_person
def tools(site: Site, person: Person) -> str:
    _only_administrators(person)
    return _tools_page(site)


@blueprint.post("/admin/tools")
@with_person
def begin(site: Site, person: Person) -> Any:
    """The tool's page, with what the specification adds to its link: in a frame, or as Brightspace in a new tab."""
    _only_administrators(person)
    check_origin(site)
    link = request.form.get("link", "").strip()
    if not link.startswith(site.tool_url + "/"):
        return _tools_page(site, link), 422
    address, in_new_tab = registration_address(site, link), manners(site).in_new_tab
    return render_template("register_tool.html", address=address, in_new_tab=in_new_tab, tool_url=site.tool_url)


@blueprint.post("/admin/tools/<client_id>/activate")
@with_person
def activate(site: Site, person: Person, client_id: str) -> Any:
    _only_administrators(person)
    check_origin(site)
    if find_tool(site, client_id) is None:
        abort(404)
    activate_tool(site, client_id)
    return redirect("/admin/tools", 303)


def registration_address(site: Site, link: str) -> str:
    """https://www.imsglobal.org/spec/lti-dr/v1p0#step-1-registration-initiation"""
    added = {"openid_configuration": site.campus.url + CONFIGURATION_PATH}
    if manners(site).sends_token:
        added["registration_token"] = new_registration_token(site)
    parts = urlsplit(link)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *added.items()])))


def _tools_page(site: Site, link: str = "") -> str:
    """`link`: that was no address of the tool."""
    return render_template("tools.html", tools=all_tools(site), product=registering_product(site), link=link)


def _only_administrators(person: Person) -> None:
    if person.role != "administrator":
        abort(403)
