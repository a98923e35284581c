"""Put one campus's LMS together."""

from typing import Any

from flask import Flask, Response, render_template
from werkzeug.exceptions import HTTPException

from sandbox_lms import (
    authorization,
    control,
    course_pages,
    grade_service,
    line_item_deletion,
    login_initiation,
    moodle_rest,
    pages,
    platform_storage,
    registration,
    roster_service,
    selection_pages,
    token_endpoint,
    tool_pages,
)
from sandbox_lms.closed_answers import close_answers
from sandbox_lms.sign_ins import signed_in_person
from sandbox_lms.site import EXTENSION, Site, the_site

MAX_BODY_BYTES = 4 * 1024 * 1024


def create_app(site: Site) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.extensions[EXTENSION] = site
    for module in (
        pages,
        course_pages,
        selection_pages,
        platform_storage,
        login_initiation,
        registration,
        tool_pages,
        control,
    ):
        app.register_blueprint(module.blueprint)
    if site.campus.product == "moodle":
        app.register_blueprint(moodle_rest.blueprint)
    for service in (authorization, token_endpoint, grade_service, line_item_deletion, roster_service):
        app.register_blueprint(service.make_blueprint(site.campus.habits))
    app.jinja_env.filters.update(date=pages.shown_date, number=pages.shown_number)
    app.jinja_env.globals.update(course_path=pages.course_path)
    app.context_processor(_template_values)
    app.register_error_handler(HTTPException, _error_page)
    app.after_request(_add_headers)
    close_answers(app)
    return app


def _template_values() -> dict[str, Any]:
    site = the_site()
    return {"campus": site.campus, "person": signed_in_person(site)}


def _error_page(error: HTTPException) -> Any:
    page = render_template("error.html", title=error.name, message=error.description)
    return page, error.code or 500


def _add_headers(response: Response) -> Response:
    # No form-action: the launch form goes to the tool, and on from there.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https:; base-uri 'none';"
        f" frame-src 'self' {the_site().tool_url}; frame-ancestors 'self'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response
