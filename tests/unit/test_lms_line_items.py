"""Line items by our resource id: pitfalls 24, 25, 29 and 30, against the recorded answers of a Moodle."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from msgspec import structs
from responses import matchers

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE
from lms.errors import MalformedAnswer, NotAllowed, NotFound, NotGranted, Refused, Unreachable
from lms.guarded import GuardedSession
from lms.line_items import NewLineItem, create_line_item, find_line_items
from lms.service_tokens import ServiceTokens
from tests.unit.recordings import PLATFORM, SIGNING_KEY, grant_token, loopback_session, play_service, recording

MOODLE_ITEMS = "http://127.0.0.1:8101/mod/lti/services.php/2/lineitems?type_id=1"
ITEMS = "https://lms.example/course/2/lineitems"
SCOPES = frozenset({SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_SCORE})
NEW = NewLineItem(label="Inquiry", score_maximum=10, resource_id="series 7", resource_link_id="link")
ITEM = {"id": f"{ITEMS}/1", "label": "Inquiry", "scoreMaximum": 10, "resourceId": "series 7", "resourceLinkId": "link"}


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@pytest.fixture
def tokens(http: GuardedSession) -> ServiceTokens:
    return ServiceTokens(http, lambda: SIGNING_KEY, lambda: datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


@pytest.fixture
def find(http: GuardedSession, tokens: ServiceTokens) -> Any:
    def find(url: str = ITEMS, **changes: Any) -> tuple[str, ...]:
        asked = {"resource_id": "series 7", "resource_link_id": "link", "scopes": SCOPES} | changes
        return find_line_items(http, tokens, PLATFORM, url, **asked)

    return find


@pytest.fixture
def create(http: GuardedSession, tokens: ServiceTokens) -> Any:
    def create(new: NewLineItem = NEW, url: str = ITEMS, scopes: frozenset[str] = SCOPES) -> str:
        return create_line_item(http, tokens, PLATFORM, url, new, scopes=scopes)

    return create


def items_are(
    *items: dict[str, Any], headers: dict[str, str] | None = None, query: str = "?resource_id=series%207"
) -> Any:
    return responses.get(f"{ITEMS}{query}", json=list(items), headers=headers)


def sent() -> list[Any]:
    """Our requests beside those for tokens."""
    return [call.request for call in responses.calls if call.request.url != PLATFORM.token_endpoint]


# Looking for one


@responses.activate
def test_pitfalls_24_and_25_the_query_is_kept_and_the_media_type_exact(find: Any) -> None:
    grant_token()
    accept = {"Accept": "application/vnd.ims.lis.v2.lineitemcontainer+json", "Authorization": "Bearer a-token"}
    play_service("lti-ags-lineitems.filter-resource_id", match=[matchers.header_matcher(accept)])
    found = find(MOODLE_ITEMS, resource_id="sess-uuid-1")
    assert found == tuple(item["id"] for item in recording("lti-ags-lineitems.filter-resource_id")["response"])
    assert [request.url for request in sent()] == [f"{MOODLE_ITEMS}&resource_id=sess-uuid-1"]


@responses.activate
def test_no_limit_is_sent(find: Any) -> None:
    grant_token()
    items_are()
    assert find() == ()
    assert "limit" not in sent()[0].url


@responses.activate
def test_moodles_link_header_which_nobody_can_read_ends_the_list(find: Any) -> None:
    """It comes only with a limit."""
    grant_token()
    link = recording("lti-ags-lineitems.list-limit2")["response_headers"]["Link"]
    items_are(ITEM, headers={"Link": link})
    assert find() == (ITEM["id"],)


@responses.activate
@pytest.mark.parametrize(
    ("scopes", "asked"),
    [
        (SCOPES, SCOPE_LINE_ITEM_READONLY),
        ({SCOPE_LINE_ITEM_READONLY}, SCOPE_LINE_ITEM_READONLY),
        ({SCOPE_LINE_ITEM}, SCOPE_LINE_ITEM),
    ],
    ids=["both", "readonly", "the wider one alone"],
)
def test_pitfall_25_the_narrowest_scope_that_is_granted_is_asked(find: Any, scopes: set[str], asked: str) -> None:
    grant_token()
    items_are()
    find(scopes=scopes)
    assert dict(item.split("=") for item in str(responses.calls[0].request.body).split("&"))["scope"] == (
        asked.replace(":", "%3A").replace("/", "%2F")
    )


@responses.activate
def test_without_a_scope_nothing_is_asked(find: Any, create: Any) -> None:
    with pytest.raises(NotGranted, match="manage grade columns"):
        find(scopes={SCOPE_SCORE})
    with pytest.raises(NotGranted, match="manage grade columns"):
        create(scopes=frozenset({SCOPE_LINE_ITEM_READONLY}))
    assert len(responses.calls) == 0


@responses.activate
@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"resourceId": "series 8"}, "another resource"),
        ({"resourceId": ""}, "no resource"),
        ({"resourceId": None}, "no resource, said otherwise"),
        ({"resourceLinkId": "another link"}, "another activity of the same course"),
    ],
)
def test_pitfall_29_a_filter_that_a_platform_ignores_does_not_confuse_us(
    find: Any, other: dict[str, Any], why: str
) -> None:
    grant_token()
    items_are({**ITEM, **other, "id": f"{ITEMS}/2"}, ITEM)
    assert find() == (ITEM["id"],), why


@responses.activate
def test_pitfall_30_one_without_a_link_will_do_where_there_is_no_better(find: Any) -> None:
    grant_token()
    loose = {name: value for name, value in ITEM.items() if name != "resourceLinkId"} | {"id": f"{ITEMS}/0"}
    items_are(loose, ITEM, {**ITEM, "id": f"{ITEMS}/2", "resourceLinkId": ""})
    assert find() == (ITEM["id"], loose["id"], f"{ITEMS}/2")


@responses.activate
def test_all_pages_are_read(find: Any) -> None:
    grant_token()
    items_are({**ITEM, "resourceId": "x"}, headers={"Link": f'<{ITEMS}?page=2>; rel="next"'})
    items_are(ITEM, query="?page=2")
    assert find() == (ITEM["id"],)


@responses.activate
def test_the_next_page_is_not_read_elsewhere(find: Any) -> None:
    grant_token()
    items_are(headers={"Link": '<https://elsewhere.example/>; rel="next"'})
    with pytest.raises(MalformedAnswer, match="another site"):
        find()


@responses.activate
def test_pages_without_end_are_given_up(find: Any) -> None:
    grant_token()
    items_are(headers={"Link": f'<{ITEMS}?p=1>; rel="next"'})
    for number in range(1, 60):
        items_are(query=f"?p={number}", headers={"Link": f'<{ITEMS}?p={number + 1}>; rel="next"'})
    with pytest.raises(MalformedAnswer, match="more than 50 pages"):
        find()
    assert len(sent()) == 50


@responses.activate
def test_pages_that_come_too_slowly_are_given_up(find: Any) -> None:
    with pytest.raises(Unreachable, match="too slowly"):
        find(within_s=0)


@responses.activate
@pytest.mark.parametrize("body", ["", "<html>", "{}", '[{"id": 4}]', '[{"label": "x"}]', "\\xff"])
def test_something_else_than_line_items_is_malformed(find: Any, body: str) -> None:
    grant_token()
    responses.get(f"{ITEMS}?resource_id=series%207", body=body)
    with pytest.raises(MalformedAnswer, match="grade columns"):
        find()


@responses.activate
@pytest.mark.parametrize(
    "address", ["", "/lineitems/1", "javascript:1", "https://lms.example/\0", "https://x/" + "y" * 2000]
)
def test_an_address_that_cannot_be_kept_and_called_is_refused(find: Any, create: Any, address: str) -> None:
    grant_token()
    items_are({**ITEM, "id": address})
    with pytest.raises(MalformedAnswer, match="no web address"):
        find()
    grant_token()
    responses.post(ITEMS, json={**ITEM, "id": address}, status=201)
    with pytest.raises(MalformedAnswer, match="no web address"):
        create()


@responses.activate
def test_a_course_that_is_gone_is_not_found(find: Any) -> None:
    grant_token()
    responses.get(f"{ITEMS}?resource_id=series%207", status=404)
    with pytest.raises(NotFound, match="open the activity once more"):
        find()


@responses.activate
def test_a_tool_that_may_not_manage_columns_is_told_so(find: Any) -> None:
    grant_token("one")
    grant_token("two")
    play_service("lti-ags-lineitems.badtoken", url=f"{ITEMS}?resource_id=series%207")
    with pytest.raises(NotAllowed, match="manage grade columns"):
        find()


# Making one


@responses.activate
def test_a_moodle_was_seen_to_make_what_we_ask_for(create: Any) -> None:
    grant_token()
    exchange = recording("lti-ags-lineitem.create-with-rl")
    headers = {
        "Content-Type": "application/vnd.ims.lis.v2.lineitem+json",
        "Accept": "application/vnd.ims.lis.v2.lineitem+json",
        "Authorization": "Bearer a-token",
    }
    play_service("lti-ags-lineitem.create-with-rl", match=[matchers.header_matcher(headers)])
    new = NewLineItem(label="With RL", score_maximum=1, resource_id="sess-uuid-2", resource_link_id="2")
    assert create(new, MOODLE_ITEMS) == exchange["response"]["id"]
    body = json.loads(sent()[0].body)
    assert body == {name: exchange["request_body"][name] for name in body}
    assert body.keys() == {"label", "scoreMaximum", "resourceId", "resourceLinkId"}
    assert str(responses.calls[0].request.body).endswith("scope%2Flineitem")


@responses.activate
@pytest.mark.parametrize("status", [400, 404, 412, 422])
def test_pitfall_30_a_platform_that_refuses_the_link_is_asked_without_it(create: Any, status: int) -> None:
    grant_token()
    responses.post(ITEMS, status=status)
    responses.post(ITEMS, json=ITEM, status=201)
    assert create() == ITEM["id"]
    bodies = [json.loads(request.body) for request in sent()]
    assert [body.get("resourceLinkId") for body in bodies] == ["link", None]
    assert bodies[1] == {name: value for name, value in bodies[0].items() if name != "resourceLinkId"}


@responses.activate
@pytest.mark.parametrize(
    ("status", "link", "tries"), [(403, "link", 1), (400, None, 1), (422, "link", 2)], ids=["403", "no link", "422"]
)
def test_a_refusal_for_good_is_one(create: Any, status: int, link: str | None, tries: int) -> None:
    grant_token()
    responses.post(ITEMS, status=status)
    with pytest.raises(Refused) as caught:
        create(structs.replace(NEW, resource_link_id=link))
    assert (len(sent()), caught.value.permanent) == (tries, True)


@responses.activate
@pytest.mark.parametrize("body", ["", "[]", "<html>"])
def test_an_answer_that_names_no_line_item_is_malformed(create: Any, body: str) -> None:
    grant_token()
    responses.post(ITEMS, body=body, status=201)
    with pytest.raises(MalformedAnswer, match="grade column"):
        create()
