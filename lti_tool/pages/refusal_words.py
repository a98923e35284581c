"""The words for each refusal: a sentence for the person, and one for the administrator of the LMS."""

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
_BROKEN_TOKEN = Words(
    for_person=_ASK_ADMIN,
    for_admin=lazy_gettext("The launch message is not a valid LTI 1.3 message of the registered platform."),
)

WORDS: dict[RefusalCode, Words] = {
    RefusalCode.LOGIN_INCOMPLETE: Words(
        for_person=lazy_gettext("This address is for your LMS. Please open the activity from your course."),
        for_admin=lazy_gettext("The login must bring iss, login_hint and target_link_uri."),
    ),
    RefusalCode.PLATFORM_UNKNOWN: Words(
        for_person=_ASK_ADMIN,
        for_admin=lazy_gettext(
            "No platform is registered with this issuer and client id. Register it, or compare both letter by letter."
        ),
    ),
    RefusalCode.PLATFORM_AMBIGUOUS: Words(
        for_person=_ASK_ADMIN,
        for_admin=lazy_gettext(
            "Several platforms share this issuer, and the login names no client_id. Use the login address that ends "
            "with your platform's name."
        ),
    ),
    RefusalCode.PLATFORM_DISABLED: Words(
        for_person=lazy_gettext("Your university's connection is switched off at the moment."),
        for_admin=lazy_gettext("The platform is disabled here. The coordinator can enable it."),
        status=403,
    ),
    RefusalCode.PLATFORM_MISMATCH: Words(
        for_person=_ASK_ADMIN,
        for_admin=lazy_gettext(
            "The issuer or client id of the login is not the registered one. They must be the same letter by letter; "
            "a slash at the end counts."
        ),
    ),
    RefusalCode.TARGET_NOT_OURS: Words(
        for_person=_ASK_ADMIN,
        for_admin=lazy_gettext("The target link URI must be an address of this tool, the same in login and launch."),
    ),
    RefusalCode.LMS_ERROR: Words(
        for_person=lazy_gettext("Your LMS has ended the launch with an error. Please open the activity again."),
        for_admin=lazy_gettext("The LMS answered the login with an error; its own words are shown below."),
    ),
    RefusalCode.METHOD_NOT_POST: Words(
        for_person=_AGAIN,
        for_admin=lazy_gettext("A launch is posted as a form (response_mode=form_post)."),
        status=405,
    ),
    RefusalCode.TOO_LARGE: Words(
        for_person=_AGAIN,
        for_admin=lazy_gettext("The launch message is larger than this tool accepts."),
        status=413,
    ),
    RefusalCode.STATE_MISSING: Words(
        for_person=_AGAIN, for_admin=lazy_gettext("The LMS did not send back the state of the login.")
    ),
    RefusalCode.STATE_INVALID: Words(
        for_person=_AGAIN, for_admin=lazy_gettext("The LMS sent back a state that this tool did not make.")
    ),
    RefusalCode.STATE_EXPIRED: Words(
        for_person=lazy_gettext("This launch took longer than ten minutes. Please open the activity again."),
        for_admin=lazy_gettext("The state of the login has expired."),
    ),
    RefusalCode.BROWSER_CHANGED: Words(
        for_person=lazy_gettext("This launch was begun in another browser or window. Please open the activity again."),
        for_admin=lazy_gettext("The cookie of the login did not come back; the browser may block cookies."),
        status=403,
    ),
    RefusalCode.TOKEN_MISSING: Words(
        for_person=_AGAIN, for_admin=lazy_gettext("The LMS posted neither an id_token nor an error.")
    ),
    RefusalCode.TOKEN_MALFORMED: _BROKEN_TOKEN,
    RefusalCode.ALGORITHM_REFUSED: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The LMS must sign its messages with RS256.")
    ),
    RefusalCode.KEY_ID_MISSING: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The header of the launch message has no key id (kid).")
    ),
    RefusalCode.KEY_UNKNOWN: Words(
        for_person=_ASK_ADMIN,
        for_admin=lazy_gettext(
            "The key that signed the launch is not in the platform's public keyset. Check the keyset address."
        ),
    ),
    RefusalCode.KEYS_UNREACHABLE: Words(
        for_person=lazy_gettext("Your LMS's keys cannot be read at the moment. Please try again in a few minutes."),
        for_admin=lazy_gettext("The platform's public keyset cannot be fetched. Check its address and the firewall."),
        status=503,
    ),
    RefusalCode.SIGNATURE_WRONG: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The signature does not fit the platform's public key.")
    ),
    RefusalCode.CLAIM_MISSING: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("A required claim is missing in the launch message.")
    ),
    RefusalCode.CLAIM_MALFORMED: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("A claim of the launch message has a wrong type or length.")
    ),
    RefusalCode.ISSUER_WRONG: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The issuer in the launch is not the registered one.")
    ),
    RefusalCode.AUDIENCE_WRONG: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The launch message is meant for another client id.")
    ),
    RefusalCode.TOKEN_EXPIRED: Words(
        for_person=_AGAIN, for_admin=lazy_gettext("The launch message has expired. Check the clock of the LMS.")
    ),
    RefusalCode.TOKEN_FROM_FUTURE: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The clock of the LMS is ahead by more than a minute.")
    ),
    RefusalCode.TOKEN_TOO_OLD: Words(
        for_person=_AGAIN, for_admin=lazy_gettext("The launch message was issued more than ten minutes ago.")
    ),
    RefusalCode.NONCE_WRONG: Words(
        for_person=_AGAIN, for_admin=lazy_gettext("The launch message answers another login.")
    ),
    RefusalCode.NONCE_SPENT: Words(
        for_person=lazy_gettext("This launch was already used. Please open the activity again from your course."),
        for_admin=lazy_gettext("The same launch message was posted twice; the second one is refused."),
    ),
    RefusalCode.VERSION_WRONG: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("The LMS must launch with LTI version 1.3.0.")
    ),
    RefusalCode.MESSAGE_TYPE_UNKNOWN: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("This tool does not know that type of LTI message.")
    ),
    RefusalCode.DEPLOYMENT_MISMATCH: Words(
        for_person=_ASK_ADMIN, for_admin=lazy_gettext("Login and launch name different deployments.")
    ),
    RefusalCode.DEPLOYMENT_UNKNOWN: Words(
        for_person=lazy_gettext("Your course's connection is not approved yet. Please tell your LMS's administrator."),
        for_admin=lazy_gettext("This deployment id is not approved here. Compare it with the one in your LMS."),
        status=403,
    ),
    RefusalCode.NO_SERIES: Words(
        for_person=lazy_gettext("No workshop series has been set up yet. Please try again later."),
        for_admin=lazy_gettext("The coordinator has not imported a series yet."),
        status=404,
    ),
}
