"""The last refusals of each LMS, for its administrator: code, reference and time, and nothing of the message."""

from contextlib import suppress

from lti_tool.pages.platforms import named_platform_id
from lti_tool.protocol.refusals import RefusalCode
from lti_tool.tool import the_tool
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.refusals import note_refusal


def keep_refusal(code: RefusalCode, reference: str) -> None:
    """Not more than a person could read: a flood of bad launches must not become a flood of writing."""
    platform_id = named_platform_id()
    if platform_id is None or the_tool().refusal_pace.wait_s(platform_id):
        return
    with suppress(DatabaseBusy, DatabaseUnreachable), the_tool().database.write() as connection:
        note_refusal(
            connection, platform_id=platform_id, code=code.value, reference=reference, now=the_tool().clock.now()
        )
