"""Rosters: cases 42 to 45 of lti-cases.md, and pitfalls 32 and 33, against the recorded answers of a Moodle."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import responses
from responses import matchers

from lms.errors import LmsError, MalformedAnswer, NotFound
from lms.guarded import GuardedSession
from lms.nrps import Member, as_roster_member, read_memberships
from lms.products import Product
from lms.service_tokens import ServiceTokens
from series.roles import TEST_USER_ROLE
from series.rosters import RosterMember
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


def asked() -> list[str]:
    """Which addresses were asked for people."""
    return [call.request.url for call in responses.calls if call.request.method == "GET" and call.request.url]


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
    ["https://evil.example/memberships", "http://lms.example:8080/memberships", "https://lms.example:8443/memberships"],
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
    for number in range(60):
        page("a", url=f"{LIST}?p={number}", next_url=f"{LIST}?p={number + 1}")
    with pytest.raises(MalformedAnswer, match="more than 50 pages"):
        read_memberships(http, tokens, PLATFORM, f"{LIST}?p=0")
    assert len(asked()) == 50


@responses.activate
def test_pitfall_32_pages_that_lead_in_a_circle_are_no_roster(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url=f"{LIST}?p=2")
    page("b", url=f"{LIST}?p=2", next_url=LIST)
    with pytest.raises(MalformedAnswer, match="in a circle"):
        read_memberships(http, tokens, PLATFORM, LIST)
    assert asked() == [LIST, f"{LIST}?p=2"]


@responses.activate
def test_pitfall_32_a_link_to_differences_is_no_next_page(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url=f"{LIST}?since=1", rel='rel="differences"')
    assert len(read_memberships(http, tokens, PLATFORM, LIST)) == 1


@responses.activate
def test_a_sakai_is_not_asked_for_an_activity_alone_because_it_would_give_everybody(
    http: GuardedSession, tokens: ServiceTokens
) -> None:
    grant_token()
    page("a")
    read_memberships(http, tokens, replace(PLATFORM, product=Product.SAKAI), LIST, resource_link_id="1")
    assert asked() == [LIST]


@responses.activate
def test_when_one_page_fails_there_is_no_part_of_a_roster(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", next_url=f"{LIST}?p=2")
    responses.get(f"{LIST}?p=2", status=404)
    with pytest.raises(MalformedAnswer, match="a next page of its roster that is not there"):
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


# Only who can open one activity (pitfall 32: Schoology refuses to tell)


@responses.activate
def test_who_can_open_an_activity_is_asked_for_when_wanted(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    play_service("lti-nrps.rlid1")
    members = read_memberships(http, tokens, PLATFORM, MEMBERSHIPS, resource_link_id="1")
    assert (len(members), asked()) == (32, [f"{MEMBERSHIPS}?rlid=1"])


@responses.activate
def test_nobody_asks_for_an_activity_or_sets_a_limit_unasked(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", url=f"{LIST}?Type_ID=Ab")
    read_memberships(http, tokens, PLATFORM, f"{LIST}?Type_ID=Ab")
    assert asked() == [f"{LIST}?Type_ID=Ab"]


@responses.activate
def test_the_query_of_the_address_is_kept(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("a", url=f"{LIST}?type_id=1&rlid=a%2Bb%26c")
    read_memberships(http, tokens, PLATFORM, f"{LIST}?type_id=1", resource_link_id="a+b&c")
    assert asked() == [f"{LIST}?type_id=1&rlid=a%2Bb%26c"]


@responses.activate
@pytest.mark.parametrize(
    "refusal", [{"status": 400}, {"status": 404}, {"status": 501}, {"body": "<html>"}, {"json": {"members": None}}]
)
def test_pitfall_32_where_that_is_refused_the_whole_course_is_read(
    http: GuardedSession, tokens: ServiceTokens, refusal: dict[str, object]
) -> None:
    grant_token()
    responses.get(f"{LIST}?rlid=1", **refusal)
    page("a", "b", url=LIST)
    assert len(read_memberships(http, tokens, PLATFORM, LIST, resource_link_id="1")) == 2


@responses.activate
def test_a_recorded_refusal_of_an_unknown_activity_gives_the_whole_course(
    http: GuardedSession, tokens: ServiceTokens
) -> None:
    grant_token()
    play_service("lti-nrps.rlid-bad")
    play_service("lti-nrps.all")
    assert len(read_memberships(http, tokens, PLATFORM, MEMBERSHIPS, resource_link_id="999")) == 32


@responses.activate
@pytest.mark.parametrize("status", [403, 429, 503])
def test_another_failure_is_not_taken_for_that_refusal(
    http: GuardedSession, tokens: ServiceTokens, status: int
) -> None:
    grant_token()
    responses.get(f"{LIST}?rlid=1", status=status)
    with pytest.raises(LmsError):
        read_memberships(http, tokens, PLATFORM, LIST, resource_link_id="1")
    assert asked() == [f"{LIST}?rlid=1"]


# Who is there


@responses.activate
def test_pitfall_32_an_empty_list_is_an_answer(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page()
    assert read_memberships(http, tokens, PLATFORM, LIST) == ()


@responses.activate
def test_pitfall_32_nothing_is_ever_written_small(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    page("Ab", "AB", next_url="/memberships?Page=Xy")
    page("ab", url=f"{LIST}?Page=Xy")
    assert [m.user_id for m in read_memberships(http, tokens, PLATFORM, LIST)] == ["Ab", "AB", "ab"]


@responses.activate
def test_pitfall_33_a_member_may_be_a_number_and_a_role_alone(http: GuardedSession, tokens: ServiceTokens) -> None:
    grant_token()
    responses.get(LIST, json={"members": [{"user_id": "1", "roles": ["Learner"]}]})
    (member,) = read_memberships(http, tokens, PLATFORM, LIST)
    assert member == Member(user_id="1", name=None, roles=("Learner",), status="Active")


@responses.activate
def test_who_was_deleted_is_no_member_and_who_is_inactive_is_suspended(
    http: GuardedSession, tokens: ServiceTokens
) -> None:
    grant_token()
    people = [
        {"user_id": status or "none", "roles": [], "status": status}
        for status in ("Active", "Inactive", "Deleted", None)
    ]
    responses.get(LIST, json={"members": people})
    members = read_memberships(http, tokens, PLATFORM, LIST)
    assert {m.user_id: m.is_suspended for m in members} == {"Active": False, "Inactive": True, "none": False}


@responses.activate
@pytest.mark.parametrize("link", ["http://lms.example/memberships?p=2", "http://lms.example:80/memberships?p=2"])
def test_an_lms_that_takes_itself_for_an_http_one_is_asked_by_https(
    http: GuardedSession, tokens: ServiceTokens, link: str
) -> None:
    grant_token()
    page("a", next_url=link)
    page("b", url=f"{LIST}?p=2")
    assert [member.user_id for member in read_memberships(http, tokens, PLATFORM, LIST)] == ["a", "b"]


# What is kept of somebody


@pytest.mark.parametrize("user_id", ["", "x" * 256, "4\0", "é"])
def test_of_a_user_id_that_can_never_launch_nothing_is_kept(user_id: str) -> None:
    assert as_roster_member(Member(user_id=user_id, name=None, roles=("Learner",), status="Active")) is None


@pytest.mark.parametrize(
    ("roles", "is_learner"),
    [(("Learner",), True), (("Instructor",), False), (("Learner", TEST_USER_ROLE), False)],
)
def test_a_test_user_is_no_learner(roles: tuple[str, ...], *, is_learner: bool) -> None:
    kept = as_roster_member(Member(user_id="4", name="Maria", roles=roles, status="Inactive"))
    assert kept == RosterMember(sub="4", is_learner=is_learner, is_suspended=True)
