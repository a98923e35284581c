"""A ticket takes a visit from a frame that keeps no cookies into a tab of its own. It is good for one use."""

import hashlib
from datetime import datetime

import msgspec

from lti_tool.protocol.constants import TICKET_LIFE
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.protocol.seal import SealBroken, SealExpired, open_seal, seal

PURPOSE = "visit ticket"
MAX_TICKET_CHARS = 1_024


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    visit_id: str

    @property
    def nonce(self) -> str:
        """Spent at the first use. All tickets of a visit share it: a frame that is reloaded shows another one."""
        return hashlib.sha256(f"ticket of {self.visit_id}".encode()).hexdigest()


_TICKET = msgspec.json.Decoder(Ticket)


def new_ticket(visit_id: str, *, secret_key: bytes, now: datetime) -> str:
    return seal(Ticket(visit_id=visit_id), secret_key=secret_key, purpose=PURPOSE, now=now)


def open_ticket(sealed: str, *, visit_id: str, secret_key: bytes, now: datetime) -> Ticket:
    """Raises Refused when the ticket is not ours, older than TICKET_LIFE, or of another visit."""
    if len(sealed) > MAX_TICKET_CHARS:
        raise Refused(RefusalCode.TICKET_INVALID)
    try:
        ticket = open_seal(sealed, _TICKET, secret_key=secret_key, purpose=PURPOSE, now=now, life=TICKET_LIFE)
    except SealExpired as error:
        raise Refused(RefusalCode.TICKET_EXPIRED) from error
    except SealBroken as error:
        raise Refused(RefusalCode.TICKET_INVALID) from error
    if ticket.visit_id != visit_id:
        raise Refused(RefusalCode.TICKET_INVALID)
    return ticket
