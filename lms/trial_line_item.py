"""A line item that is ours alone, for a test score; and the only one that is ever deleted.

Moodle deletes also the line item of an activity, with its grades and completions, if it is asked to. So only what the
LMS itself lists under our test resource id, and under no resource link, is deleted.
https://www.imsglobal.org/spec/lti-ags/v2p0/#line-item-service-scope-and-allowed-http-methods
"""

import time
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from lms.ags import SCOPE_LINE_ITEM
from lms.errors import MalformedAnswer, NotFound, Unreachable
from lms.guarded import GuardedSession, same_origin
from lms.line_items import NewLineItem, create_line_item, find_line_items
from lms.service_tokens import ServicePlatform, ServiceTokens
from lms.services import call_service
from series.preflight import TEST_LABEL, TEST_RESOURCE_ID

TEST_MAXIMUM = 100
NO_LINK = ""  # no activity has it, so that only those without a link are found


def have_trial_line_item(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    line_items_url: str,
    *,
    scopes: Collection[str],
    within_s: float,
) -> str:
    """The address of one that is there already, because a crash or an LMS that deletes none has left it; else of a new
    one. Raises as `create_line_item`."""
    found = _find(http, tokens, platform, line_items_url, scopes=scopes, within_s=within_s)
    if found:
        return found[0]
    new = NewLineItem(label=TEST_LABEL, score_maximum=TEST_MAXIMUM, resource_id=TEST_RESOURCE_ID)
    return create_line_item(http, tokens, platform, line_items_url, new, scopes=scopes)


def delete_trial_line_items(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    line_items_url: str,
    *,
    scopes: Collection[str],
    within_s: float,
) -> None:
    """All that are there, also those that a crash has left. May be repeated. Raises as `find_line_items`."""
    give_up_at = time.monotonic() + within_s
    found = _find(http, tokens, platform, line_items_url, scopes=scopes, within_s=within_s)
    for line_item_url in found:
        left_s = give_up_at - time.monotonic()
        if left_s <= 0:  # however many columns an LMS names
            raise Unreachable(urlsplit(line_items_url).netloc, "deleted our test columns too slowly")
        with suppress(NotFound):  # another pre-flight has deleted it
            _delete(http, tokens, platform, line_item_url, within_s=left_s)


def _find(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    line_items_url: str,
    *,
    scopes: Collection[str],
    within_s: float,
) -> list[str]:
    found = find_line_items(
        http,
        tokens,
        platform,
        line_items_url,
        resource_id=TEST_RESOURCE_ID,
        resource_link_id=NO_LINK,
        scopes=scopes,
        within_s=within_s,
    )
    if not all(same_origin(line_item_url, line_items_url) for line_item_url in found):
        raise MalformedAnswer("The LMS", "names another site for its grade columns")
    return list(dict.fromkeys(found))


def _delete(
    http: GuardedSession, tokens: ServiceTokens, platform: ServicePlatform, line_item_url: str, *, within_s: float
) -> None:
    call_service(
        tokens,
        platform,
        [SCOPE_LINE_ITEM],
        lambda bearer: http.delete(line_item_url, headers=bearer, within_s=within_s),
        {},
    )
