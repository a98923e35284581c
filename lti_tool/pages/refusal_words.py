"""The words for each refusal: a sentence for the person, and one for the administrator of the LMS.

What an administrator can change is named as Moodle names it; other LMSs use the same or nearly the same words.
"""

from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext

from lti_tool.protocol.refusals import RefusalCode


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the refusal page says. `for_admin` says what to change in the LMS."""

    for_person: LazyString
    for_admin: LazyString
    status: int = 400


_AGAIN = lazy_gettext("Please open the activity again from your course.")
_ASK_ADMIN = lazy_gettext("Your LMS and this tool do not agree yet. Please pass this on to your LMS's administrator.")
_SLOWER = lazy_gettext("That was too much at once. Please wait half a minute, then open the activity again.")
_MESSAGE_OF_LMS = lazy_gettext(
    "The launch message is not as LTI 1.3 demands. Nothing can be set for that: please report it to the maker of the "
    "LMS, or of the plugin that sends it."
)
_CLOCK = lazy_gettext("Set the clock of the LMS's server by a time service (NTP): it may differ by a minute at most.")


def _words(for_person: LazyString, for_admin: LazyString, status: int = 400) -> Words:
    return Words(for_person=for_person, for_admin=for_admin, status=status)


_LOGIN = {
    RefusalCode.LOGIN_INCOMPLETE: _words(
        lazy_gettext("This address is for your LMS. Please open the activity from your course."),
        lazy_gettext(
            "The login must bring iss, login_hint and target_link_uri. Enter this address as “Initiate login URL”, and "
            "nowhere else."
        ),
    ),
    RefusalCode.PLATFORM_UNKNOWN: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "No platform is registered here with this issuer and client id. Compare both with the “tool configuration "
            "details” of the LMS, letter by letter, or register the LMS."
        ),
    ),
    RefusalCode.PLATFORM_AMBIGUOUS: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "Several platforms share this issuer, and the login names no client_id. Enter the “Initiate login URL” "
            "that ends with your platform's name."
        ),
    ),
    RefusalCode.PLATFORM_DISABLED: _words(
        lazy_gettext("Your university's connection is switched off at the moment."),
        lazy_gettext("The platform is disabled here. The coordinator can enable it (lti-tool platform enable)."),
        403,
    ),
    RefusalCode.PLATFORM_PENDING: _words(
        lazy_gettext("Your university's LMS has been connected, but the coordinator has not approved it yet."),
        lazy_gettext(
            "Nothing is to be changed in the LMS. The registration waits for the coordinator's approval (lti-tool "
            "platform approve); afterwards the activity opens."
        ),
        403,
    ),
    RefusalCode.PLATFORM_MISMATCH: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The issuer or client id of the login is not the registered one. They must be the same letter by letter; "
            "a slash at the end counts. Check that the “Initiate login URL” is that of this LMS."
        ),
    ),
    RefusalCode.TARGET_NOT_OURS: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The target link URI must be an address of this tool, the same in login and launch. Correct the “Tool URL” "
            "of the tool, or of the activity."
        ),
    ),
}
_WAY_BACK = {
    RefusalCode.LMS_ERROR: _words(
        lazy_gettext("Your LMS has ended the launch with an error. Please open the activity again."),
        lazy_gettext(
            "The LMS answered the login with an error; its own words are shown below. Most often somebody else is "
            "signed in, or the “Redirection URI” is not the one registered in the LMS."
        ),
    ),
    RefusalCode.METHOD_NOT_POST: _words(
        _AGAIN,
        lazy_gettext("A launch is posted as a form. Enter this address as “Redirection URI”; people do not open it."),
        405,
    ),
    RefusalCode.TOO_LARGE: _words(
        _AGAIN,
        lazy_gettext(
            "The launch message is larger than this tool accepts. Shorten the custom parameters of tool and activity."
        ),
        413,
    ),
    RefusalCode.STATE_MISSING: _words(
        _AGAIN,
        lazy_gettext(
            "The LMS did not send back the state of the login. The “Tool URL” must be opened as LTI 1.3, through the "
            "“Initiate login URL”."
        ),
    ),
    RefusalCode.STATE_INVALID: _words(
        _AGAIN,
        lazy_gettext(
            "The LMS sent back a state that this tool did not make. “Initiate login URL” and “Redirection URI” must "
            "belong to the same installation."
        ),
    ),
    RefusalCode.STATE_EXPIRED: _words(
        lazy_gettext("This launch took longer than ten minutes. Please open the activity again."),
        lazy_gettext("Nothing to set: a login waits for ten minutes, and this one came back later."),
    ),
    RefusalCode.BROWSER_CHANGED: _words(
        lazy_gettext(
            "This launch was begun in another browser or window, or your browser keeps no cookies. Please open the "
            "activity again from your course."
        ),
        lazy_gettext(
            "The proof of the login did not come back in this browser. If it happens to everybody, set the activity to "
            "open in a new window."
        ),
        403,
    ),
}
_TOKEN = {
    RefusalCode.TOKEN_MISSING: _words(
        _AGAIN,
        lazy_gettext("The LMS posted neither an id_token nor an error. Choose “LTI 1.3” as the tool's LTI version."),
    ),
    RefusalCode.TOKEN_MALFORMED: _words(_ASK_ADMIN, _MESSAGE_OF_LMS),
    RefusalCode.ALGORITHM_REFUSED: _words(
        _ASK_ADMIN, lazy_gettext("Set the LMS to sign its messages with RS256 (RSA, SHA-256).")
    ),
    RefusalCode.KEY_ID_MISSING: _words(
        _ASK_ADMIN,
        lazy_gettext("The header of the launch message has no key id (kid). Make the LMS a new key pair that has one."),
    ),
    RefusalCode.KEY_UNKNOWN: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The key that signed the launch is not in the LMS's public keyset, or has under 2048 bits. Check the "
            "“Public keyset URL” that was registered here."
        ),
    ),
    RefusalCode.KEYS_UNREACHABLE: _words(
        lazy_gettext("Your LMS's keys cannot be read at the moment. Please try again in a few minutes."),
        lazy_gettext(
            "The LMS's “Public keyset URL” cannot be fetched from here. Check the address, its certificate and the "
            "firewall; a private address must be listed in ALLOWED_NETWORKS."
        ),
        503,
    ),
    RefusalCode.SIGNATURE_WRONG: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The signature does not fit the LMS's public key of that id. Check the registered keyset address."
        ),
    ),
    RefusalCode.CLAIM_MISSING: _words(_ASK_ADMIN, _MESSAGE_OF_LMS),
    RefusalCode.CLAIM_MALFORMED: _words(_ASK_ADMIN, _MESSAGE_OF_LMS),
    RefusalCode.ISSUER_WRONG: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The issuer in the launch is not the registered one. Register the LMS exactly as it names itself."
        ),
    ),
    RefusalCode.AUDIENCE_WRONG: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The launch message is meant for another client id. Compare the tool's client id in the LMS with the one "
            "registered here; an activity of its own consumer key is another tool."
        ),
    ),
    RefusalCode.TOKEN_EXPIRED: _words(_AGAIN, _CLOCK),
    RefusalCode.TOKEN_FROM_FUTURE: _words(_ASK_ADMIN, _CLOCK),
    RefusalCode.TOKEN_TOO_OLD: _words(_AGAIN, _CLOCK),
    RefusalCode.NONCE_WRONG: _words(_AGAIN, lazy_gettext("Nothing to set: the launch message answers another login.")),
    RefusalCode.NONCE_SPENT: _words(
        lazy_gettext("This launch was already used. Please open the activity again from your course."),
        lazy_gettext("Nothing to set: the same launch message was posted twice, and only the first one counts."),
    ),
}
_MESSAGE = {
    RefusalCode.VERSION_WRONG: _words(
        _ASK_ADMIN, lazy_gettext("The LMS must launch with LTI version 1.3.0: choose it in the tool's settings.")
    ),
    RefusalCode.MESSAGE_TYPE_UNKNOWN: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "This tool does not know that type of LTI message. Place it as an activity of a course (resource link)."
        ),
    ),
    RefusalCode.DEPLOYMENT_MISMATCH: _words(_ASK_ADMIN, _MESSAGE_OF_LMS),
    RefusalCode.DEPLOYMENT_PENDING: _words(
        lazy_gettext("Your course's connection is not approved yet. Please tell your LMS's administrator."),
        lazy_gettext(
            "This deployment id waits here for approval. Compare it with the one in your LMS, and ask the coordinator "
            "to approve it (lti-tool deployment approve)."
        ),
        403,
    ),
    RefusalCode.DEPLOYMENT_DISABLED: _words(
        lazy_gettext("Your course's connection is switched off at the moment."),
        lazy_gettext("This deployment id is disabled here. The coordinator can approve it again."),
        403,
    ),
    RefusalCode.NO_SERIES: _words(
        lazy_gettext("No workshop series has been set up yet. Please try again later."),
        lazy_gettext("Nothing to set in the LMS: the coordinator has not imported a series yet."),
        404,
    ),
}
_PICKING = {
    RefusalCode.NOT_A_TEACHER: _words(
        lazy_gettext("Only those who teach or build the course can add activities to it."),
        lazy_gettext(
            "The launch names no teaching role in the course. If this person should add activities, give them such a "
            "role there; what somebody is in the whole institution does not count."
        ),
        403,
    ),
    RefusalCode.NO_WAY_BACK: _words(
        _ASK_ADMIN,
        lazy_gettext(
            "The LMS asks for activities to add and names no web address for the answer (deep_link_return_url). "
            "Nothing can be set for that: please report it to the maker of the LMS."
        ),
    ),
    RefusalCode.PICKING_INVALID: _words(
        lazy_gettext("Please open the choice of activities again from your course."),
        lazy_gettext("Nothing to set: the form did not come from this tool's own page in your LMS."),
        403,
    ),
    RefusalCode.PICKING_EXPIRED: _words(
        lazy_gettext("This page is too old. Please open the choice of activities again from your course."),
        lazy_gettext("Nothing to set: the choice of activities waits for twelve hours."),
        403,
    ),
    RefusalCode.PERSON_ERASED: _words(
        lazy_gettext(
            "You have had everything erased that was held about you here. To take part again, first open an activity "
            "from a course and choose “Start again” there; then choose activities once more."
        ),
        lazy_gettext("Nothing to set: it is this person's own wish, and they alone take it back."),
        403,
    ),
}
_OURS = {
    RefusalCode.LOGINS_TOO_FAST: _words(
        _SLOWER,
        lazy_gettext("Logins come in this LMS's name faster than any campus sends them. Look for a script or a loop."),
        429,
    ),
    RefusalCode.LAUNCHES_TOO_FAST: _words(
        _SLOWER,
        lazy_gettext("One person opens the activity faster than a person can. Look for a page that reloads itself."),
        429,
    ),
    RefusalCode.TICKET_INVALID: _words(
        _AGAIN, lazy_gettext("Nothing to set: the form did not come from this tool's own page in your LMS."), 403
    ),
    RefusalCode.TICKET_EXPIRED: _words(
        lazy_gettext("The button works for ten minutes. Please open the activity again from your course."),
        lazy_gettext("Nothing to set: the way into a new tab was taken too late."),
        403,
    ),
    RefusalCode.TICKET_SPENT: _words(
        lazy_gettext("Your sessions are open in another tab already. If you closed it, open the activity again."),
        lazy_gettext("Nothing to set: the way into a new tab can be taken once."),
        403,
    ),
}
WORDS: dict[RefusalCode, Words] = {**_LOGIN, **_WAY_BACK, **_TOKEN, **_MESSAGE, **_PICKING, **_OURS}
