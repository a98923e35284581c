"""An LMS of one university must not ask us to prove ourselves as the client of another's.

Our assertion to a token endpoint is good for whoever its audience names. So a registration that takes the client id of
another university's LMS, and names that LMS's token endpoint or audience, would bring its owner an assertion, or a
token, that opens that LMS's rosters and gradebook.

https://www.rfc-editor.org/rfc/rfc7523#section-3 (the audience), and on the attack:
https://openid.net/notice-of-a-security-vulnerability/
"""

from lms.products import Product
from lms.products.table import token_audience
from lti_tool.protocol.registration import host_of
from series.store.database import Connection
from series.store.universities import AlreadyThere, NewPlatform, list_platforms


def refuse_foreign_client(connection: Connection, new: NewPlatform) -> None:
    """Raises AlreadyThere."""
    asks = _names(new.token_endpoint, token_audience(Product(new.product), new.token_audience))
    for other in list_platforms(connection):
        if other.university_id == new.university_id or other.client_id != new.client_id:
            continue
        audience = token_audience(Product(other.product), other.token_audience)
        if asks & _names(other.issuer, other.token_endpoint, audience):
            raise AlreadyThere(f"The LMS {other.slug!r} of another university knows us by this client id.")


def _names(*addresses: str | None) -> set[str]:
    """Hosts; of what is no web address, all of it."""
    return {host_of(address) or address.strip().lower() for address in addresses if address}
