"""What a participant demands by a form: to be left out and no grades sent, and to have everything erased.

Art. 17 and 21 GDPR: https://eur-lex.europa.eu/eli/reg/2016/679/oj
"""

import structlog
from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.my_data import require_own_data
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student_forms import NO_FAULT, Fault
from lti_tool.pages.visit_proof import check_form, drop_visit_cookie, with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.store.erasure import erase_person
from series.store.objecting import object_to_use, take_objection_back
from series.store.sessions import get_series
from series.store.tombstones import whom

blueprint = Blueprint("my_data_rights", __name__, url_prefix="/visit/<visit_id>/my-data")
log = structlog.get_logger()


@blueprint.post("/object")
@with_visit
def say_no(visit: Visit) -> Response:
    check_form("object")
    require_own_data(visit)
    with the_tool().database.write() as connection:
        object_to_use(connection, visit.participant_id, now=the_tool().clock.now())
    return go_to(f"/visit/{visit.visit_id}/my-data/?saved=object#objecting")


@blueprint.post("/object-no-more")
@with_visit
def say_yes(visit: Visit) -> Response:
    check_form("object-no-more")
    require_own_data(visit)
    with the_tool().database.write() as connection:
        queued = take_objection_back(connection, visit.participant_id, now=the_tool().clock.now())
    the_tool().queue.enqueue_all("deliver", queued)
    return go_to(f"/visit/{visit.visit_id}/my-data/?saved=object-no-more#objecting")


@blueprint.get("/erase")
@with_visit
def ask_to_erase(visit: Visit) -> Response:
    return _ask(visit, NO_FAULT)


@blueprint.post("/erase")
@with_visit
def erase(visit: Visit) -> Response:
    """Closes all their visits, this one too: the answer is the last page."""
    check_form("erase")
    require_own_data(visit)
    if request.form.get("sure") != "yes":
        words = gettext("Please tick the box if you want everything erased. Nothing was erased.")
        return _ask(visit, Fault(at="sure", words=words, status=422))
    tool = the_tool()
    with tool.database.write() as connection:
        person = whom(connection, visit.participant_id)
        by = f"participant {visit.participant_id}"
        erase_person(connection, person, by=by, secret_key=tool.settings.secret_key, now=tool.clock.now())
    log.info("erased")
    response = make_response(render_template("my_data_erased.html", return_url=visit.return_url))
    drop_visit_cookie(response, visit.visit_id)
    return response


def _ask(visit: Visit, fault: Fault) -> Response:
    require_own_data(visit)
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
    return make_response(render_template("my_data_erase.html", visit=visit, series=series, fault=fault), fault.status)
