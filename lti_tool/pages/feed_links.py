"""The addresses of a calendar feed, as a page shows them to whoever may have them.

The buttons are links to the calendar programs' own pages; our page asks nothing of anybody else.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from lti_tool.tool import the_tool
from series.feed_address import FeedOwner, OwnerKind, make_token
from series.store.feeds import feed_owner

GOOGLE = "https://calendar.google.com/calendar/r"
OUTLOOK = "https://outlook.office.com/calendar/0/addfromweb"


@dataclass(frozen=True, kw_only=True)
class FeedLinks:
    """`generation`: which of the owner's addresses these are."""

    address: str
    for_moodle: str
    apple: str
    google: str
    outlook: str
    generation: int


def feed_links(kind: OwnerKind, owner_id: int, *, name: str) -> FeedLinks | None:
    """None when there is no such person or course any more."""
    tool = the_tool()
    with tool.database.read() as connection:
        owner = feed_owner(connection, kind, owner_id)
    if owner is None:
        return None
    return links_of(owner, name=name, public_url=tool.settings.public_url, secret_key=tool.settings.secret_key)


def links_of(owner: FeedOwner, *, name: str, public_url: str, secret_key: bytes) -> FeedLinks:
    address = f"{public_url}/calendar/{make_token(owner, secret_key=secret_key)}.ics"
    webcal = "webcal" + address.removeprefix("https").removeprefix("http")
    return FeedLinks(
        address=address,
        for_moodle=f"{address}?for=moodle",
        apple=webcal,
        google=f"{GOOGLE}?cid={quote(webcal, safe='')}",
        outlook=f"{OUTLOOK}?{urlencode({'url': address, 'name': name}, quote_via=quote)}",
        generation=owner.generation,
    )
