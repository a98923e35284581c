"""A ticket takes an administrator's launch out of the LMS's frame to the pages of staff. It is good for one use.

One kind leads to the question whether a launch and an account are the same person's; the other one signs in whom the
launch is bound to. Neither is worth anything as the other, nor as a visit's own ticket.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from lti_tool.protocol.constants import TICKET_LIFE
from lti_tool.protocol.seal import SealBroken, SealExpired, open_seal, seal

MAX_TICKET_CHARS = 1_024


class TicketOver(Exception):
    """Not ours, for something else, too old, or used."""


class Opens(StrEnum):
    """What a ticket is for; the value is the purpose that it is sealed for."""

    QUESTION = "binding ticket"
    SESSION = "staff session ticket"

    @property
    def life(self) -> timedelta:
        """One that signs in is made when it is asked for, and used at once."""
        return {Opens.QUESTION: TICKET_LIFE, Opens.SESSION: timedelta(minutes=2)}[self]


class BindingTicket(msgspec.Struct, frozen=True, kw_only=True):
    """`nonce`: spent at the use."""

    visit_id: str
    nonce: str


_TICKET = msgspec.json.Decoder(BindingTicket)


def new_binding_ticket(visit_id: str, opens: Opens, *, nonce: str, secret_key: bytes, now: datetime) -> str:
    return seal(BindingTicket(visit_id=visit_id, nonce=nonce), secret_key=secret_key, purpose=opens.value, now=now)


def open_binding_ticket(sealed: str, opens: Opens, *, secret_key: bytes, now: datetime) -> BindingTicket:
    """Raises TicketOver. Whether it was used is for the caller to ask."""
    if len(sealed) > MAX_TICKET_CHARS:
        raise TicketOver
    try:
        return open_seal(sealed, _TICKET, secret_key=secret_key, purpose=opens.value, now=now, life=opens.life)
    except (SealExpired, SealBroken) as error:
        raise TicketOver from error
