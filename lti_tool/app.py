"""Put the tool together."""

import secrets
import time

import structlog
from flask import Flask, request
from flask_babel import Babel, get_locale
from flask_bootstrap import Bootstrap5

from config.settings import Settings
from lms.guarded import GuardedSession
from lms.key_cache import PlatformKeys
from lms.service_tokens import ServiceTokens
from lms.tool_keys import current_signing_key
from lms.turnstile import Turnstile
from lti_tool.arrivals import Arrivals
from lti_tool.known_platforms import KnownPlatforms
from lti_tool.own_address import at_own_address
from lti_tool.pages import (
    administrator,
    audit,
    bind,
    certificates,
    connect,
    connect_manual,
    course_activities,
    course_announcements,
    course_audience,
    course_confirm,
    course_count,
    course_grades,
    course_inbox,
    course_person,
    course_records,
    course_reflection,
    course_round,
    feeds,
    host,
    host_claim,
    instructor,
    launch,
    lms,
    lms_deployments,
    lms_keys,
    lms_platform,
    login,
    moodle,
    moodle_connection,
    moodle_connection_course,
    moodle_connection_set_up,
    moodle_connection_untie,
    my_data,
    my_data_rights,
    my_data_transfer,
    operations,
    partner,
    partner_add,
    partner_privacy,
    partners,
    people,
    person,
    pick,
    plan,
    plan_edit,
    plan_hosts,
    plan_rehearsal,
    plan_table,
    pooled,
    privacy,
    public,
    register,
    register_addresses,
    register_manual,
    report,
    results,
    roster,
    rule,
    rule_session,
    staff,
    staff_proof,
    staff_sign_in,
    staff_waiting,
    student,
    student_check_in,
    student_objection,
    student_reflection,
    student_session,
    visit,
)
from lti_tool.pages.errors import register_error_pages
from lti_tool.pages.visit_proof import form_token
from lti_tool.passwords import Passwords
from lti_tool.security_headers import register_security_headers
from lti_tool.tool import LMS_WITHIN_S, Tool
from series.limits import KEPT_REFUSALS, LOGINS, Pace
from series.permissions import Action, may
from series.store.database import Database
from series.store.work_queue import WorkQueue

WAITING_FOR_ONE_LMS = 4  # of the 16 threads with which `lti-tool serve` answers
PAGES = (
    public,
    privacy,
    certificates,
    login,
    launch,
    visit,
    pick,
    administrator,
    student,
    student_check_in,
    student_session,
    student_reflection,
    student_objection,
    my_data,
    my_data_rights,
    my_data_transfer,
    instructor,
    course_person,
    course_records,
    course_reflection,
    course_confirm,
    course_grades,
    course_inbox,
    course_count,
    course_announcements,
    course_activities,
    course_round,
    pooled,
    course_audience,
    roster,
    host,
    host_claim,
    feeds,
    operations,
    staff,
    staff_sign_in,
    staff_waiting,
    people,
    person,
    audit,
    partners,
    partner_add,
    partner_privacy,
    partner,
    bind,
    plan,
    plan_edit,
    plan_hosts,
    plan_rehearsal,
    plan_table,
    results,
    report,
    rule,
    rule_session,
    moodle_connection,
    moodle_connection_course,
    moodle_connection_set_up,
    moodle_connection_untie,
    moodle,
    register,
    register_addresses,
    register_manual,
    connect,
    connect_manual,
    lms,
    lms_platform,
    lms_deployments,
    lms_keys,
)
MAX_BODY_BYTES = 256 * 1024  # the largest honest form is an id_token of some 10 kB


def create_app(settings: Settings) -> Flask:
    """The WSGI application. Opens no connection until the first request."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    app.extensions["shared_sessions"] = _make_tool(settings)
    Bootstrap5(app)
    Babel(app, locale_selector=_select_locale)
    app.jinja_env.globals.update(
        Action=Action,
        form_token=form_token,
        get_locale=get_locale,
        is_launch_bound=administrator.is_bound,
        may=may,
        open_objections=course_inbox.open_objections,
        round_to_choose=course_round.round_to_choose,
        staff_form_token=staff_proof.form_token,
        waiting_elsewhere=staff_waiting.waiting_elsewhere,
    )
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    register_error_pages(app)
    register_security_headers(app)
    app.before_request(_begin_request)
    # Flask means `wsgi_app` to be wrapped so; the types do not say it.
    app.wsgi_app = at_own_address(app.wsgi_app, settings.public_url)  # type: ignore[assignment, method-assign]
    return app


def _make_tool(settings: Settings) -> Tool:
    database, clock = Database(settings.database_url), settings.clock()
    http = GuardedSession(allowed_networks=settings.allowed_networks, allow_loopback=settings.on_loopback)
    turnstile = Turnstile(places=WAITING_FOR_ONE_LMS)
    return Tool(
        settings=settings,
        database=database,
        clock=clock,
        http=http,
        platform_keys=PlatformKeys(database, http, clock, turnstile),
        service_tokens=ServiceTokens(
            http,
            current_signing_key(database, settings.encryption_key, clock.now),
            clock.now,
            within_s=LMS_WITHIN_S,
        ),
        turnstile=turnstile,
        queue=WorkQueue(settings.database_url, settings.secret_key),
        known_platforms=KnownPlatforms(database, clock),
        arrivals=Arrivals(database, clock),
        passwords=Passwords(),
        login_pace=Pace(LOGINS, time.monotonic),
        refusal_pace=Pace(KEPT_REFUSALS, time.monotonic),
    )


def _begin_request() -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=secrets.token_hex(4))


def _select_locale() -> str | None:
    """The best of the languages there is text for. English is the source and, for now, the only one."""
    return request.accept_languages.best_match(["en"], "en")
