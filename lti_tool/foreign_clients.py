"""An LMS of one university must not ask us to prove ourselves as the client of another's.

Our assertion names the client id, and is good for whoever its audience names; an LMS that does not look at the audience
(Moodle, measured) takes one that was made for another's token endpoint. So a registration that takes the client id of
another university's LMS would bring its owner what opens that LMS's rosters and gradebook. LMSs make their client ids
at random: two that agree are no accident. Whoever knows better enters it by command.

https://www.rfc-editor.org/rfc/rfc7523#section-3 (the audience), and on the attack:
https://openid.net/notice-of-a-security-vulnerability/
"""

from series.store.database import Connection
from series.store.universities import AlreadyThere, NewPlatform, list_platforms


def refuse_foreign_client(connection: Connection, new: NewPlatform) -> None:
    """Raises AlreadyThere."""
    for other in list_platforms(connection):
        if other.university_id != new.university_id and other.client_id == new.client_id:
            raise AlreadyThere(f"The LMS {other.slug!r} of another university knows us by this client id.")
