"""The one place where an error becomes a page."""

import math
import secrets

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from lti_tool.pages.kept_refusals import keep_refusal
from lti_tool.pages.redirects import go_to
from lti_tool.pages.refusal_words import WORDS
from lti_tool.pages.register_failures import over_page, too_fast_page
from lti_tool.pages.register_invitation import TriesTooFast
from lti_tool.pages.staff_proof import NotSignedIn, comes_from_elsewhere, own_path, sign_in_path
from lti_tool.pages.visit_proof import FormNotOurs, VisitOver, drop_visit_cookie
from lti_tool.passwords import TooManyAtOnce
from lti_tool.protocol.refusals import Refused
from lti_tool.security_headers import STAFF_PATHS
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.lms_invitations import InvitationOver
from series.store.staff import LinkOver
from series.store.taking_part import UniversityLeft
from series.tombstones import NobodyThere

log = structlog.get_logger()
# Fields in which people write what they would not like to write once more. All others are chosen, or secret.
TYPED_IN_A_VISIT = {"text", "reason", "comment", "answer", "code", "minutes"}
TYPED_BY_STAFF = {"reason", "title", "description", "co_hosts", "speakers", "join_url", "pasted"}
NOT_LOGGED = {"return_url", "go_on_url", "lms_error", "lms_words"}  # addresses, and words that anybody may post


def register_error_pages(app: Flask) -> None:
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(VisitOver, _visit_over)
    app.register_error_handler(NobodyThere, _erased_meanwhile)
    app.register_error_handler(FormNotOurs, _form_not_ours)
    app.register_error_handler(NotSignedIn, _not_signed_in)
    app.register_error_handler(LinkOver, _link_over)
    app.register_error_handler(InvitationOver, over_page)
    app.register_error_handler(TriesTooFast, too_fast_page)
    app.register_error_handler(TooManyAtOnce, _too_many_at_once)
    app.register_error_handler(UniversityLeft, _university_left)
    app.register_error_handler(DatabaseBusy, _database_unusable)
    app.register_error_handler(DatabaseUnreachable, _database_unusable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _refused(refused: Refused) -> Response:
    words, reference = WORDS[refused.code], _reference()
    values = {name: value for name, value in refused.values.items() if name not in NOT_LOGGED}
    log.warning("refused", code=refused.code.value, reference=reference, **values)
    keep_refusal(refused.code, reference)
    page = render_template("refused.html", words=words, code=refused.code, reference=reference, values=refused.values)
    response = make_response(page, words.status)
    if words.status == 405:
        response.headers["Allow"] = "POST"
    if "retry_after_s" in values:
        response.headers["Retry-After"] = str(math.ceil(float(str(values["retry_after_s"]))))
    return response


def _visit_over(over: VisitOver) -> Response:
    """What was typed into a form of the visit is shown once more: to be copied, not to be lost."""
    return make_response(
        render_template("visit_over.html", return_url=over.return_url, typed=_typed(TYPED_IN_A_VISIT)), 401
    )


def _erased_meanwhile(_: NobodyThere) -> Response:
    """To who has had everything erased a moment ago, in another tab or by the operator: the page that says so, and how
    to begin again. What came with the request was not stored."""
    page = render_template("my_data_erased.html", return_url=g.get("return_url"), was_meanwhile=True)
    response = make_response(page, 410)
    if visit_id := (request.view_args or {}).get("visit_id"):
        drop_visit_cookie(response, visit_id)
    return response


def _not_signed_in(_: NotSignedIn) -> Response:
    """To the sign-in, and back from there. Of a form, what was typed is shown once more."""
    if request.method != "POST" or comes_from_elsewhere():
        return go_to(sign_in_path(own_path(request.full_path.rstrip("?"))))
    return make_response(render_template("staff_over.html", typed=_typed(TYPED_BY_STAFF)), 401)


def _typed(names: set[str]) -> list[str]:
    return [text for name, text in request.form.items() if name in names and text.strip()]


def _link_over(_: LinkOver) -> Response:
    return make_response(render_template("staff_link_over.html"), 410)


def _too_many_at_once(_: TooManyAtOnce) -> Response:
    log.warning("too_many_sign_ins_at_once")
    response = _page(
        gettext("Please try again in a moment"),
        gettext("Many people are signing in right now. Nothing was changed."),
        503,
    )
    response.headers["Retry-After"] = "2"
    return response


def _university_left(_: UniversityLeft) -> Response:
    return _page(
        gettext("This university has left"),
        gettext("It takes part no longer, and nothing new of it is stored. Its data are deleted."),
        409,
    )


def _form_not_ours(_: FormNotOurs) -> Response:
    return _page(
        gettext("Please send that once more"),
        gettext("The form was not made on this page. Nothing was changed. Go back, reload the page and try again."),
        403,
    )


def _database_unusable(error: Exception) -> Response:
    reference = _reference()
    log.error("database_unusable", reference=reference, error=str(error))
    response = _page(
        gettext("Please try again in a moment"),
        gettext("Our database cannot be reached right now. Nothing was lost and nothing half-done was kept."),
        503,
        reference=reference,
    )
    response.headers["Retry-After"] = "5"
    return response


def _http(error: HTTPException) -> Response:
    titles = {
        403: (gettext("Not for this role"), gettext("Your role in the course does not open this page.")),
        404: (gettext("There is nothing here"), gettext("Please check the address, or open it from your course.")),
        405: (gettext("That does not work here"), gettext("Please open the activity from your course.")),
        409: (gettext("Not now"), gettext("That is not possible at this moment. Please go back and reload the page.")),
        413: (gettext("That was too much at once"), gettext("The form is larger than this tool accepts.")),
    }
    if request.path.startswith(STAFF_PATHS):
        titles[403] = (gettext("Not for this account"), gettext("Your account does not open this page."))
        titles[404] = (gettext("There is nothing here"), gettext("Please check the address."))
        titles[405] = (gettext("That does not work here"), gettext("Please go back to the page that you came from."))
    code = error.code or 500
    title, words = titles.get(code, (gettext("That did not work"), gettext("Please go back and try again.")))
    response = _page(title, words, code)
    if error.response is None and isinstance(valid := getattr(error, "valid_methods", None), list | set | tuple):
        response.headers["Allow"] = ", ".join(sorted(valid))
    return response


def _unexpected(error: Exception) -> Response:
    reference = _reference()
    log.error("unexpected", reference=reference, path=request.url_rule and request.url_rule.rule, exc_info=error)
    return _page(
        gettext("Something went wrong on our side"),
        gettext("It has been noted. Please try again; if it stays, pass on the reference."),
        500,
        reference=reference,
    )


def _page(title: str, words: str, status: int, *, reference: str | None = None) -> Response:
    return make_response(render_template("error.html", title=title, words=words, reference=reference), status)


def _reference() -> str:
    """Short enough to be read out on the telephone."""
    return secrets.token_hex(4)
