"""The words for what is held about a person: what each part is, what for, from where, and how long it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import LazyString, gettext, lazy_gettext

from lti_tool.pages.words import WORDS
from series.own_data import KEPT, OwnData, Part, Role
from series.retention import RETENTION


@dataclass(frozen=True, kw_only=True)
class PartWords:
    """`why`: the purpose. `source`: from where we have it."""

    title: LazyString
    why: LazyString
    source: LazyString


_TO_COUNT = lazy_gettext("So that what you have done counts, and that you and your teachers can see why.")
_BY_LMS = lazy_gettext("Your university's LMS, when you opened an activity.")
_BY_YOU = lazy_gettext("You.")
_BY_US = lazy_gettext("This tool works it out from what is recorded.")
_TO_HOST = lazy_gettext("So that who hosts a session can open its check-in.")
_TO_WATCH = lazy_gettext("So that it can be seen later who looked at what, and who changed it.")


def _part(title: LazyString, why: LazyString, source: LazyString) -> PartWords:
    return PartWords(title=title, why=why, source=source)


PARTS: Mapping[Part, PartWords] = {
    Part.ACCOUNT: _part(
        lazy_gettext("Who you are here"),
        lazy_gettext("To know you again when you come back. Neither your name nor your e-mail address is stored."),
        lazy_gettext(
            "Your university's LMS, when you first opened an activity, or when it told who is in your course."
        ),
    ),
    Part.ACTIVITIES: _part(
        lazy_gettext("Activities that you have opened"),
        lazy_gettext("To show you the right series, and to know in which gradebooks you have a place."),
        _BY_LMS,
    ),
    Part.ROSTER: _part(
        lazy_gettext("Courses in which you are listed"),
        lazy_gettext("So that your teachers see who of the course takes part."),
        lazy_gettext("Your university's LMS, which lists who is in a course."),
    ),
    Part.VISITS: _part(
        lazy_gettext("When you came in the last days"),
        lazy_gettext("To keep you signed in for twelve hours."),
        _BY_LMS,
    ),
    Part.FACTS: _part(
        lazy_gettext("What is recorded for your sessions"),
        _TO_COUNT,
        lazy_gettext("You, your teachers, the host of the session, or your course in Moodle: it stands with each."),
    ),
    Part.COMPLETIONS: _part(lazy_gettext("Sessions that count for you"), _TO_COUNT, _BY_US),
    Part.EXCUSES: _part(lazy_gettext("Sessions from which you are excused"), _TO_COUNT, _BY_US),
    Part.REFLECTIONS: _part(
        lazy_gettext("Your reflections"),
        lazy_gettext("So that your teachers can read them, and that they count where the rule says so."),
        lazy_gettext("You; the comment is your teacher's."),
    ),
    Part.MESSAGES: _part(
        lazy_gettext("What you wrote to your teachers"),
        lazy_gettext("So that what is wrong is put right."),
        lazy_gettext("You; the answer is your teacher's."),
    ),
    Part.GRADES: _part(
        lazy_gettext("Grades sent to your course"),
        lazy_gettext("So that your course's gradebook shows what counts for you."),
        _BY_US,
    ),
    Part.MOODLE: _part(
        lazy_gettext("What your Moodle says of activities that count"),
        _TO_COUNT,
        lazy_gettext("Your course in Moodle."),
    ),
    Part.CHECK_INS: _part(lazy_gettext("Check-ins that you opened as a host"), _TO_HOST, _BY_YOU),
    Part.MORE_TIME: _part(
        lazy_gettext("When you asked for more time to type a code"),
        lazy_gettext("To accept the code from you for longer. Nobody else sees this."),
        _BY_YOU,
    ),
    Part.HOSTING: _part(
        lazy_gettext("Sessions that you host"), _TO_HOST, lazy_gettext("The coordinators of the series.")
    ),
    Part.HOST_REQUESTS: _part(lazy_gettext("Where you said that you host"), _TO_HOST, _BY_YOU),
    Part.HOST_INVITATIONS: _part(
        lazy_gettext("Codes with which you became a host"), _TO_HOST, lazy_gettext("The coordinators of the series.")
    ),
    Part.STAFF: _part(
        lazy_gettext("Your account for the pages of staff"),
        lazy_gettext("So that you come to these pages from your LMS."),
        lazy_gettext("You, and whoever made the account."),
    ),
    Part.TRANSFER_CODES: _part(
        lazy_gettext("Codes to move your progress"),
        lazy_gettext(
            "So that your progress moves to another account of yours. Of the code itself only a hash is kept."
        ),
        _BY_YOU,
    ),
    Part.LOOKED_AT: _part(
        lazy_gettext("Who looked at it or changed it"), _TO_WATCH, lazy_gettext("This tool's record.")
    ),
    Part.DONE: _part(lazy_gettext("What you did yourself"), _TO_WATCH, lazy_gettext("This tool's record.")),
}

COLUMNS: Mapping[str, LazyString] = {
    "university": lazy_gettext("University"),
    "lms": lazy_gettext("LMS"),
    "number": lazy_gettext("Number"),
    "created_at": lazy_gettext("First seen"),
    "made_at": lazy_gettext("Made"),
    "objected_at": lazy_gettext("You objected on"),
    "course": lazy_gettext("Course"),
    "series": lazy_gettext("Series"),
    "session": lazy_gettext("Session"),
    "is_learner": lazy_gettext("As a student"),
    "is_teacher": lazy_gettext("As a teacher"),
    "is_administrator": lazy_gettext("As an administrator"),
    "launched_at": lazy_gettext("Last opened"),
    "is_suspended": lazy_gettext("Suspended in the course"),
    "gone_at": lazy_gettext("Left the course"),
    "opened_at": lazy_gettext("Opened"),
    "expires_at": lazy_gettext("Over"),
    "locale": lazy_gettext("Language"),
    "kind": lazy_gettext("What"),
    "source": lazy_gettext("From where"),
    "source_id": lazy_gettext("Its mark there"),
    "observed_at": lazy_gettext("When it happened"),
    "recorded_at": lazy_gettext("Recorded"),
    "amount": lazy_gettext("How much"),
    "by": lazy_gettext("By whom"),
    "reason": lazy_gettext("Reason"),
    "withdraws_number": lazy_gettext("Withdraws number"),
    "completed_at": lazy_gettext("Completed"),
    "by_recording": lazy_gettext("By the recording alone"),
    "state": lazy_gettext("State"),
    "text": lazy_gettext("Text"),
    "saved_at": lazy_gettext("Saved"),
    "handed_in_at": lazy_gettext("Handed in"),
    "read_at": lazy_gettext("Read"),
    "comment": lazy_gettext("Comment"),
    "returned_at": lazy_gettext("Returned"),
    "raised_at": lazy_gettext("Written"),
    "answer": lazy_gettext("Answer"),
    "answered_at": lazy_gettext("Answered"),
    "score_given": lazy_gettext("Grade"),
    "score_maximum": lazy_gettext("Of"),
    "version": lazy_gettext("Version"),
    "attempts": lazy_gettext("Tries"),
    "outcome": lazy_gettext("Last answer"),
    "delivered_at": lazy_gettext("Sent"),
    "line_item_url": lazy_gettext("Address in the gradebook"),
    "is_complete": lazy_gettext("Complete"),
    "changed_at": lazy_gettext("Since"),
    "taken_back": lazy_gettext("Your Moodle takes it back"),
    "opens_at": lazy_gettext("Opened"),
    "closes_at": lazy_gettext("Closed"),
    "asked_at": lazy_gettext("Asked"),
    "decided_at": lazy_gettext("Decided"),
    "label": lazy_gettext("For whom, in the coordinator's words"),
    "used_at": lazy_gettext("Used"),
    "used_as": lazy_gettext("You came as"),
    "name": lazy_gettext("Name"),
    "email": lazy_gettext("E-mail"),
    "role": lazy_gettext("Role"),
    "bound_at": lazy_gettext("Since"),
    "at": lazy_gettext("When"),
    "action": lazy_gettext("What"),
}
ROLES: Mapping[str, LazyString] = {
    Role.SELF: lazy_gettext("you"),
    Role.TEACHER: lazy_gettext("a teacher of your course"),
    Role.OTHER_UNIVERSITY: lazy_gettext("a host of a session"),
    Role.COORDINATOR: lazy_gettext("a coordinator of the series"),
    Role.LMS_ADMIN: lazy_gettext("an administrator of your university's LMS"),
    Role.OPERATOR: lazy_gettext("the operators of this tool"),
    Role.LMS: lazy_gettext("your LMS"),
    Role.NOBODY: lazy_gettext("somebody whose own data have been erased"),
}


def kept_for(part: Part) -> str:
    """How long, in words."""
    return WORDS.gettext(RETENTION[KEPT[part]].words)


def as_document(own: OwnData) -> dict[str, object]:
    """For a file: every part with its words and its rows; also the empty parts."""
    return {
        "about": gettext("Everything that Shared Sessions holds about you at this university"),
        "university": own.university,
        "read_at": own.read_at,
        "parts": [
            {
                "name": part.value,
                "title": str(PARTS[part].title),
                "purpose": str(PARTS[part].why),
                "source": str(PARTS[part].source),
                "kept": kept_for(part),
                "rows": own.parts[part],
            }
            for part in Part
        ],
    }
