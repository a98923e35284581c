"""The last refusals of each LMS, for its administrator: code, reference and time, and nothing of the message."""

from contextlib import suppress

from lti_tool.pages.platforms import named_platform
from lti_tool.protocol.refusals import RefusalCode
from lti_tool.tool import the_tool
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.refusals import note_refusal


def keep_refusal(code: RefusalCode, reference: str) -> None:
    """Not more than a person could read: a flood of bad launches must not become a flood of writing."""
    named = named_platform()
    # Two buckets: who only calls addresses shall not crowd out what people have met.
    if named is None or the_tool().refusal_pace.wait_s((named.platform_id, named.by_state)):
        return
    with suppress(DatabaseBusy, DatabaseUnreachable), the_tool().database.write() as connection:
        note_refusal(
            connection, platform_id=named.platform_id, code=code.value, reference=reference, now=the_tool().clock.now()
        )
