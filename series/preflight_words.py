"""What a pre-flight found, and the setting that mends it: the same on the page and in the CLI."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from series.check_words import sentence_of
from series.checks import Outcome
from series.preflight import Code, Trial
from series.product_menus import MENUS, menu
from series.rule_words import ENGLISH, N_, Words

OK, GAP, UNKNOWN, SKIPPED = Outcome.OK, Outcome.GAP, Outcome.UNKNOWN, Outcome.SKIPPED
Key = tuple[Code, Outcome, str]  # the last: the fact “case”, where there are several

TITLE: Mapping[Code, str] = {
    Code.LMS_KEYS: N_("Keys of the LMS"),
    Code.LOGIN: N_("Login address"),
    Code.OUR_KEYS: N_("Our keys"),
    Code.TOKEN: N_("Service token"),
    Code.CLOCK: N_("Clock"),
    Code.DEPLOYMENT: N_("Deployment"),
    Code.LAUNCH: N_("Launch"),
    Code.FRAME: N_("Frame"),
    Code.ROSTER: N_("Roster"),
    Code.LINE_ITEM: N_("Grade column"),
    Code.TEST_SCORE: N_("Test score"),
    Code.DELIVERIES: N_("Grades sent"),
    Code.MOODLE: N_("Moodle web services"),
}
_NO_LAUNCH = N_("Not tried: the activity has not been opened from a course yet.")

FOUND: Mapping[Key, str] = {
    (Code.LMS_KEYS, OK, ""): N_("The LMS's public keys can be read; usable: %(keys)s."),
    (Code.LMS_KEYS, GAP, ""): N_("The LMS's public keys cannot be read: %(reason)s"),
    (Code.LMS_KEYS, GAP, "doubles"): N_("Two of the LMS's keys have the same key id, so that nobody can tell them."),
    (Code.LMS_KEYS, GAP, "short"): N_("The LMS's keys have under 2048 bits, which is too weak to be trusted."),
    (Code.LMS_KEYS, GAP, "none"): N_("The LMS publishes no key that can be used (of %(published)s)."),
    (Code.LOGIN, OK, ""): N_("The address to which browsers are sent answers."),
    (Code.LOGIN, GAP, ""): N_("The address to which browsers are sent does not answer: %(reason)s"),
    (Code.LOGIN, UNKNOWN, "unreachable"): N_(
        "The login address cannot be called from our server, but launches come: %(reason)s"
    ),
    (Code.LOGIN, UNKNOWN, ""): N_("The login address answers, with the status %(status)s."),
    (Code.OUR_KEYS, OK, ""): N_("Our key set is at its public address."),
    (Code.OUR_KEYS, GAP, ""): N_("At the public address of our key set there is something else: %(url)s"),
    (Code.OUR_KEYS, UNKNOWN, "not_from_here"): N_("Our own address is one that our server may not call from here."),
    (Code.OUR_KEYS, UNKNOWN, ""): N_("Our own address could not be called from our server: %(reason)s"),
    (Code.TOKEN, OK, ""): N_("The LMS knows us and gives us access to its services."),
    (Code.TOKEN, GAP, ""): N_("The LMS gave us no access token: %(reason)s"),
    (Code.TOKEN, GAP, "refused"): N_("The LMS does not accept who we say we are (%(said)s)."),
    (Code.TOKEN, GAP, "scope"): N_("The LMS knows us, and grants us none of its services (%(said)s)."),
    (Code.CLOCK, OK, ""): N_("The LMS's clock is right."),
    (Code.CLOCK, UNKNOWN, ""): N_("The LMS did not tell the time."),
    (Code.CLOCK, UNKNOWN, "ahead"): N_("The LMS's clock is %(seconds)s seconds ahead; from 60 on, launches fail."),
    (Code.CLOCK, UNKNOWN, "behind"): N_("The LMS's clock is %(seconds)s seconds behind; from 60 on, launches fail."),
    (Code.CLOCK, GAP, "ahead"): N_("The LMS's clock is %(seconds)s seconds ahead: launches fail."),
    (Code.CLOCK, GAP, "behind"): N_("The LMS's clock is %(seconds)s seconds behind: launches fail."),
    (Code.DEPLOYMENT, OK, ""): N_("Attached deployments: %(approved)s."),
    (Code.DEPLOYMENT, GAP, ""): N_("Deployments that wait to be attached: %(pending)s. Their launches are refused."),
    (Code.DEPLOYMENT, GAP, "none"): N_("No deployment is known yet."),
    (Code.DEPLOYMENT, GAP, "off"): N_("Every deployment is switched off: all launches are refused."),
    (Code.LAUNCH, OK, ""): N_("The activity was last opened on %(last)s."),
    (Code.LAUNCH, UNKNOWN, ""): N_("The activity was last opened on %(last)s, which is long ago."),
    (Code.LAUNCH, UNKNOWN, "refused"): N_(
        "The activity was last opened on %(last)s. Launches that were refused since then: %(refused)s."
    ),
    (Code.LAUNCH, GAP, ""): N_("The activity has never been opened from this LMS."),
    (Code.LAUNCH, GAP, "refused"): N_(
        "The activity has never been opened from this LMS: all launches were refused (%(refused)s)."
    ),
    (Code.FRAME, OK, ""): N_("The LMS's pages may show ours in a frame: %(origin)s."),
    (Code.FRAME, GAP, ""): N_(
        "Courses are at %(origin)s, which is none of the addresses that may show our pages in a frame: some browsers"
        " show an empty frame there."
    ),
    (Code.FRAME, SKIPPED, ""): N_("Not known: no launch of the last day has said from which page it came."),
    (Code.ROSTER, OK, ""): N_("The roster can be read: %(people)s people, with names."),
    (Code.ROSTER, OK, "no_names"): N_("The roster can be read: %(people)s people, without names."),
    (Code.ROSTER, UNKNOWN, "empty"): N_("The roster can be read, and nobody is in it."),
    (Code.ROSTER, UNKNOWN, "not_offered"): N_(
        "The LMS offers us no roster: whoever has not opened the activity yet is not counted as missing."
    ),
    (Code.ROSTER, GAP, ""): N_("The roster cannot be read: %(reason)s"),
    (Code.ROSTER, SKIPPED, "no_launch"): _NO_LAUNCH,
    (Code.LINE_ITEM, OK, ""): N_("The grade column of the activity can be read."),
    (Code.LINE_ITEM, GAP, ""): N_("The grade column of the activity cannot be read: %(reason)s"),
    (Code.LINE_ITEM, GAP, "gone"): N_("The grade column of the activity was deleted in the LMS."),
    (Code.LINE_ITEM, GAP, "not_offered"): N_("The activity has no grade column, and we may make none."),
    (Code.LINE_ITEM, SKIPPED, "none_yet"): N_("The activity has no grade column yet: it is made with the first grade."),
    (Code.LINE_ITEM, SKIPPED, "not_granted"): N_(
        "Not tried: the LMS does not let us look at the column, only write into it. That is enough."
    ),
    (Code.LINE_ITEM, SKIPPED, "no_launch"): _NO_LAUNCH,
    (Code.TEST_SCORE, OK, "read"): N_("A score for the test student was written, read back and deleted again."),
    (Code.TEST_SCORE, OK, "written"): N_("A score for the test student was written, and deleted again."),
    (Code.TEST_SCORE, OK, "nobody"): N_(
        "A score for a person who does not exist was refused for just that reason: grades can be written."
    ),
    (Code.TEST_SCORE, OK, "taken"): N_("A score for a person who does not exist was taken: grades can be written."),
    (Code.TEST_SCORE, UNKNOWN, "unclear"): N_(
        "A score for a person who does not exist was refused (status %(status)s), and not in words that say why."
    ),
    (Code.TEST_SCORE, UNKNOWN, "unasked"): N_(
        "Not tried: the activity has no grade column yet, and by ourselves we make none in a course, not even for"
        " seconds."
    ),
    (Code.TEST_SCORE, UNKNOWN, "not_read"): N_("A score was written, and is not in the gradebook when we look."),
    (Code.TEST_SCORE, UNKNOWN, "left"): N_(
        "Grades can be written, but the test column could not be deleted again: %(reason)s"
    ),
    (Code.TEST_SCORE, GAP, ""): N_("No score could be sent: %(reason)s"),
    (Code.TEST_SCORE, GAP, "not_granted"): N_("The LMS does not let us send grades from the activity."),
    (Code.TEST_SCORE, GAP, "right"): N_(
        "The LMS refuses our score: we lack the right to write grades there (status %(status)s)."
    ),
    (Code.TEST_SCORE, GAP, "student"): N_("The LMS takes no score for this test student: %(reason)s"),
    (Code.TEST_SCORE, GAP, "column"): N_("The test column could not be made: %(reason)s"),
    (Code.TEST_SCORE, GAP, "other_number"): N_("A score of 50 of 100 was written, and %(read)s was read back."),
    (Code.TEST_SCORE, SKIPPED, "no_launch"): _NO_LAUNCH,
    (Code.TEST_SCORE, SKIPPED, "no_column"): N_("Not tried: there is no grade column yet."),
    (Code.DELIVERIES, OK, ""): N_("The last grade arrived on %(last)s."),
    (Code.DELIVERIES, UNKNOWN, ""): N_(
        "Grades arrive (the last one on %(last)s); in the last two weeks %(failed)s did not: %(reason)s"
    ),
    (Code.DELIVERIES, GAP, ""): N_("Grades that did not arrive in the last two weeks: %(failed)s. %(reason)s"),
    (Code.DELIVERIES, GAP, "paused"): N_("Grades wait, because the LMS does not take them now: %(reason)s"),
    (Code.DELIVERIES, SKIPPED, ""): N_("No grade has been sent yet."),
    (Code.MOODLE, OK, ""): N_("Calendar and completions: all %(right)s things that were tried work."),
    (Code.MOODLE, GAP, ""): N_("Calendar and completions: %(right)s things work, and %(wrong)s do not."),
    (Code.MOODLE, GAP, "failing"): N_("The Moodle does not answer our web service calls: %(reason)s"),
    (Code.MOODLE, UNKNOWN, ""): N_("Connected; what the token can do has not been tried yet."),
    (Code.MOODLE, SKIPPED, ""): N_("Not connected. Launches, grades and the calendar feed work without."),
}

_REACH = N_(
    "Compare the address with the one in the LMS (%(settings)s). If it is right, the LMS's firewall and certificate"
    " must let our server in; a private address must be listed in SHARED_SESSIONS_ALLOWED_NETWORKS."
)
_NEW_KEYS = N_("Make the LMS a new key pair for LTI 1.3: RSA, 2048 bits or more, each with a key id of its own.")
_CLOCK = N_("On the server of the LMS, switch on the synchronisation of its clock (NTP).")
_GRADES = N_("Let the tool use the grade service: %(grades)s. Then open the activity once more from the course.")
_FIRST_LAUNCH = N_("If the activity is in no course yet, add it to one. Then open it there once, as a teacher.")
_REFUSED = N_("“Last refusals” on the page of this LMS says of each why it was, and what to change.")

REMEDY: Mapping[Key, str] = {
    (Code.LMS_KEYS, GAP, ""): _REACH,
    (Code.LMS_KEYS, GAP, "doubles"): _NEW_KEYS,
    (Code.LMS_KEYS, GAP, "short"): _NEW_KEYS,
    (Code.LMS_KEYS, GAP, "none"): N_(
        "Check that this is the LMS's public keyset address for LTI 1.3 (%(settings)s), and that it has a key for"
        " RS256."
    ),
    (Code.LOGIN, GAP, ""): _REACH,
    (Code.LOGIN, UNKNOWN, ""): N_("A launch will show whether it is right. The address stands in %(settings)s."),
    (Code.OUR_KEYS, GAP, ""): N_(
        "For whoever runs this tool: PUBLIC_URL must lead to it, and the proxy must pass on /lti/jwks.json unchanged."
    ),
    (Code.OUR_KEYS, UNKNOWN, ""): N_(
        "If the service token below works, the LMS can read our keys, and nothing needs to be done. If not: from the"
        " LMS's server, %(url)s must answer."
    ),
    (Code.TOKEN, GAP, ""): _REACH,
    (Code.TOKEN, GAP, "refused"): N_(
        "In the LMS (%(settings)s), the tool must be active, its client id the one below, its public keyset address"
        " ours, and the LMS's server must be able to read it."
    ),
    (Code.TOKEN, GAP, "scope"): N_("Let the tool use the services: %(grades)s; %(roster)s."),
    (Code.CLOCK, UNKNOWN, "ahead"): _CLOCK,
    (Code.CLOCK, UNKNOWN, "behind"): _CLOCK,
    (Code.CLOCK, GAP, ""): _CLOCK,
    (Code.DEPLOYMENT, GAP, ""): N_("Compare them with your LMS, and attach them below."),
    (Code.DEPLOYMENT, GAP, "none"): _FIRST_LAUNCH,
    (Code.DEPLOYMENT, GAP, "off"): N_(
        "The coordinator can attach again the one that is yours: “Deployments” on the page of this LMS."
    ),
    (Code.LAUNCH, GAP, ""): _FIRST_LAUNCH,
    (Code.LAUNCH, GAP, "refused"): _REFUSED,
    (Code.LAUNCH, UNKNOWN, "refused"): _REFUSED,
    (Code.LAUNCH, UNKNOWN, ""): _FIRST_LAUNCH,
    (Code.FRAME, GAP, ""): N_(
        "For whoever runs this tool: add %(origin)s to SHARED_SESSIONS_FRAME_ANCESTORS and start the tool anew."
    ),
    (Code.ROSTER, OK, "no_names"): N_(
        "That is enough for us, and instructors see numbers. If they shall see names: %(names)s."
    ),
    (Code.ROSTER, UNKNOWN, "not_offered"): N_(
        "If that is not meant so: %(roster)s. Then open the activity once more from the course."
    ),
    (Code.ROSTER, UNKNOWN, "empty"): N_("Are there people in the course? Then let the tool read them: %(roster)s."),
    (Code.ROSTER, GAP, ""): N_("Let the tool read the roster: %(roster)s."),
    (Code.LINE_ITEM, GAP, ""): _GRADES,
    (Code.LINE_ITEM, GAP, "gone"): N_("Open the activity once more from the course; within a day we look for another."),
    (Code.LINE_ITEM, GAP, "not_offered"): N_(
        "Set the activity up with a grade, or %(grades)s; then open it once more."
    ),
    (Code.TEST_SCORE, UNKNOWN, "unclear"): N_(
        "Check again with the number of a test student of the course: then it is sure. Real grades tell it, too."
    ),
    (Code.TEST_SCORE, UNKNOWN, "unasked"): N_(
        "“Check now” on the page of this LMS tries it. Students of the course may see the test column for a moment."
    ),
    (Code.TEST_SCORE, UNKNOWN, "not_read"): N_("Check again in a few minutes; some gradebooks take their time."),
    (Code.TEST_SCORE, UNKNOWN, "left"): N_(
        "The next check deletes it, or you do: its name is “Shared Sessions test (may be deleted)”."
    ),
    (Code.TEST_SCORE, GAP, "not_granted"): _GRADES,
    (Code.TEST_SCORE, GAP, "right"): _GRADES,
    (Code.TEST_SCORE, GAP, "column"): _GRADES,
    (Code.TEST_SCORE, GAP, "student"): N_(
        "Is the number that of a student of the course from which the last launch came?"
    ),
    (Code.DELIVERIES, GAP, "paused"): N_("Nothing is lost: it is sent by itself as soon as the LMS takes it."),
    (Code.DELIVERIES, GAP, ""): N_("Instructors see them on the page of their course, and can send them again there."),
    (Code.MOODLE, GAP, ""): N_("The page of the Moodle's connection says at each what to change."),
    (Code.MOODLE, SKIPPED, ""): N_("Connected, sessions also stand in the course calendars."),
}

Moment = Callable[[datetime], str]


def utc_minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def title_of(code: Code, words: Words = ENGLISH) -> str:
    return words.gettext(TITLE[code])


def found_sentence(trial: Trial, product: str, words: Words = ENGLISH, *, moment: Moment = utc_minute) -> str:
    """What was found. `product`: as lms.products names it; `moment`: how an instant is written."""
    if trial.facts.get("case") == "slow":
        return words.gettext("Not tried: the LMS answered too slowly before.")
    said = _said(FOUND, trial, product, words, moment)
    if said or trial.outcome is not SKIPPED:
        return said
    return words.gettext("Not tried: it needs what does not work above.")


def remedy_sentence(trial: Trial, product: str, words: Words = ENGLISH, *, moment: Moment = utc_minute) -> str:
    """What to change, and where; empty where nothing needs to be done."""
    return _said(REMEDY, trial, product, words, moment)


def _said(sentences: Mapping[Key, str], trial: Trial, product: str, words: Words, moment: Moment) -> str:
    menus = {name: menu(name, product, words) for name in MENUS}
    last = trial.facts.get("last")
    if isinstance(last, str):
        trial = msgspec.structs.replace(trial, facts={**trial.facts, "last": moment(datetime.fromisoformat(last))})
    return sentence_of(sentences, trial, menus, words)
