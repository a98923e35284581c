"""Moving one's progress to another account: a code is made here, and entered in the other account."""

import math

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.pages.my_data import render_my_data, require_own_data
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student_forms import Fault
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.limits import HOST_CODE_TRIES
from series.people import Visit
from series.store.limits import take
from series.store.sessions import get_series
from series.store.transfer import BorderClosed, CodeOver, Move, OwnCode, move_progress, preview_move, save_code
from series.transfer_codes import hash_of_code, new_transfer_code

gettext, ngettext = WORDS.gettext, WORDS.ngettext

blueprint = Blueprint("my_data_transfer", __name__, url_prefix="/visit/<visit_id>/my-data")


class TriesTooFast(Exception):
    """In words for who tries."""

    def __init__(self, words: str, wait_s: int) -> None:
        super().__init__(words)
        self.wait_s = wait_s


@blueprint.post("/code")
@with_visit
def make_code(visit: Visit) -> Response:
    """Shown by this answer alone, and so no redirect: nowhere else is it kept."""
    check_form("code")
    require_own_data(visit)
    code = new_transfer_code()
    with the_tool().database.write() as connection:
        save_code(connection, visit.participant_id, hash_of_code(code) or "", now=the_tool().clock.now())
    return render_my_data(visit, new_code=code)


@blueprint.post("/move")
@with_visit
def move(visit: Visit) -> Response:
    """First what would move is shown; with `sure`, it moves."""
    check_form("move")
    require_own_data(visit)
    typed = request.form.get("code", "")[:64]
    try:
        code_hash = _hash(visit, typed)
        if request.form.get("sure") != "yes":
            return _ask(visit, typed, _preview(visit, code_hash))
        with the_tool().database.write() as connection:
            queued = move_progress(connection, code_hash, to=visit.participant_id, now=the_tool().clock.now())
    except (BorderClosed, CodeOver, OwnCode) as error:
        return render_my_data(visit, fault=Fault(at="move", words=_refusal(error), typed=typed, status=422))
    except TriesTooFast as error:
        response = render_my_data(visit, fault=Fault(at="move", words=str(error), typed=typed, status=429))
        response.headers["Retry-After"] = str(error.wait_s)
        return response
    the_tool().queue.enqueue_all("deliver", queued)
    return go_to(f"/visit/{visit.visit_id}/my-data/?saved=move#moving")


def _hash(visit: Visit, typed: str) -> str:
    """Every try is counted, also a right one. Raises TriesTooFast or CodeOver."""
    tool = the_tool()
    with tool.database.write() as connection:
        key = f"transfer code {visit.participant_id}"
        wait_s = math.ceil(take(connection, key, HOST_CODE_TRIES, now=tool.clock.now()))
    if wait_s:
        words = ngettext(
            "Too many tries. Please wait %(num)s second, then compare the code and try again.",
            "Too many tries. Please wait %(num)s seconds, then compare the code and try again.",
            wait_s,
        )
        raise TriesTooFast(words, wait_s)
    code_hash = hash_of_code(typed)
    if code_hash is None:
        raise CodeOver
    return code_hash


def _preview(visit: Visit, code_hash: str) -> Move:
    with the_tool().database.read() as connection:
        return preview_move(connection, code_hash, to=visit.participant_id, now=the_tool().clock.now())


def _ask(visit: Visit, typed: str, found: Move) -> Response:
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
    since = moment(found.since, visit.university.time_zone)
    page = render_template("my_data_move.html", visit=visit, series=series, code=typed, move=found, since=since)
    return make_response(page)


def _refusal(error: Exception) -> str:
    if isinstance(error, BorderClosed):
        return gettext(
            "What is recorded for you may not go to this university's country yet: the coordinators of the series have"
            " recorded no agreement for it. Please ask them. Nothing was moved, and your code still works."
        )
    if isinstance(error, OwnCode):
        return gettext("This code was made in this account. Enter it in the account to which your progress should go.")
    return gettext(
        "That code does not work: it may have a typing error, may have been used, or may be older than 14 days. Nothing"
        " was moved. You can make a new one in your other account."
    )
