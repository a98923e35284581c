"""How ready a university is, in plain words: what was found, what to do, and where. For the page and the command."""

from collections.abc import Mapping

from series.readiness import Case, Finding, State, Step
from series.rule_words import ENGLISH, N_, Words

TITLES: Mapping[Step, str] = {
    Step.INVITED: N_("Invited"),
    Step.CONNECTED: N_("Connected"),
    Step.PLACED: N_("In a course"),
    Step.CALENDAR: N_("Calendar"),
    Step.SCORE: N_("Test grade"),
    Step.HOSTS: N_("Hosts named"),
}
STATES: Mapping[State, str] = {
    State.READY: N_("ready"),
    State.GAP: N_("missing"),
    State.YOURS: N_("waits for you"),
    State.LATER: N_("comes later"),
    State.FREE: N_("nothing needed"),
}
SIGNS: Mapping[State, str] = {State.READY: "✓", State.GAP: "✗", State.YOURS: "!", State.LATER: "…", State.FREE: "–"}
FOUND: Mapping[tuple[Step, Case], str] = {
    (Step.INVITED, Case.DONE): N_("%(name)s"),
    (Step.INVITED, Case.PENDING): N_("by a link for its LMS"),
    (Step.INVITED, Case.OVER): N_("the invitation is over"),
    (Step.INVITED, Case.NOBODY): N_("nobody is invited"),
    (Step.INVITED, Case.LINK_OVER): N_("the link of %(name)s is over"),
    (Step.CONNECTED, Case.DONE): N_("connected, and used"),
    (Step.CONNECTED, Case.PENDING): N_("registered, waits for your approval"),
    (Step.CONNECTED, Case.DEPLOYMENT): N_("a part of the LMS waits for your approval"),
    (Step.CONNECTED, Case.NO_LAUNCH): N_("registered, nobody has opened it yet"),
    (Step.CONNECTED, Case.DISABLED): N_("switched off here"),
    (Step.CONNECTED, Case.TRIED): N_("the last try came to nothing"),
    (Step.CONNECTED, Case.NOBODY): N_("not registered yet"),
    (Step.CONNECTED, Case.EARLIER): N_("after the invitation"),
    (Step.PLACED, Case.NOBODY): N_("in no course yet"),
    (Step.PLACED, Case.EARLIER): N_("after the connection"),
    (Step.CALENDAR, Case.FEED): N_("by the calendar feed"),
    (Step.CALENDAR, Case.FEED_OFFERED): N_("not connected: calendar feed offered"),
    (Step.CALENDAR, Case.FAILING): N_("its Moodle cannot be written to"),
    (Step.CALENDAR, Case.NO_COURSE): N_("no Moodle course is chosen"),
    (Step.CALENDAR, Case.NOT_RUN): N_("being written into Moodle"),
    (Step.CALENDAR, Case.EARLIER): N_("after it is in a course"),
    (Step.SCORE, Case.DONE): N_("a test grade arrived"),
    (Step.SCORE, Case.DELIVERED): N_("grades have arrived"),
    (Step.SCORE, Case.REFUSED): N_("the test grade was refused"),
    (Step.SCORE, Case.UNTRIED): N_("not tried yet"),
    (Step.SCORE, Case.EARLIER): N_("after the connection"),
    (Step.HOSTS, Case.NOTHING): N_("hosts nothing"),
    (Step.HOSTS, Case.CODE_OUT): N_("named, but not everybody has used their code yet"),
}
REMEDIES: Mapping[tuple[Step, Case], str] = {
    (Step.INVITED, Case.NOBODY): N_("Ask who administers its LMS, and invite that person."),
    (Step.INVITED, Case.OVER): N_("Invite its LMS administrator once more: nobody used the link in time."),
    (Step.INVITED, Case.LINK_OVER): N_("Make a new link for %(name)s: nobody used the last one in time."),
    (Step.CONNECTED, Case.PENDING): N_(
        "Look at its registration, and approve it if the university says that it is theirs."
    ),
    (Step.CONNECTED, Case.DEPLOYMENT): N_(
        "Compare the part of the LMS with what its administrator says, and approve it."
    ),
    (Step.CONNECTED, Case.NO_LAUNCH): N_("Ask its LMS administrator to open the activity once, in any course."),
    (Step.CONNECTED, Case.DISABLED): N_("Switch its connection on again, or invite it to register anew."),
    (Step.CONNECTED, Case.TRIED): N_("Pass on what went wrong, and send a new invitation if it is needed."),
    (Step.CONNECTED, Case.NOBODY): N_("Remind its LMS administrator: it takes about ten minutes."),
    (Step.PLACED, Case.NOBODY): N_("Ask one of its instructors to put the series into their course."),
    (Step.CALENDAR, Case.FAILING): N_("Look at what its Moodle answers: often the token is over, or the site is down."),
    (Step.CALENDAR, Case.SETTINGS): N_("Ask its LMS administrator to change what the check of its Moodle names."),
    (Step.CALENDAR, Case.NO_COURSE): N_("Choose the course of its Moodle in whose calendar the sessions stand."),
    (Step.SCORE, Case.UNTRIED): N_("Send a test grade from the page of its LMS."),
    (Step.SCORE, Case.REFUSED): N_("Look at the check of its LMS: it names the setting that refuses grades."),
    (Step.HOSTS, Case.UNNAMED): N_("Name who hosts “%(title)s”, its next session without a host."),
}
PATHS: Mapping[tuple[Step, Case], str] = {
    (Step.INVITED, Case.NOBODY): "/admin/people/invite?university={slug}",
    (Step.INVITED, Case.OVER): "/admin/people/invite?university={slug}",
    (Step.INVITED, Case.LINK_OVER): "/admin/people/{person}/",
    (Step.CONNECTED, Case.NOBODY): "/admin/partners/{slug}/",
    (Step.CONNECTED, Case.TRIED): "/admin/lms/{slug}/connect/",
    (Step.CONNECTED, Case.PENDING): "/admin/lms/{slug}/connect/",
    (Step.CONNECTED, Case.DEPLOYMENT): "/admin/partners/{slug}/",
    (Step.PLACED, Case.NOBODY): "/admin/partners/{slug}/",
    (Step.CALENDAR, Case.FAILING): "/admin/moodle/{slug}/",
    (Step.CALENDAR, Case.SETTINGS): "/admin/moodle/{slug}/connection/",
    (Step.CALENDAR, Case.NO_COURSE): "/admin/moodle/{slug}/connection/course",
    (Step.HOSTS, Case.UNNAMED): "/coordinator/series/{series}/sessions/{session}",
}


def step_title(step: Step, words: Words = ENGLISH) -> str:
    return words.gettext(TITLES[step])


def state_name(state: State, words: Words = ENGLISH) -> str:
    return words.gettext(STATES[state])


def found_words(finding: Finding, words: Words = ENGLISH) -> str:
    """A few words, without when."""
    kind, count = (finding.step, finding.case), int(finding.facts.get("count", 0))
    match kind:
        case (Step.PLACED, Case.DONE):
            return words.ngettext("in %(num)s course", "in %(num)s courses", count)
        case (Step.CALENDAR, Case.DONE):
            return words.ngettext("in %(num)s Moodle calendar", "in %(num)s Moodle calendars", count)
        case (Step.CALENDAR, Case.SETTINGS):
            return words.ngettext(
                "%(num)s setting to change in its Moodle", "%(num)s settings to change in its Moodle", count
            )
        case (Step.HOSTS, Case.DONE):
            return words.ngettext("%(num)s session has a host", "%(num)s sessions have hosts", count)
        case (Step.HOSTS, Case.UNNAMED):
            return words.ngettext("%(num)s session without a host", "%(num)s sessions without a host", count)
    return words.gettext(FOUND[kind], **finding.facts)


def remedy_words(finding: Finding, words: Words = ENGLISH) -> str:
    """One sentence on what to do; empty where nothing is to be done."""
    remedy = REMEDIES.get((finding.step, finding.case), "")
    return words.gettext(remedy, **finding.facts) if finding.is_gap and remedy else ""


def path_of(finding: Finding, *, university: str, series: str) -> str:
    """The page of staff on which a gap is mended, by the slugs of both."""
    path = PATHS.get((finding.step, finding.case), "/admin/lms/{slug}/")
    of_facts = {name: finding.facts.get(name, "") for name in ("session", "person")}
    return path.format(slug=university, series=series, **of_facts)
