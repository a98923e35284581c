"""Whether a web server hands LTI's services their path, by what a real Moodle answered behind several of them."""

import json

import pytest
import responses

from lms.moodle_lti_services import PathInfo, path_info_of
from tests.unit.recordings import MOODLE_URL, loopback_session, recording

ADDRESS = f"{MOODLE_URL}/mod/lti/services.php/2/lineitems?type_id=1"


def judge() -> PathInfo:
    with loopback_session() as http:
        return path_info_of(http, MOODLE_URL, 2)


@pytest.mark.parametrize(
    ("name", "path_info"),
    [
        ("ok", PathInfo.PASSED),
        ("dropped", PathInfo.DROPPED),
        ("dropped.noaccept", PathInfo.DROPPED),
        ("only-php-suffix", PathInfo.NOT_PASSED),
        ("front-controller", PathInfo.NOT_PASSED),
    ],
)
@responses.activate
def test_it_is_told_by_the_refusal(name: str, path_info: PathInfo) -> None:
    recorded = recording(f"lti-services-unauthenticated.path-info-{name}")
    body = recorded["response"]
    text = body if isinstance(body, str) else json.dumps(body)
    responses.get(ADDRESS, body=text, status=recorded["status"])
    assert judge() is path_info


@pytest.mark.parametrize(("status", "body"), [(503, "<h1>Down</h1>"), (400, '{"status": 400, "reason": "Other"}')])
@responses.activate
def test_another_answer_tells_nothing(status: int, body: str) -> None:
    responses.get(ADDRESS, body=body, status=status)
    assert judge() is PathInfo.UNKNOWN
