"""Cases 1 to 33: the conformance suite's bad payloads, and the launches that every tool must accept."""

from tests.integration.lti.forged import without_kid
from tests.integration.lti.lms import AGS, INSTITUTION, INSTRUCTOR
from tests.integration.lti.lms import LEARNER as LEARNER_ROLE
from tests.integration.lti.numbered import NAMES, NumberedLaunch, case
from tests.integration.lti.sending import claims, header, payload, token, without
from tests.integration.lti.sides import LEARNER, LEAST, REFUSED, TEACHER

UNKNOWN_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"


def valid_launches(first: int, role: str, rights: str) -> list[NumberedLaunch]:
    """The ten shapes of section B, which section C repeats for students."""
    shapes = {
        "one_role": (rights, claims({"roles": [role]})),
        "institution_roles_too": (rights, claims({"roles": [role, f"{INSTITUTION}Staff", f"{INSTITUTION}Other"]})),
        "short_role": (rights, claims({"roles": [role.rpartition("#")[2]]})),
        "unknown_role": (LEAST, claims({"roles": [UNKNOWN_ROLE]})),
        "no_role": (LEAST, claims({"roles": []})),
        "email_only": (rights, claims({"roles": [role]}, without=NAMES)),
        "names_only": (rights, claims({"roles": [role]}, without=("email",))),
        "nothing_personal": (rights, claims({"roles": [role]}, without=(*NAMES, "email"))),
        "email_and_no_context": (rights, claims({"roles": [role]}, without=(*NAMES, "context"))),
        "link_never_seen": (rights, claims({"roles": [role], "resource_link": {"id": "never-seen"}})),
    }
    return [
        launch
        for number, (name, (expected, sent)) in enumerate(shapes.items(), first)
        for launch in case(number, expected, expected, **{name: sent})
    ]


SUITE = [
    *case(
        1,
        "key_id_missing",
        REFUSED,
        no_kid=token("no `kid` in the header", without_kid),
        kid_empty=header({"kid": ""}),
        kid_number=header({"kid": 5}),
        kid_null=header({"kid": None}),
        kid_list=header({"kid": ["key-of-malta"]}),
    ),
    *case(2, "key_unknown", REFUSED, unknown_kid=header({"kid": "another"})),
    *case(
        3,
        "version_wrong",
        REFUSED,
        version_11_3=claims({"version": "11.3"}),
        version_1_2_0=claims({"version": "1.2.0"}),
        version_not_1_3=claims({"version": "not-1.3"}),
        version_1_3=claims({"version": "1.3"}),
    ),
    *case(4, "claim_missing", REFUSED, no_version=without("version")),
    *case(5, "claim_missing", REFUSED, no_lti_message=payload(b'{"name": "badltilaunch"}')),
    *case(6, "claim_missing", REFUSED, several_missing=without("message_type", "version", "roles")),
    *case(7, "token_expired", REFUSED, long_ago=claims({"iat": 11111, "exp": 22222})),
    *case(8, "claim_missing", REFUSED, no_message_type=without("message_type")),
    *case(9, "claim_missing", REFUSED, no_roles=without("roles")),
    *case(10, "claim_missing", REFUSED, no_deployment_id=without("deployment_id")),
    *case(11, "claim_missing", REFUSED, no_resource_link=without("resource_link")),
    *case(11, "claim_malformed", REFUSED, no_id_in_it=claims({"resource_link": {"title": "The series"}})),
    *case(12, "claim_missing", REFUSED, no_sub=without("sub")),
    *valid_launches(13, INSTRUCTOR, TEACHER),
    *case(17, LEAST, LEAST, role_empty=claims({"roles": [""]})),
    *valid_launches(23, LEARNER_ROLE, LEARNER),
    *case(
        33,
        LEARNER,
        LEARNER,
        link_id_alone=claims(
            {"resource_link": {"id": "7"}}, without=(*NAMES, "email", "context", "launch_presentation", AGS)
        ),
    ),
]
