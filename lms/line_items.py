"""Line items of Assignment and Grade Services 2.0: found by our own resource id, and made where there is none.

None is ever changed or deleted: in Moodle a deletion takes the grades and completions of the activity with it.
https://www.imsglobal.org/spec/lti-ags/v2p0/#line-item-service-scope-and-allowed-http-methods
"""

import time
from collections.abc import Collection
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY
from lms.errors import MalformedAnswer, NotFound, NotGranted, Refused
from lms.guarded import TOTAL_S, Answer, GuardedSession
from lms.paging import Listing, pages
from lms.service_tokens import ServicePlatform, ServiceTokens
from lms.services import call_service

MEDIA_TYPE_LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
MEDIA_TYPE_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
MAX_URL = 2000

_SAYS = {
    401: "The LMS does not let us look for the grade column of this activity, or make one: its administrator should"
    " check that the tool may manage grade columns.",
    403: "The LMS does not let us have a grade column in this course.",
    404: "The course that the LMS named for grade columns is not there: open the activity once more from the course.",
}
_NOT_GRANTED = (
    "The LMS does not let us have a grade column for this activity: its administrator should allow the tool to manage"
    " grade columns, or the activity should be set up with a grade; then somebody should open it once more."
)


class NewLineItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """https://www.imsglobal.org/spec/lti-ags/v2p0/#creating-a-new-line-item"""

    label: str
    score_maximum: int
    resource_id: str
    resource_link_id: str | None = None


class LineItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`id` is its address. Platforms write "" or nothing where there is no resource id or link."""

    id: str
    resource_id: str | None = None
    resource_link_id: str | None = None


_LINE_ITEM = msgspec.json.Decoder(LineItem)
_LINE_ITEMS = msgspec.json.Decoder(list[LineItem])


def find_line_items(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    line_items_url: str,
    *,
    resource_id: str,
    resource_link_id: str,
    scopes: Collection[str],
    within_s: float = TOTAL_S,
) -> tuple[str, ...]:
    """Addresses of the line items that we once made for this resource and this link; usually one or none.

    Last those without a link, because some platforms do not keep it. Raises NotGranted, Unreachable, TryLater,
    MalformedAnswer, NotAllowed, Refused, NotFound. May be repeated. Sends no `limit`: Moodle then answers with a Link
    header that nobody can read.
    """
    listing = Listing(
        scope=_scope_to_read(scopes),
        media_type=MEDIA_TYPE_LINE_ITEMS,
        of="its grade columns",
        things="grade columns",
        says=_SAYS,
    )
    url = _filtered(line_items_url, resource_id)
    with_link: list[str] = []
    without_link: list[str] = []
    for answer in pages(http, tokens, platform, url, listing, give_up_at=time.monotonic() + within_s):
        for item in _line_items(answer):
            # A platform may ignore the filter, and another activity of the same course may show the same series.
            if item.resource_id != resource_id:
                continue
            if item.resource_link_id == resource_link_id:
                with_link.append(_address(answer, item))
            elif not item.resource_link_id:
                without_link.append(_address(answer, item))
    return (*with_link, *without_link)


def is_line_item_there(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    line_item_url: str,
    *,
    scopes: Collection[str],
) -> bool:
    """Whether the LMS still knows it. Raises as `find_line_items`, without NotFound. May be repeated."""
    try:
        call_service(
            tokens,
            platform,
            [_scope_to_read(scopes)],
            lambda bearer: http.get(line_item_url, headers={"Accept": MEDIA_TYPE_LINE_ITEM, **bearer}),
            _SAYS,
        )
    except NotFound:
        return False
    return True


def create_line_item(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    line_items_url: str,
    new: NewLineItem,
    *,
    scopes: Collection[str],
) -> str:
    """The address of a new line item; look for it before. A platform that refuses the link (Canvas does, for a link
    that is no assignment) is asked for one without.

    Raises as `find_line_items`. Must not be repeated without a new look.
    """
    if SCOPE_LINE_ITEM not in scopes:
        raise NotGranted(_NOT_GRANTED)

    def send(item: NewLineItem) -> Answer:
        body = msgspec.json.encode(item)
        headers = {"Content-Type": MEDIA_TYPE_LINE_ITEM, "Accept": MEDIA_TYPE_LINE_ITEM}
        return call_service(
            tokens,
            platform,
            [SCOPE_LINE_ITEM],
            lambda bearer: http.post(line_items_url, data=body, headers={**headers, **bearer}),
            _SAYS,
        )

    try:
        answer = send(new)
    except Refused as refused:
        if new.resource_link_id is None or refused.status not in {400, 404, 412, 422}:
            raise
        answer = send(msgspec.structs.replace(new, resource_link_id=None))
    try:
        made = _LINE_ITEM.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered our wish for a grade column with something else") from None
    return _address(answer, made)


def _scope_to_read(scopes: Collection[str]) -> str:
    """Moodle wants the narrower scope for looking, and some LMSs grant only the wider one."""
    for scope in (SCOPE_LINE_ITEM_READONLY, SCOPE_LINE_ITEM):
        if scope in scopes:
            return scope
    raise NotGranted(_NOT_GRANTED)


def _filtered(line_items_url: str, resource_id: str) -> str:
    """With our filter behind the query that is there: Moodle's has `type_id`."""
    parts = urlsplit(line_items_url)
    query = "&".join(part for part in (parts.query, f"resource_id={quote(resource_id, safe='')}") if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _line_items(answer: Answer) -> list[LineItem]:
    try:
        return _LINE_ITEMS.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered our question for grade columns with something else") from None


def _address(answer: Answer, item: LineItem) -> str:
    """It will be kept and called, so it must be a web address."""
    if not item.id.startswith(("https://", "http://")) or not item.id.isprintable() or len(item.id) > MAX_URL:
        raise MalformedAnswer(answer.host, "names no web address for a grade column")
    return item.id
