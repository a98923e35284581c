"""Where in each LMS something is set, as its English pages name it.

https://docs.moodle.org/405/en/LTI_and_Moodle
https://community.canvaslms.com/t5/Admin-Guide/How-do-I-configure-an-LTI-key-for-an-account/ta-p/140
https://documentation.brightspace.com/EN/integrations/ipsis/LTI%20Advantage/LTI_register_external_learning_tool.htm
https://help.blackboard.com/Learn/Administrator/SaaS/Integrations/Learning_Tools_Interoperability
"""

from collections.abc import Mapping

from series.rule_words import ENGLISH, N_, Words

_SETTINGS: Mapping[str, str] = {  # where the tool is set up, by the product
    "moodle": N_("Site administration > Plugins > Activity modules > External tool > Manage tools"),
    "canvas": N_("Admin > Developer Keys"),
    "brightspace": N_("Admin Tools > Manage Extensibility > LTI Advantage"),
    "blackboard": N_("Administrator Panel > Integrations > LTI Tool Providers"),
    "sakai": N_("Administration Workspace > External Tools"),
}
_GRADE_SERVICE: Mapping[str, str] = {
    "moodle": N_(
        "(the tool) > Edit > Services > IMS LTI Assignment and Grade Services: Use this service for grade sync and"
        " column management"
    ),
    "canvas": N_("Admin > Developer Keys > (the key) > LTI Advantage Services: the four on assignments and scores"),
    "brightspace": N_("(the deployment) > Extensions: Assignment and Grade Services"),
    "blackboard": N_("(the tool) > Edit > Institution Policies > Allow grade service access: Yes"),
    "sakai": N_("(the tool) > Edit > Services: Allow External Tool to return grades and to create grade columns"),
}
_ROSTER_SERVICE: Mapping[str, str] = {
    "moodle": N_(
        "(the tool) > Edit > Services > IMS LTI Names and Role Provisioning: Use this service to retrieve members'"
        " information as per privacy settings"
    ),
    "canvas": N_("Admin > Developer Keys > (the key) > LTI Advantage Services: Can retrieve user data"),
    "brightspace": N_("(the deployment) > Extensions: Names and Role Provisioning Services"),
    "blackboard": N_("(the tool) > Edit > Institution Policies > Allow Membership Service Access: Yes"),
    "sakai": N_("(the tool) > Edit > Services: Provide Roster to External Tool"),
}
_NAMES: Mapping[str, str] = {  # where the LMS is told whether we may know names
    "moodle": N_("(the tool) > Edit > Privacy > Share launcher's name with tool"),
    "canvas": N_("Admin > Developer Keys > (the key) > Privacy Level"),
    "brightspace": N_("(the deployment) > Security Settings: the name of the user"),
    "blackboard": N_("(the tool) > Edit > Institution Policies > User Fields to Send: Name"),
    "sakai": N_("(the tool) > Edit > Privacy Settings: Send User Names to External Tool"),
}
_ANY = {
    "settings": N_("the settings of the tool there"),
    "grades": N_("in the settings of the tool, switch on Assignment and Grade Services"),
    "roster": N_("in the settings of the tool, switch on Names and Role Provisioning Services"),
    "names": N_("in the privacy settings of the tool, share names"),
}
MENUS = {"settings": _SETTINGS, "grades": _GRADE_SERVICE, "roster": _ROSTER_SERVICE, "names": _NAMES}


def menu(name: str, product: str, words: Words = ENGLISH) -> str:
    """Where in a product something is set: settings, grades, roster or names."""
    return words.gettext(MENUS[name].get(product, _ANY[name]))
