"""What a coordinator sends to a university about a gap: plain text in English, ready for a mail."""

from collections.abc import Mapping

from series.readiness import Case, Finding, Readiness, Step
from series.staff_mail import moment_in_mail

# Each tells what is, and asks for one thing.
BODIES: Mapping[tuple[Step, Case], str] = {
    (Step.INVITED, Case.NOBODY): (
        "your university takes part in “{series}”. For that, somebody who administers your LMS connects it once to"
        " our tool; it takes about ten minutes. Could you tell me who that is, with their e-mail address? I will then"
        " send them a link, and everything else is explained there."
    ),
    (Step.INVITED, Case.OVER): (
        "the link with which your LMS was to be connected for “{series}” is over, and was not used. Shall I send you a"
        " new one, or is there somebody else who administers your LMS?"
    ),
    (Step.INVITED, Case.LINK_OVER): (
        "the link by which you were to choose a password, to connect your LMS for “{series}”, is over and was not used."
        " Shall I send you a new one, or is there somebody else who administers your LMS?"
    ),
    (Step.CONNECTED, Case.NOBODY): (
        "your LMS is not connected for “{series}” yet. It takes about ten minutes, and administrator's rights in the"
        " LMS. You find everything here, step by step:\n\n{url}/admin/lms/{slug}/connect/\n\nIf your link is over, or"
        " something does not work, tell me: I will help."
    ),
    (Step.CONNECTED, Case.TRIED): (
        "somebody has tried to connect your LMS for “{series}”, and it came to nothing. What we were told:\n\n{reason}"
        "\n\nCould you try it once more? Here is what to do, step by step:\n\n{url}/admin/lms/{slug}/connect/"
    ),
    (Step.CONNECTED, Case.PENDING): (
        "an LMS has registered with us in the name of your university, for “{series}”. Before I let it in, could you"
        " tell me in a word that it was you?"
    ),
    (Step.CONNECTED, Case.DEPLOYMENT): (
        "somebody has opened our activity from a part of your LMS that we do not know yet (its deployment id, and the"
        " course, stand on the page of your LMS here). If it is yours, you can attach it there, or tell me, and I"
        " will let it in.\n\n{url}/admin/lms/{slug}/"
    ),
    (Step.CONNECTED, Case.NO_LAUNCH): (
        "your LMS is registered for “{series}”: thank you. One thing is missing. Please put our activity into any"
        " course, for example a test course, and open it once: then we both see that the connection works."
    ),
    (Step.CONNECTED, Case.DISABLED): (
        "the connection of your LMS for “{series}” is switched off at the moment, so that nobody can open the activity"
        " from there. May I switch it on again, or has your LMS changed?"
    ),
    (Step.PLACED, Case.NOBODY): (
        "your LMS is connected for “{series}”. Now one of your instructors puts it into their course: they add an"
        " activity in the course, choose Shared Sessions as external tool, and take the whole series as one activity."
        " Could you pass this on to them?"
    ),
    (Step.CALENDAR, Case.FAILING): (
        "we cannot write the sessions of “{series}” into the calendar of your Moodle at the moment. Often the token is"
        " over, or the site was down. What your Moodle answers, and what to do, stands here:\n\n"
        "{url}/admin/moodle/{slug}/"
    ),
    (Step.CALENDAR, Case.SETTINGS): (
        "the sessions of “{series}” are to stand in the calendar of your Moodle. For that, a setting or two are to be"
        " changed there; which ones, and where in its menus, stands here:\n\n{url}/admin/moodle/{slug}/connection/"
    ),
    (Step.CALENDAR, Case.NO_COURSE): (
        "your Moodle is connected, and no course is chosen yet in whose calendar the sessions of “{series}” are to"
        " stand. You choose it here:\n\n{url}/admin/moodle/{slug}/connection/course"
    ),
    (Step.SCORE, Case.UNTRIED): (
        "your LMS is connected for “{series}”. Before the first session we would like to see that grades arrive. Could"
        " you send a test grade? It goes to a grade item of its own, which is deleted afterwards:\n\n"
        "{url}/admin/lms/{slug}/"
    ),
    (Step.SCORE, Case.REFUSED): (
        "your LMS did not take our test grade, so students would miss theirs. Which setting to change stands here:\n\n"
        "{url}/admin/lms/{slug}/"
    ),
    (Step.HOSTS, Case.UNNAMED): (
        "your university hosts “{title}” on {when}. Who is going to host it? Please tell me their name and e-mail"
        " address: they open and close the check-in, and can change the link of the meeting."
    ),
}


_WITHOUT_ACCOUNT = (
    "That page asks you to sign in. As far as I know none of you can do so yet: please tell me the name and e-mail"
    " address of whoever is to, and I will send them a link."
)


def letter_about(finding: Finding, one: Readiness, *, series: str, public_url: str, sender: str) -> str:
    """For a gap. `series`: its title; `sender`: the coordinator's name."""
    when = moment_in_mail(finding.next_at, one.university.time_zone) if finding.next_at else ""
    values = {"series": series, "url": public_url, "slug": one.university.slug, "when": when, **finding.facts}
    body = BODIES[finding.step, finding.case].format(**values)
    if not one.contact and "{url}" in BODIES[finding.step, finding.case]:
        body = f"{body}\n\n{_WITHOUT_ACCOUNT}"
    greeting = f"Dear {one.contact}," if one.contact else f"Dear colleagues at {one.university.name},"
    return f"{greeting}\n\n{body}\n\nKind regards\n{sender}\n"
