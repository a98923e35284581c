"""Of a pre-flight, the test score: for a test student, where there is one; else for a person who does not exist.

A right refusal of that person proves that token, scope, address and form are right, and touches nobody's grade. So it
is sent to the activity's own column. One is made only where there is none, or for a test student, and only if somebody
asks: Canvas makes it a published assignment, of which students are told, and Moodle counts the course's grades anew.
"""

from lms.ags import (
    MEDIA_TYPE_SCORE,
    SCOPE_LINE_ITEM,
    SCOPE_RESULT_READONLY,
    SCOPE_SCORE,
    AgsEndpoint,
    Result,
    compose_score,
    post_score,
    read_result,
    service_url,
)
from lms.errors import LmsError, NotAllowed, NotFound, Refused, UnfitUserId
from lms.guarded import Answer
from lms.preflight_findings import CALL_S, Findings
from lms.products.table import QUIRKS
from lms.services import call_service
from lms.trial_line_item import TEST_MAXIMUM, delete_trial_line_items, have_trial_line_item
from series.checks import Outcome
from series.preflight import Code, Trial, outcome_of
from series.preflight_facts import Placed

CLEANING_S = 20.0
GIVEN = 50


def try_score(found: Findings) -> None:
    placed = found.facts.placed
    if placed is None:
        found.skipped(Code.TEST_SCORE, case="no_launch")
    elif SCOPE_SCORE not in placed.ags_scopes:
        found.gap(Code.TEST_SCORE, case="not_granted")
    elif not found.has_token:
        found.skipped(Code.TEST_SCORE)
    else:
        _try_in_column(found, placed)


def _try_in_column(found: Findings, placed: Placed) -> None:
    own_url = placed.line_item_url if outcome_of(found.trials, Code.LINE_ITEM) is not Outcome.GAP else None
    may_make = placed.line_items_url is not None and SCOPE_LINE_ITEM in placed.ags_scopes
    left = _clean_up(found, placed.ags_scopes) if found.left_in else ""
    if own_url is not None and (found.test_user is None or not may_make):
        came = _nobody(found, own_url)  # a real column: no real person
    elif placed.line_items_url is None or not may_make:
        came = _trial(Outcome.SKIPPED, case="no_column")
    elif left:  # another one would make us forget where this one is
        came = _trial(Outcome.UNKNOWN, case="left", reason=left)
    elif found.is_asked:
        _try_in_made_column(found, placed, placed.line_items_url)
        return
    elif found.earlier_score is not None:
        found.trials.append(found.earlier_score)
        return
    else:
        came = _trial(Outcome.UNKNOWN, case="unasked")
    found.note(_unless_left(came, left))


def _try_in_made_column(found: Findings, placed: Placed, line_items_url: str) -> None:
    """In a column that is made for it and deleted afterwards. Where, is written down before: whoever is killed in the
    middle leaves it to the next pre-flight, which may look at another course."""
    services = (found.http, found.tokens, found.platform, line_items_url)
    found.keep_in_mind(line_items_url)
    try:
        line_item_url = have_trial_line_item(*services, scopes=placed.ags_scopes, within_s=CLEANING_S)
    except LmsError as error:
        found.failed(Code.TEST_SCORE, error, case="column")
        return
    try:
        came = _outcome(found, line_item_url, placed.ags_scopes)
    finally:
        left = _clean_up(found, placed.ags_scopes)
    found.note(_unless_left(came, left))


def _clean_up(found: Findings, scopes: frozenset[str]) -> str:
    """Of the course in which a column of ours was made last; what went wrong."""
    services = (found.http, found.tokens, found.platform, found.left_in)
    try:
        delete_trial_line_items(*services, scopes=scopes, within_s=CLEANING_S)
    except NotFound:
        pass  # the course is gone, and its columns with it
    except LmsError as error:
        return str(error)
    found.keep_in_mind("")
    return ""


def _unless_left(came: Trial, left: str) -> Trial:
    """`left`: why a column of ours could not be deleted; what is wrong with the score says more."""
    return _trial(Outcome.UNKNOWN, case="left", reason=left) if left and came.outcome is Outcome.OK else came


def _trial(outcome: Outcome, **facts: str | int) -> Trial:
    return Trial(code=Code.TEST_SCORE, outcome=outcome, facts=facts)


def _outcome(found: Findings, line_item_url: str, scopes: frozenset[str]) -> Trial:
    if found.test_user is None:
        return _nobody(found, line_item_url)
    return _test_student(found, AgsEndpoint(line_item_url=line_item_url, scopes=scopes), found.test_user)


def _test_student(found: Findings, endpoint: AgsEndpoint, user_id: str) -> Trial:
    """Written, and read back where the LMS lets us."""
    try:
        body = _body(found, user_id)
        post_score(found.http, found.tokens, found.platform, endpoint, body)
        if SCOPE_RESULT_READONLY not in endpoint.scopes:
            return _trial(Outcome.OK, case="written")
        result = read_result(found.http, found.tokens, found.platform, endpoint, user_id)
    except (UnfitUserId, NotAllowed, Refused) as error:
        if isinstance(error, NotAllowed) and error.status != 422:  # which is about the activity: not published
            return _trial(Outcome.GAP, case="right", status=error.status)
        return _trial(Outcome.GAP, case="student", reason=str(error))
    except LmsError as error:
        return _trial(Outcome.GAP, reason=str(error))
    return _read_back(result)


def _read_back(result: Result | None) -> Trial:
    if result is None or result.result_score is None or not result.result_maximum:
        return _trial(Outcome.UNKNOWN, case="not_read")
    share = result.result_score / result.result_maximum
    if round(share * TEST_MAXIMUM) != GIVEN:
        return _trial(Outcome.GAP, case="other_number", read=f"{result.result_score:g}")
    return _trial(Outcome.OK, case="read")


def _nobody(found: Findings, line_item_url: str) -> Trial:
    quirks = QUIRKS[found.platform.product]
    said: list[Answer] = []
    url, body = service_url(line_item_url, "scores"), _body(found, quirks.nobody)
    try:
        call_service(
            found.tokens,
            found.platform,
            [SCOPE_SCORE],
            lambda bearer: found.http.post(
                url, data=body, headers={"Content-Type": MEDIA_TYPE_SCORE, **bearer}, within_s=CALL_S
            ),
            quirks.says,
            meaning=said.append,
        )
    except LmsError as error:
        if said and quirks.misses_person(said[-1]):
            return _trial(Outcome.OK, case="nobody")
        if said and (isinstance(error, NotAllowed) or said[-1].status == 403):
            return _trial(Outcome.GAP, case="right", status=said[-1].status)
        if isinstance(error, Refused):
            return _trial(Outcome.UNKNOWN, case="unclear", status=error.status)
        return _trial(Outcome.GAP, reason=str(error))
    return _trial(Outcome.OK, case="taken")


def _body(found: Findings, user_id: str) -> bytes:
    return compose_score(
        found.platform.product,
        user_id=user_id,
        given=GIVEN,
        maximum=TEST_MAXIMUM,
        at=found.setting.clock.now(),
        version=1,
    )
