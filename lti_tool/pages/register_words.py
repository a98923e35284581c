"""Why a registration came to nothing and what to do next; what we ask an LMS for and why, for its administrator."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import LazyString, gettext, lazy_gettext

from lms.errors import AddressRefused, LmsError, MalformedAnswer, NotAllowed, NotFound, TryLater, Unreachable
from lti_tool.protocol.registration import AGS_SCOPE, SCOPES, RegistrationFailed, RegistrationFault
from lti_tool.register_lms import NotSaved
from series.lms_invitations import Standing
from series.store.lms_invitations import InvitationOver, UniversityBusy
from series.store.universities import AlreadyThere


@dataclass(frozen=True, kw_only=True)
class ProblemWords:
    """Two sentences or more: what is, and what to do."""

    what: str
    next: str
    status: int = 422


@dataclass(frozen=True, kw_only=True)
class AskedFor:
    what: LazyString
    why: LazyString
    without: LazyString


NRPS = SCOPES[-1]
ASKED: Mapping[str, AskedFor] = {
    AGS_SCOPE + "score": AskedFor(
        what=lazy_gettext("To send grades for our own activities"),
        why=lazy_gettext("What a student has completed counts in your gradebook."),
        without=lazy_gettext("No grades are sent to your gradebook."),
    ),
    AGS_SCOPE + "lineitem": AskedFor(
        what=lazy_gettext("To see and make the grade columns of our own activities"),
        why=lazy_gettext("An activity that has no column gets one. The column of an activity is never deleted."),
        without=lazy_gettext("Activities without a grade column of their own get no grades."),
    ),
    AGS_SCOPE + "result.readonly": AskedFor(
        what=lazy_gettext("To read back the grades that we have sent"),
        why=lazy_gettext("So we notice when a grade did not arrive, or was changed by a teacher."),
        without=lazy_gettext("A grade that did not arrive is not noticed."),
    ),
    NRPS: AskedFor(
        what=lazy_gettext("To read the list of people in a course that uses it"),
        why=lazy_gettext("Teachers see their own course by name. The names are shown and not stored."),
        without=lazy_gettext("Teachers do not see who in their course is missing."),
    ),
}
_LMS_SUPPORT = lazy_gettext("Try once more with the same link; if it stays, register by hand.")
_BY_HAND = lazy_gettext("Register by hand instead: the link below has every address.")
_FAULTS: Mapping[RegistrationFault, tuple[LazyString, LazyString]] = {
    RegistrationFault.ADDRESS_MALFORMED: (
        lazy_gettext("The LMS has opened this page with an address or a token that cannot be one."),
        _BY_HAND,
    ),
    RegistrationFault.FORM_OVER: (
        lazy_gettext("This page was open for more than an hour, or was changed on its way."),
        lazy_gettext("Begin once more in the LMS with the same link."),
    ),
    RegistrationFault.NOT_A_CONFIGURATION: (
        lazy_gettext("The LMS answered with something that is no configuration: perhaps with a sign-in page."),
        lazy_gettext(
            "Open the link from inside the LMS once more, where you are signed in. If it stays, register by hand."
        ),
    ),
    RegistrationFault.NO_REGISTRATION: (
        lazy_gettext("This LMS does not offer registration by a link."),
        _BY_HAND,
    ),
    RegistrationFault.ISSUER_FOREIGN: (
        lazy_gettext("The configuration belongs to another LMS than the one whose address it names:"),
        lazy_gettext(
            "Check the base address in the settings of the LMS (in Moodle: wwwroot): it must be the address "
            "under which "
            "people open it."
        ),
    ),
    RegistrationFault.ENDPOINT_FOREIGN: (
        lazy_gettext("The configuration wants us to register at another site than its own:"),
        lazy_gettext("Do not go on, and ask the maker of the LMS. Registering by hand remains possible."),
    ),
    RegistrationFault.ENDPOINT_NOT_HTTPS: (
        lazy_gettext("One of the LMS's addresses is not protected by https:"),
        lazy_gettext("Give the LMS an https address in its settings, then try again."),
    ),
    RegistrationFault.NOT_AN_ANSWER: (
        lazy_gettext("The LMS answered our registration with something else than it should: with a web page, perhaps."),
        _LMS_SUPPORT,
    ),
    RegistrationFault.NO_CLIENT_ID: (
        lazy_gettext("The LMS answered our registration without a client id, so that we could not be told apart."),
        _LMS_SUPPORT,
    ),
    RegistrationFault.ANSWER_FOREIGN: (
        lazy_gettext("The LMS has registered another address than ours, so that launches would not arrive."),
        _LMS_SUPPORT,
    ),
}
_OVER: Mapping[Standing, tuple[LazyString, LazyString]] = {
    Standing.USED: (
        lazy_gettext("This link has been used already: an LMS was connected by it."),
        lazy_gettext("To connect another LMS, ask the coordinator of the series for a new link."),
    ),
    Standing.EXPIRED: (
        lazy_gettext("This link has expired."),
        lazy_gettext("Ask the coordinator of the series for a new one. Nothing was registered."),
    ),
    Standing.REVOKED: (
        lazy_gettext("This link was taken back."),
        lazy_gettext("Ask the coordinator of the series for a new one. Nothing was registered."),
    ),
    Standing.UNDER_WAY: (
        lazy_gettext("Somebody is registering by this link just now, perhaps you in another window."),
        lazy_gettext("Wait two minutes, then reload this page: it then says whether it has worked."),
    ),
}


def problem_words(problem: Exception) -> ProblemWords:
    """Of whatever a registration may raise."""
    if isinstance(problem, InvitationOver):
        what, onward = _OVER.get(problem.standing, _OVER[Standing.UNDER_WAY])
        return _say(what, onward, status=409 if problem.standing is Standing.UNDER_WAY else 410)
    if isinstance(problem, UniversityBusy):
        return _say(
            gettext("Another LMS of your university is being registered at this moment."),
            gettext("Wait two minutes, then try again with the same link."),
            status=409,
        )
    if isinstance(problem, AlreadyThere):
        return _say(
            gettext(
                "This client id, or this LMS, is registered here already, perhaps by another university; or its name "
                "was taken meanwhile."
            ),
            gettext(
                "Ask the coordinator of the series what is registered. If it is a chance that two LMSs have one client "
                "id, whoever runs this tool can enter yours."
            ),
            status=409,
        )
    if isinstance(problem, NotSaved):
        return _say(
            gettext("The LMS has registered us, but our database could not be had, so that we know nothing of it."),
            gettext("Wait two minutes, then begin once more in the LMS with the same link."),
            status=503,
        )
    if isinstance(problem, RegistrationFailed):
        what, onward = _FAULTS[problem.fault]
        return _say(f"{what} {problem.value}" if problem.value else what, onward)
    assert isinstance(problem, LmsError)
    return _say(str(problem), _onward(problem))


def missing_words(scopes: tuple[str, ...]) -> list[AskedFor]:
    """What the LMS has not granted, with what does not work then."""
    return [ASKED[scope] for scope in scopes if scope in ASKED]


def _onward(problem: LmsError) -> LazyString:
    match problem:
        case NotAllowed():
            return lazy_gettext(
                "The permission of the LMS to register (its token) is good for one use and a short time. Begin once "
                "more "
                "in the LMS with the same link."
            )
        case AddressRefused():
            return lazy_gettext(
                "We call only public https addresses. If your LMS is in a network of its own, ask whoever runs this "
                "tool "
                "to allow it."
            )
        case Unreachable() | TryLater():
            return lazy_gettext(
                "Check that the LMS can be reached from the internet under its own address, then begin once more in "
                "the "
                "LMS with the same link."
            )
        case MalformedAnswer() | NotFound():
            return lazy_gettext(
                "Check the base address in the settings of the LMS, then begin once more with the same link."
            )
    return lazy_gettext("Begin once more in the LMS with the same link; if it stays, register by hand.")


def _say(what: LazyString | str, onward: LazyString | str, *, status: int = 422) -> ProblemWords:
    return ProblemWords(what=str(what), next=str(onward), status=status)
