"""What the own course's Moodle shows of it: asked when a page is shown, and kept nowhere."""

from dataclasses import dataclass

from lms.errors import LmsError
from lms.moodle import Moodle
from lms.moodle_course import Activity
from lms.turnstile import TooManyWait
from lti_tool.pages.words import WORDS
from lti_tool.tool import LMS_WITHIN_S, the_tool
from series.moodle_jobs import Level
from series.people import Visit
from series.store.course_collects import moodle_course_of
from series.store.moodle_connections import MoodleConnection, described_connection

gettext = WORDS.gettext


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What Moodle shows of the course now. `activities` None: it has not told, and `problem` says why; or we may not
    ask, and `lacks` says what has to be done first."""

    activities: tuple[Activity, ...] | None = None
    problem: str = ""
    lacks: str = ""


def read_contents(visit: Visit, course_id: int) -> Contents:
    """Asks Moodle, as its service account sees the course."""
    tool = the_tool()
    with tool.database.read() as connection:
        key = tool.settings.encryption_key
        connected = described_connection(connection, visit.university.slug, encryption_key=key)
        moodle_course_id = moodle_course_of(connection, course_id)
    if connected is None or connected.level is not Level.COMPLETIONS:
        return Contents(lacks=_not_connected(connected))
    if not connected.token:
        return Contents(
            lacks=gettext(
                "The connection to your university's Moodle has to be made again: your LMS's administrator enters its"
                " token once more."
            )
        )
    if moodle_course_id is None:
        return Contents(
            lacks=gettext(
                "Your university's Moodle is connected, but this course is not one of those that were chosen there."
                " Your LMS's administrator can add it."
            )
        )
    moodle = Moodle(tool.http, connected.base_url, connected.token, within_s=LMS_WITHIN_S)
    try:
        with tool.turnstile.place(visit.platform_id):
            return Contents(activities=moodle.contents(moodle_course_id))
    except (LmsError, TooManyWait) as error:
        return Contents(problem=str(error))


def _not_connected(connected: MoodleConnection | None) -> str:
    if connected is None:
        return gettext(
            "Your university's LMS is not connected for this. If it is a Moodle, its administrator can connect it; ask"
            " them, or the coordinators of the series, to do so with the level “calendar and completions”."
        )
    return gettext(
        "Your university's Moodle is connected for its calendar alone. Its administrator can connect it anew with the"
        " level “calendar and completions”."
    )
