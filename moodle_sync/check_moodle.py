"""What a university's token can and cannot do in its Moodle: tried, and not only asked for.

Moodle is silent about much of what an account may not do: it leaves out people, activities and events without a word.
So that what comes back is compared with what we know to be there.
"""

from datetime import timedelta

from lms.errors import LmsError, MalformedAnswer, NotAllowed
from lms.moodle import SiteInfo
from lms.moodle_levels import functions_of
from lms.moodle_lti_services import PathInfo, path_info_of
from moodle_sync.check_course import check_course
from moodle_sync.checking import Findings
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.services import Services
from series.check_words import check_line
from series.checks import Code, Outcome, encode_checks, gaps_of
from series.moodle_jobs import FIRST_PAUSE, MoodleJob
from series.store.check_facts import has_announcements, known_courses
from series.store.moodle_connections import save_checks
from series.store.moodle_jobs import ask_for

CLOCK_TOLERANCE = timedelta(seconds=60)  # of a launch's times
OLDEST_VERSION = 20221128  # Moodle 4.1, the oldest that its makers still mend
ANY_COURSE = 1  # the site's own page


def check(services: Services, access: MoodleAccess) -> None:
    """Writes down what works. Raises an LmsError of the whole site; if that may pass by itself, what an earlier check
    has found still stands, and the next one comes as soon as the site answers."""
    found = Findings(access=access)
    try:
        _check_all(services, access, found)
    except LmsError as error:
        _ask_again(services, access)
        if _is_passing(error):
            raise
        _save(services, access, found)
        raise
    _save(services, access, found)


def _save(services: Services, access: MoodleAccess, found: Findings) -> None:
    gaps = gaps_of(found.checks)
    access.counts.update({"right": sum(one.outcome is Outcome.OK for one in found.checks), "wrong": len(gaps)})
    access.problems += [check_line(gap) for gap in gaps if gap.code not in {Code.SITE, Code.TOKEN}]
    with access.write() as connection:
        save_checks(connection, access.connection.university_id, encode_checks(found.checks), now=services.clock.now())


def _ask_again(services: Services, access: MoodleAccess) -> None:
    """The site is left alone for a while, but not for as long as there is between two checks."""
    with services.database.write() as connection:
        ask_for(connection, access.connection.university_id, MoodleJob.CHECK, at=services.clock.now() + FIRST_PAUSE)


def _is_passing(error: LmsError) -> bool:
    return not (error.permanent or isinstance(error, NotAllowed | MalformedAnswer))


def _check_all(services: Services, access: MoodleAccess, found: Findings) -> None:
    site = _site_info(found)
    if site is None:
        return
    connected = access.connection
    with services.database.read() as connection:
        courses = known_courses(
            connection, connected.university_id, base_url=connected.base_url, now=services.clock.now()
        )
        announcements = has_announcements(connection, connected.university_id)
    check_site(services, site, found, announcements=announcements)
    _check_lti_services(services, found, courses[0].moodle_course_id if courses else ANY_COURSE)
    if not courses:
        found.unknown(Code.NO_COURSE)
    for course in courses:
        try:
            check_course(services, found, course)
        except LmsError as error:
            if error.of_platform:
                raise
            found.unknown(Code.COURSE, course, reason=str(error))
            access.problems.append(f"“{course.title}”: {error}")


def _site_info(found: Findings) -> SiteInfo | None:
    """None: it answers, and not us."""
    try:
        site = found.access.moodle.site_info()
    except LmsError as error:
        if isinstance(error, NotAllowed) and error.status != 403:
            found.gap(Code.TOKEN, reason=str(error))
        else:
            found.gap(Code.SITE, reason=str(error), case="off" if isinstance(error, NotAllowed) else "")
        if error.of_platform:
            raise
        found.access.problems.append(str(error))
        return None
    found.functions = site.functions
    found.ok(Code.SITE, site=site.site_name)
    found.ok(Code.TOKEN)
    return site


def check_site(services: Services, site: SiteInfo, found: Findings, *, announcements: bool) -> None:
    """What the site says of itself. `announcements`: whether any course wants them."""
    own, ours = site.site_url.rstrip("/"), found.access.connection.base_url.rstrip("/")
    if own == ours:
        found.ok(Code.ADDRESS, own=own)
    else:
        found.gap(Code.ADDRESS, own=own, ours=ours)
    needed = functions_of(found.access.connection.level, announcements=announcements)
    missing = [function.value for function in needed if function not in site.functions]
    if missing:
        found.gap(Code.FUNCTIONS, functions=", ".join(missing))
    else:
        found.ok(Code.FUNCTIONS)
    release = site.release.partition(" ")[0] or site.version
    is_old = site.version[:8].isdecimal() and int(site.version[:8]) < OLDEST_VERSION
    (found.unknown if is_old else found.ok)(Code.RELEASE, release=release)
    if site.server_at is None:
        found.unknown(Code.CLOCK)
        return
    # A rehearsal's clock is moved, and the Moodle's is not.
    ahead = site.server_at - (services.clock.now() - services.clock.offset())
    if abs(ahead) <= CLOCK_TOLERANCE:
        found.ok(Code.CLOCK)
    else:
        case = "ahead" if ahead > timedelta() else "behind"
        found.gap(Code.CLOCK, seconds=abs(round(ahead.total_seconds())), case=case)


def _check_lti_services(services: Services, found: Findings, course_id: int) -> None:
    found.access.before_call()
    try:
        path_info = path_info_of(services.http, found.access.connection.base_url, course_id)
    except LmsError:
        path_info = PathInfo.UNKNOWN
    if path_info is PathInfo.PASSED:
        found.ok(Code.LTI_SERVICES)
    elif path_info is PathInfo.UNKNOWN:
        found.unknown(Code.LTI_SERVICES)
    else:
        found.gap(Code.LTI_SERVICES, case=path_info.value)
