"""The steps of products that universities run themselves: Moodle's from Moodle 4.5, Sakai's from its documentation
(https://github.com/sakaiproject/sakai, plus/docs/INSTALL-SAKAI.md); and those of all others.
"""

from flask_babel import lazy_gettext

from lti_tool.pages.register_step_words import SPEC_OURS, SPEC_THEIRS, STUDENTS, TEACHER, ProductSteps

MOODLE = ProductSteps(
    name=lazy_gettext("Moodle"),
    begin=(
        lazy_gettext("Sign in to Moodle as administrator."),
        lazy_gettext("Open Site administration > Plugins > Activity modules > External tool > Manage tools."),
        lazy_gettext("Paste the link below into “Tool URL” and choose “Add LTI Advantage”."),
        lazy_gettext("Our page opens inside Moodle. Look at what we ask for, and press its one button."),
    ),
    by_hand=(
        lazy_gettext("Open Site administration > Plugins > Activity modules > External tool > Manage tools."),
        lazy_gettext("Choose “configure a tool manually”, and “LTI 1.3” as LTI version."),
        lazy_gettext("Enter our addresses below. Public key type is “Keyset URL”; switch on “Supports Deep Linking”."),
        lazy_gettext(
            "Under Services, choose “Use this service for grade sync and column management”, and let us read members."
        ),
        lazy_gettext("Save, then open “View configuration details” on the tool's card: it has what our form asks for."),
    ),
    our_fields={
        "target": lazy_gettext("Tool URL"),
        "login": lazy_gettext("Initiate login URL"),
        "redirect": lazy_gettext("Redirection URI(s)"),
        "keys": lazy_gettext("Public keyset"),
        "deep_link": lazy_gettext("Content Selection URL"),
        "custom": lazy_gettext("Custom parameters"),
    },
    their_fields=SPEC_THEIRS | {"issuer": lazy_gettext("Platform ID")},
    after=(
        lazy_gettext(
            "In “Manage tools”, press “Activate” on the card of Shared Sessions: Moodle leaves a new tool pending."
        ),
        lazy_gettext(
            "On the same card, press “Edit” (the cog) and set “Tool configuration usage” to “Show in activity chooser "
            "and as a preconfigured tool”. Otherwise each teacher has to switch it on under More > LTI External tools."
        ),
        lazy_gettext(
            "Completion is off for new activities: the teacher switches it on in the activity's settings, under "
            "“Completion conditions”: “Add requirements”, “Receive a grade”."
        ),
        TEACHER,
        STUDENTS,
    ),
)
SAKAI = ProductSteps(
    name=lazy_gettext("Sakai"),
    begin=(
        lazy_gettext("Open Administration Workspace > External Tools > “LTI Advantage Auto Provision”."),
        lazy_gettext("Give the tool a title, and choose “Auto-Provision”."),
        lazy_gettext("Choose “Use LTI Advantage Auto Configuration”, and paste the link below."),
        lazy_gettext("Our page opens. Look at what we ask for, and press its one button."),
    ),
    by_hand=(
        lazy_gettext("Open Administration Workspace > External Tools > “Install LTI 1.x Tool”."),
        lazy_gettext(
            "Enter our addresses below, choose LTI 1.3, and save. Then view the tool: it has what our form asks for."
        ),
    ),
    our_fields={
        "target": lazy_gettext("Launch URL"),
        "keys": lazy_gettext("LTI 1.3 Tool Keyset URL"),
        "login": lazy_gettext("LTI 1.3 Tool OpenID Connect/Initialization Endpoint"),
        "redirect": lazy_gettext("LTI 1.3 Tool Redirect Endpoint(s)"),
        "custom": lazy_gettext("Custom parameters"),
    },
    their_fields=SPEC_THEIRS
    | {
        "issuer": lazy_gettext("Platform Issuer"),
        "authorization_endpoint": lazy_gettext("Platform OIDC Authentication Endpoint"),
        "token_endpoint": lazy_gettext("Platform OAuth2 Bearer Token Retrieval URL"),
        "jwks_uri": lazy_gettext("Platform OAuth2 Well-Known/KeySet URL"),
    },
    after=(
        lazy_gettext(
            "The tool is open for editing in Sakai now. Switch on “Send Names to External Tool”; leave “Send "
            "Email” off."
        ),
        lazy_gettext("Switch on “Provide Roster to External Tool” and “Allow External Tool to return grades”."),
        lazy_gettext(
            "Under messages, switch on that the tool can receive a Deep-Link launch, and under placements the lessons."
        ),
        lazy_gettext("Save the tool: until then it is not there."),
        TEACHER,
    ),
)
GENERIC = ProductSteps(
    name=lazy_gettext("Another LMS"),
    begin=(
        lazy_gettext("Sign in to the LMS as administrator, and open where external tools (LTI 1.3) are added."),
        lazy_gettext(
            "Look for “dynamic registration”, “registration URL” or “automatic configuration”, and paste the "
            "link below."
        ),
        lazy_gettext("Our page opens. Look at what we ask for, and press its one button."),
    ),
    by_hand=(
        lazy_gettext("Open where external tools (LTI 1.3) are added, and choose to enter everything by hand."),
        lazy_gettext("Enter our addresses below; switch on deep linking, grades, and names and roles. Save."),
        lazy_gettext("The LMS then shows its own addresses, a client id and a deployment id: our form asks for them."),
    ),
    our_fields=SPEC_OURS,
    their_fields=SPEC_THEIRS,
    after=(
        lazy_gettext("Look in the LMS whether the new tool must be activated or enabled, and do so."),
        lazy_gettext("Allow it in the courses that take part, with grades, names and roles, and deep linking."),
        TEACHER,
        STUDENTS,
    ),
)
