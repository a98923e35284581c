"""Rosters: cases 42 to 45 of lti-cases.md, against the recorded answers of a Moodle."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import responses
from responses import matchers

from lms.errors import MalformedAnswer, NotFound
from lms.guarded import GuardedSession
from lms.nrps import Member, read_memberships
from lms.service_tokens import ServiceTokens
from tests.unit.recordings import PLATFORM, SIGNING_KEY, grant_token, loopback_session, play_service, recording

MEMBERSHIPS = "http://127.0.0.1:8101/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
LIST = "https://lms.example/memberships"


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@pytest.fixture
def tokens(http: GuardedSession) -> ServiceTokens:
    return ServiceTokens(http, lambda: SIGNING_KEY, lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def page(*user_ids: str, next_url: str = "", url: str = LIST, rel: str = 'rel="next"') -> None:
    members = [{"user_id": user_id, "roles": ["Learner"], "status": "Active"} for user_id in user_ids]
    link = {"Link": f"<{next_url}>; {rel}"} if next_url else {}
    responses.get(url, json={"id": url, "context": {"id": "2"}, "members": members}, headers=link)


@responses.activate
def test_cases_42_to_45_everybody_in_the_course_is_read(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    accept = {"Accept": "application/vnd.ims.lti-nrps.v2.membershipcontainer+json", "Authorization": "Bearer a-token"}
    play_service("lti-nrps.all", match=[matchers.header_matcher(accept)])
    members = read_memberships(http, tokens, PLATFORM, MEMBERSHIPS)
    assert len(members) == len(recording("lti-nrps.all")["response"]["members"])
    assert members[0] == Member(user_id="33", name="Tea1 Cher", roles=("Instructor",), status="Active")
    assert "scope%2Fcontextmembership.readonly" in str(responses.calls[0].request.body)


@responses.activate
def test_where_the_lms_hides_names_there_are_none(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-nrps.privacy-never")
    assert {member.name for member in read_memberships(http, tokens, PLATFORM, MEMBERSHIPS)} == {None}


@responses.activate
def test_a_recorded_link_leads_to_the_next_page(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    first = play_service("lti-nrps.limit5", url=f"{MEMBERSHIPS}?limit=5")
    page("last", url=f"{MEMBERSHIPS}?limit=5&from=5")
    members = read_memberships(http, tokens, PLATFORM, f"{MEMBERSHIPS}?limit=5")
    assert (len(members), members[-1].user_id, first.call_count) == (6, "last", 1)


@responses.activate
@pytest.mark.parametrize("rel", ["rel=next", 'rel="next last"', 'title="x"; rel="next"'])
@pytest.mark.parametrize("link", ["https://lms.example/memberships?p=Ab", "/memberships?p=Ab", "?p=Ab"])
def test_the_next_page_is_found_however_its_link_is_written(
    http: GuardedSession, tokens: ServiceTokens, rel: str, link: str
) -> None:
    grant_token()
    page("a", next_url=link, rel=rel)
    page("b", url=f"{LIST}?p=Ab")
    assert [member.user_id for member in read_memberships(http, tokens, PLATFORM, LIST)] == ["a", "b"]


@responses.activate
def test_other_links_are_not_pages(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url=f"{LIST}?since=1", rel='rel="differences"')
    assert len(read_memberships(http, tokens, PLATFORM, LIST)) == 1


@responses.activate
@pytest.mark.parametrize(
    "link",
    ["https://evil.example/memberships", "http://lms.example/memberships", "https://lms.example:8443/memberships"],
)
def test_the_token_does_not_follow_a_link_to_another_site(
    http: GuardedSession, tokens: ServiceTokens, link: str
) -> None:
    grant_token()
    page("a", next_url=link)
    with pytest.raises(MalformedAnswer, match="another site"):
        read_memberships(http, tokens, PLATFORM, LIST)


@responses.activate
def test_a_next_page_that_has_no_address_is_no_roster(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url="https://[")
    with pytest.raises(MalformedAnswer, match="no web address"):
        read_memberships(http, tokens, PLATFORM, LIST)


@responses.activate
def test_an_answer_nested_without_end_is_no_roster(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    responses.get(LIST, body=b'{"members":' + b"[" * 100_000)
    with pytest.raises(MalformedAnswer, match="something else"):
        read_memberships(http, tokens, PLATFORM, LIST)


@responses.activate
def test_pages_without_end_are_no_roster(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url=LIST)
    with pytest.raises(MalformedAnswer, match="more than 50 pages"):
        read_memberships(http, tokens, PLATFORM, LIST)
    assert responses.assert_call_count(LIST, 50)


@responses.activate
def test_when_one_page_fails_there_is_no_part_of_a_roster(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url=f"{LIST}?p=2")
    responses.get(f"{LIST}?p=2", status=404)
    with pytest.raises(NotFound, match="roster"):
        read_memberships(http, tokens, PLATFORM, LIST)


@responses.activate
def test_somebody_on_two_pages_is_one_person(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", "b", next_url=f"{LIST}?p=2")
    page("b", "c", url=f"{LIST}?p=2")
    assert [member.user_id for member in read_memberships(http, tokens, PLATFORM, LIST)] == ["a", "b", "c"]


@responses.activate
@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"name": "Ada Lovelace", "given_name": "A"}, "Ada Lovelace"),
        ({"given_name": "Ada", "family_name": "Lovelace"}, "Ada Lovelace"),
        ({"family_name": "Lovelace"}, "Lovelace"),
        ({"name": None}, None),
        ({"name": ""}, None),
    ],
)
def test_a_name_is_put_together_from_what_there_is(
    http: GuardedSession, tokens: ServiceTokens, names: dict[str, str | None], shown: str | None
) -> None:
    grant_token()
    responses.get(LIST, json={"members": [{"user_id": "1", "roles": [], **names}]})
    (member,) = read_memberships(http, tokens, PLATFORM, LIST)
    assert (member.name, member.status) == (shown, "Active")


@responses.activate
@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"members": [{"user_id": 7, "roles": []}]}'])
def test_a_roster_of_another_shape_is_malformed(http: GuardedSession, tokens: ServiceTokens, body: str) -> None:
    grant_token()
    responses.get(LIST, body=body)
    with pytest.raises(MalformedAnswer):
        read_memberships(http, tokens, PLATFORM, LIST)


@responses.activate
def test_a_resource_link_that_is_gone_is_not_found(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-nrps.rlid-bad")
    with pytest.raises(NotFound):
        read_memberships(http, tokens, PLATFORM, f"{MEMBERSHIPS}?rlid=999")
