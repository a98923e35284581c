"""The steps of products that are run by their makers, from the pages that their modules in lms/products name, and from

https://documentation.brightspace.com/EN/integrations/ipsis/LTI%20Advantage/LTI_register_external_learning_tool.htm
https://docs.anthology.com/docs/blackboard/lti/1.3/register-an-application
https://community.canvaslms.com/docs/DOC-16730-42141110273
"""

from flask_babel import lazy_gettext

from lti_tool.pages.register_step_words import DEPLOYMENT, SPEC_THEIRS, STUDENTS, TEACHER, ProductSteps

CANVAS = ProductSteps(
    name=lazy_gettext("Canvas"),
    begin=(
        lazy_gettext("Sign in to Canvas as administrator of the root account and open Admin > your account > Apps."),
        lazy_gettext(
            "Choose Manage > “Install a New App”, install type “LTI 1.3”, install method “Dynamic Registration”."
        ),
        lazy_gettext("Paste the link below as “Dynamic Registration URL” and continue."),
        lazy_gettext("Our page opens inside Canvas. Look at what we ask for, press its one button, and close it."),
        lazy_gettext("Canvas shows the permissions, placements and privacy once more: confirm them as they are."),
    ),
    by_hand=(
        lazy_gettext("Open Admin > your account > Developer Keys, and choose “+ Developer Key” > “+ LTI Key”."),
        lazy_gettext("As method choose “Enter URL”, and paste the JSON URL below; the redirect URI is below, too."),
        lazy_gettext("Save, and switch the key's state to “On”. The number in its Details column is the client id."),
        lazy_gettext(
            "Open Settings > Apps > View App Configurations > “+ App”, choose “By Client ID”, and enter that number."
        ),
        lazy_gettext("The cog of the new app has its “Deployment Id”."),
    ),
    our_fields={
        "json": lazy_gettext("JSON URL"),
        "redirect": lazy_gettext("Redirect URIs"),
        "target": lazy_gettext("Target Link URI"),
        "login": lazy_gettext("OpenID Connect Initiation Url"),
        "keys": lazy_gettext("Public JWK URL"),
    },
    their_fields=SPEC_THEIRS,
    after=(
        lazy_gettext("Confirm the registration in Canvas and choose “Install & Enable”, if it has not been done yet."),
        lazy_gettext(
            "Leave all permissions on, and the privacy as it is: what is taken away there does not work here."
        ),
        lazy_gettext("Teachers add it as an assignment: Submission Type “External Tool” > Find > Shared Sessions."),
        DEPLOYMENT,
        STUDENTS,
    ),
)
BRIGHTSPACE = ProductSteps(
    name=lazy_gettext("Brightspace"),
    begin=(
        lazy_gettext("Open Admin Tools > Manage Extensibility > LTI Advantage, and choose “Register Tool”."),
        lazy_gettext(
            "Choose “Dynamic”, paste the link below as tool initiation registration endpoint, and “Register”."
        ),
        lazy_gettext("Our page opens in a new tab. Look at what we ask for, and press its one button."),
    ),
    by_hand=(
        lazy_gettext("Open Admin Tools > Manage Extensibility > LTI Advantage > “Register Tool” > “Standard”."),
        lazy_gettext(
            "Enter our addresses below, and switch on all three extensions: grades, deep linking, names and roles."
        ),
        lazy_gettext("Under Roles, switch on “Send Institution Role” only if you want to; we do not need it."),
        lazy_gettext("Register. The page that follows has what our form asks for."),
    ),
    our_fields={
        "domain": lazy_gettext("Domain"),
        "redirect": lazy_gettext("Redirect URLs"),
        "login": lazy_gettext("OpenID Connect Login URL"),
        "target": lazy_gettext("Target Link URI"),
        "keys": lazy_gettext("Keyset URL"),
        "custom": lazy_gettext("Custom Parameters"),
    },
    their_fields=SPEC_THEIRS
    | {
        "issuer": lazy_gettext("Issuer"),
        "authorization_endpoint": lazy_gettext("OpenID Connect Authentication Endpoint"),
        "token_endpoint": lazy_gettext("Brightspace OAuth2 Access Token URL"),
        "jwks_uri": lazy_gettext("Brightspace Keyset URL"),
        "token_audience": lazy_gettext("Brightspace OAuth2 Audience"),
    },
    after=(
        lazy_gettext(
            "Open Manage Extensibility > LTI Advantage > Shared Sessions, and switch the registration to “Enabled”."
        ),
        lazy_gettext(
            "Choose “View Deployments” > “New Deployment”: enabled, with all three extensions, and in the security "
            "settings the names, unless your university does not pass them on. Add the org units that shall use it."
        ),
        DEPLOYMENT,
        lazy_gettext("For each role that gets grades, “Can be graded in Grades” must be on."),
        TEACHER,
    ),
)
BLACKBOARD = ProductSteps(
    name=lazy_gettext("Blackboard"),
    begin=(
        lazy_gettext("Sign in to the developer portal, developer.blackboard.com (or developer.anthology.com)."),
        lazy_gettext("Choose “LTI Dynamic Registration” and paste the link below."),
        lazy_gettext("Our page opens. Look at what we ask for, and press its one button."),
    ),
    by_hand=(
        lazy_gettext("Sign in to the developer portal, and choose “Register a REST or LTI application”."),
        lazy_gettext(
            "Switch on “My Integration supports LTI 1.3”, and enter our addresses below; the algorithm is RS256."
        ),
        lazy_gettext(
            "Register the application. The Application ID is the client id; the page has the other addresses."
        ),
        lazy_gettext(
            "In Blackboard: Administrator Panel > LTI Tool Providers > “Register LTI 1.3/Advantage Tool”, with "
            "the client id."
        ),
        lazy_gettext("Submit, and edit the tool there: it shows the Deployment ID."),
    ),
    our_fields={
        "domain": lazy_gettext("Domain(s)"),
        "login": lazy_gettext("Login Initiation URL"),
        "redirect": lazy_gettext("Tool Redirect URL(s)"),
        "keys": lazy_gettext("Tool JWKS URL"),
        "target": lazy_gettext("Target Link URI of the placement"),
        "custom": lazy_gettext("Custom parameters"),
    },
    their_fields=SPEC_THEIRS
    | {
        "issuer": lazy_gettext("Issuer"),
        "client_id": lazy_gettext("Application ID (client id)"),
        "authorization_endpoint": lazy_gettext("OIDC auth request endpoint"),
        "token_endpoint": lazy_gettext("Auth token endpoint"),
    },
    after=(
        lazy_gettext(
            "In Blackboard, open Administrator Panel > Integrations > LTI Tool Providers > “Register LTI "
            "1.3/Advantage Tool”."
        ),
        lazy_gettext("Enter the client id below, submit, and set Tool Status to “Approved”."),
        lazy_gettext(
            "Under User Fields to be sent choose role and name (no e-mail address), and allow grade service access and "
            "membership service access."
        ),
        DEPLOYMENT,
        lazy_gettext("Under “Manage Placements”, there must be one of the type “Deep Linking content tool”."),
        TEACHER,
    ),
)
