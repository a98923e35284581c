"""What a check of a Moodle found, and the setting that mends it: the same on every page and in the CLI.

Menus and capabilities are named as Moodle's English pages name them.
"""

from collections.abc import Mapping

from series.checks import Check, CheckOf, Code, CodeOf, Outcome
from series.rule_words import ENGLISH, N_, Words

OK, GAP, UNKNOWN, SKIPPED = Outcome.OK, Outcome.GAP, Outcome.UNKNOWN, Outcome.SKIPPED
_SERVICE = N_("Site administration > Server > Web services > External services")
_DEFINE_ROLES = N_("Site administration > Users > Permissions > Define roles")
_SECTIONS = N_(
    "Allow moodle/course:viewhiddensections and moodle/course:ignoreavailabilityrestrictions in the account's role:"
    " %(roles)s."
)
_SHOW_FORUM = N_("In the forum: Settings > Common module settings > Availability: Show on course page.")
Key = tuple[Code, Outcome, str]  # the last: the fact “case”, where there are several

FOUND: Mapping[Key, str] = {
    (Code.SITE, OK, ""): N_("%(site)s answers."),
    (Code.SITE, GAP, ""): N_("The Moodle cannot be used: %(reason)s"),
    (Code.TOKEN, OK, ""): N_("It knows our token."),
    (Code.TOKEN, GAP, ""): N_("It does not take our token: %(reason)s"),
    (Code.ADDRESS, OK, ""): N_("Its address is the one that we have: %(own)s."),
    (Code.ADDRESS, GAP, ""): N_("It calls itself %(own)s, and is connected here as %(ours)s."),
    (Code.FUNCTIONS, OK, ""): N_("The token may call all functions that are needed."),
    (Code.FUNCTIONS, GAP, ""): N_("Functions are missing from the service: %(functions)s."),
    (Code.RELEASE, OK, ""): N_("It runs Moodle %(release)s."),
    (Code.RELEASE, UNKNOWN, ""): N_("It runs Moodle %(release)s, which is older than those that this was tried with."),
    (Code.CLOCK, OK, ""): N_("Its clock is right."),
    (Code.CLOCK, GAP, "ahead"): N_("Its clock is %(seconds)s seconds ahead: launches fail."),
    (Code.CLOCK, GAP, "behind"): N_("Its clock is %(seconds)s seconds behind: launches fail."),
    (Code.CLOCK, UNKNOWN, ""): N_("It does not tell the time."),
    (Code.LTI_SERVICES, OK, ""): N_("Rosters and grades reach it (PATH_INFO)."),
    (Code.LTI_SERVICES, GAP, "dropped"): N_(
        "Its web server cuts off the end of the address of rosters and grades (PATH_INFO), so that both fail."
    ),
    (Code.LTI_SERVICES, GAP, "not_passed"): N_(
        "Its web server does not hand the address of rosters and grades to PHP, so that both fail."
    ),
    (Code.LTI_SERVICES, UNKNOWN, ""): N_("Whether rosters and grades reach it could not be told."),
    (Code.NO_COURSE, UNKNOWN, ""): N_("No course is chosen, so nothing happens in this Moodle yet."),
    (Code.COURSE, UNKNOWN, ""): N_("The rest could not be tried: %(reason)s"),
    (Code.COURSE_SEEN, OK, ""): N_("The account sees the course."),
    (Code.COURSE_SEEN, GAP, ""): N_("The account sees no course with the number %(course_id)s."),
    (Code.COURSE_OPEN, OK, ""): N_("The account may open the course."),
    (Code.COURSE_OPEN, GAP, ""): N_("The account may not open the course."),
    (Code.COURSE_START, OK, ""): N_("The course starts before its first session."),
    (Code.COURSE_START, GAP, ""): N_(
        "The course starts on %(starts)s, after its session of %(first)s: Moodle refuses to move that one."
    ),
    (Code.COURSE_START, UNKNOWN, ""): N_("Moodle does not tell when the course starts."),
    (Code.COURSE_COMPLETION, OK, ""): N_("The course tracks completion."),
    (Code.COURSE_COMPLETION, GAP, ""): N_("The course does not track completion: nothing in it can be completed."),
    (Code.CALENDAR_WRITE, OK, ""): N_("A trial event could be made."),
    (Code.CALENDAR_WRITE, GAP, "right"): N_("The account may not write into the course's calendar."),
    (Code.CALENDAR_WRITE, GAP, ""): N_("No trial event could be made in the course's calendar: %(reason)s"),
    (Code.CALENDAR_CHANGE, OK, ""): N_("The trial event could be changed."),
    (Code.CALENDAR_CHANGE, GAP, ""): N_("The trial event could not be changed: %(reason)s"),
    (Code.CALENDAR_ZONE, OK, ""): N_("The account's time zone is UTC."),
    (Code.CALENDAR_ZONE, GAP, ""): N_("The account's time zone is not UTC: each change of an event takes two calls."),
    (Code.CALENDAR_LIST, OK, ""): N_("The trial event could be found again."),
    (Code.CALENDAR_LIST, GAP, ""): N_("The trial event could not be found again: changes would not be healed."),
    (Code.CALENDAR_DELETE, OK, ""): N_("The trial event could be deleted."),
    (Code.CALENDAR_DELETE, GAP, ""): N_("The trial event, which students do not see, could not be deleted."),
    (Code.PEOPLE, OK, ""): N_("The account sees who is enrolled: %(listed)s people."),
    (Code.PEOPLE, GAP, "list"): N_("The account may not list who is enrolled."),
    (Code.PEOPLE, GAP, "details"): N_(
        "Students whom we know in the course: %(known)s. Of these, the account does not see %(missing)s."
    ),
    (Code.PEOPLE, UNKNOWN, ""): N_("The account sees no student in the course (%(listed)s people in all)."),
    (Code.ACTIVITIES, OK, ""): N_("The account sees the activities that we know to be in the course."),
    (Code.ACTIVITIES, UNKNOWN, ""): N_(
        "Whether the account sees all activities of the course cannot be told: there is nothing to compare with yet."
    ),
    (Code.ACTIVITIES, GAP, "kinds"): N_("The account does not see activities that count: none of the kind %(kinds)s."),
    (Code.ACTIVITIES, GAP, ""): N_("The account may not see the activities of the course."),
    (Code.ACTIVITY_GONE, GAP, ""): N_("Activities that count are not in the course (any more): %(names)s."),
    (Code.ACTIVITY_UNTRACKED, GAP, ""): N_("Activities that count do not track completion: %(names)s."),
    (Code.COMPLETION, OK, ""): N_("What a student has completed can be read."),
    (Code.COMPLETION, GAP, "right"): N_("The account may not read what students have completed."),
    (Code.COMPLETION, GAP, ""): N_("What students have completed cannot be read: %(reason)s"),
    (Code.COMPLETION, UNKNOWN, ""): N_("Whether completions can be read could not be tried: there is no student."),
    (Code.BATCHING, OK, ""): N_("Completions of many students come in one call."),
    (Code.BATCHING, GAP, ""): N_("Completions come in one call for each student, and not for many: %(reason)s"),
    (Code.ACTIVITY_UNSEEN, GAP, ""): N_("Sections of the course, with what is in them, are not shown to the account."),
    (Code.ACTIVITY_UNSEEN, GAP, "restricted"): N_(
        "Activities of the course that are restricted, so that the account does not see who has completed them:"
        " %(number)s."
    ),
    (Code.ACTIVITY_UNSEEN, UNKNOWN, ""): N_("The course seems to have sections that are not shown to the account."),
    (Code.FORUM, OK, ""): N_("The account sees the announcements forum."),
    (Code.FORUM, GAP, ""): N_("The account sees no announcements forum in the course."),
    (Code.FORUM_SHOWN, OK, ""): N_("Students see it."),
    (Code.FORUM_SHOWN, GAP, ""): N_(
        "The announcements forum is hidden from students: nobody would read what is posted."
    ),
    (Code.FORUM_SHOWN, UNKNOWN, ""): N_("Whether students see the announcements forum cannot be told."),
    (Code.FORUM_POST, OK, ""): N_("The account may post in it."),
    (Code.FORUM_POST, GAP, ""): N_("The account may not post in the announcements forum."),
    (Code.RIGHTS, OK, ""): N_("What these capabilities are for was seen to work: %(capabilities)s."),
    (Code.RIGHTS, SKIPPED, ""): N_("Capabilities that could not be tried in this course: %(capabilities)s."),
}

REMEDY: Mapping[Key, str] = {
    (Code.SITE, GAP, "off"): N_(
        "In Moodle, switch on Site administration > General > Advanced features > Enable web services, and REST under"
        " Site administration > Server > Web services > Manage protocols."
    ),
    (Code.TOKEN, GAP, ""): N_(
        "Make a new token under Site administration > Server > Web services > Manage tokens, and enter it here. The"
        " service must be enabled and, if it is for authorised users only, list the account."
    ),
    (Code.ADDRESS, GAP, ""): N_("Connect it again with the address that it has for itself."),
    (Code.FUNCTIONS, GAP, ""): N_("Add them under %(where)s > Functions > Add functions."),
    (Code.RELEASE, UNKNOWN, ""): N_("Moodle 4.1 or newer is best."),
    (Code.CLOCK, GAP, ""): N_("On the server of the Moodle, switch on the synchronisation of its clock (NTP)."),
    (Code.LTI_SERVICES, GAP, ""): N_(
        "In the configuration of nginx, the PHP location must match “\\.php(/|$)”, have fastcgi_split_path_info"
        " ^(.+\\.php)(/.*)$; and fastcgi_param PATH_INFO $fastcgi_path_info; and no try_files that empties it. With"
        " Apache, AcceptPathInfo On."
    ),
    (Code.NO_COURSE, UNKNOWN, ""): N_("Choose the course that the series is shown in."),
    (Code.COURSE_SEEN, GAP, ""): N_(
        "If the course was deleted, choose another. If not, give the account its role in the course or its category:"
        " capability moodle/course:view."
    ),
    (Code.COURSE_OPEN, GAP, ""): N_(
        "Give the account its role in the course or its category, with the capability moodle/course:view (%(roles)s),"
        " and see that the course is not hidden from it."
    ),
    (Code.COURSE_START, GAP, ""): N_(
        "In the course: Settings > General > Course start date, to a day before the first session."
    ),
    (Code.COURSE_COMPLETION, GAP, ""): N_(
        "In the course: Settings > Completion tracking > Enable completion tracking: Yes."
    ),
    (Code.CALENDAR_WRITE, GAP, ""): N_("Allow moodle/calendar:manageentries in the account's role: %(roles)s."),
    (Code.CALENDAR_CHANGE, GAP, ""): N_(
        "Allow moodle/calendar:manageentries in the account's role (%(roles)s); the course must start before the event."
    ),
    (Code.CALENDAR_ZONE, GAP, ""): N_(
        "Site administration > Users > Accounts > Browse list of users > (the account) > Edit profile > Timezone: UTC."
    ),
    (Code.CALENDAR_LIST, GAP, ""): N_(
        "Allow moodle/course:view and moodle/calendar:manageentries in the account's role: %(roles)s."
    ),
    (Code.CALENDAR_DELETE, GAP, ""): N_(
        "Allow moodle/calendar:manageentries in the account's role: %(roles)s. The next check deletes what is left."
    ),
    (Code.PEOPLE, GAP, "list"): N_("Allow moodle/course:viewparticipants in the account's role: %(roles)s."),
    (Code.PEOPLE, GAP, "details"): N_(
        "Allow moodle/user:viewdetails in the account's role (%(roles)s) and, where the course has separate groups,"
        " moodle/site:accessallgroups."
    ),
    (Code.PEOPLE, UNKNOWN, ""): N_(
        "If there are students in the course, allow moodle/user:viewdetails in the account's role: %(roles)s."
    ),
    (Code.ACTIVITIES, GAP, "kinds"): N_("Allow %(capabilities)s in the account's role: %(roles)s."),
    (Code.ACTIVITIES, GAP, ""): N_("Allow moodle/course:view in the account's role: %(roles)s."),
    (Code.ACTIVITY_GONE, GAP, ""): N_(
        "If they were deleted, let an instructor choose others. If they are hidden or restricted, allow"
        " moodle/course:viewhiddenactivities, moodle/course:viewhiddensections and"
        " moodle/course:ignoreavailabilityrestrictions in the account's role: %(roles)s."
    ),
    (Code.ACTIVITY_UNSEEN, GAP, "restricted"): N_(
        "Allow moodle/course:ignoreavailabilityrestrictions in the account's role: %(roles)s."
    ),
    (Code.ACTIVITY_UNSEEN, GAP, ""): _SECTIONS,
    (Code.ACTIVITY_UNSEEN, UNKNOWN, ""): _SECTIONS,
    (Code.ACTIVITY_UNTRACKED, GAP, ""): N_("In each activity: Settings > Completion conditions, any but “None”."),
    (Code.COMPLETION, GAP, ""): N_(
        "Allow report/progress:view and moodle/course:view in the account's role: %(roles)s."
    ),
    (Code.BATCHING, GAP, ""): N_(
        "Add tool_mobile_call_external_functions and core_completion_get_activities_completion_status under %(where)s"
        " > Functions > Add functions."
    ),
    (Code.FORUM, GAP, ""): N_(
        "Allow mod/forum:viewdiscussion in the account's role: %(roles)s. If the course has no announcements forum,"
        " set Settings > Appearance > Number of announcements to 1 or more, and open the course once."
    ),
    (Code.FORUM_SHOWN, GAP, ""): _SHOW_FORUM,
    (Code.FORUM_SHOWN, UNKNOWN, ""): _SHOW_FORUM,
    (Code.FORUM_POST, GAP, ""): N_(
        "Allow mod/forum:addnews in the account's role (%(roles)s) and, where the forum has separate groups,"
        " moodle/site:accessallgroups."
    ),
}


def found_sentence(check: Check, words: Words = ENGLISH) -> str:
    """What was found, without the course that it is about."""
    said = _said(FOUND, check, words)
    if check.outcome is SKIPPED and not said:
        return words.gettext("What comes next was not tried, because of what is missing above.")
    return said


def remedy_sentence(check: Check, words: Words = ENGLISH) -> str:
    """Which setting to change; empty where nothing needs to be done."""
    return _said(REMEDY, check, words)


def check_line(check: Check, words: Words = ENGLISH) -> str:
    """All on one line."""
    course = f"“{check.facts['course']}”: " if "course" in check.facts else ""
    return " ".join(filter(None, (course + found_sentence(check, words), remedy_sentence(check, words))))


def sentence_of(
    sentences: Mapping[tuple[CodeOf, Outcome, str], str], check: CheckOf[CodeOf], menus: Mapping[str, str], words: Words
) -> str:
    """The sentence of the check's case, or of all its cases; empty where there is none. `menus`: what sentences name
    beside the facts."""
    of_case = sentences.get((check.code, check.outcome, str(check.facts.get("case", ""))))
    text = of_case or sentences.get((check.code, check.outcome, ""), "")
    return words.gettext(text, **{**menus, **check.facts}) if text else ""


def _said(sentences: Mapping[Key, str], check: Check, words: Words) -> str:
    menus = {"where": words.gettext(_SERVICE), "roles": words.gettext(_DEFINE_ROLES)}
    return sentence_of(sentences, check, menus, words)
