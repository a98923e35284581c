"""Cases 94 to 113: browser, state, deployment, target, and the shapes of claims."""

from datetime import timedelta

from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import AGS, INSTITUTION, INSTRUCTOR, claim
from tests.integration.lti.lms import LEARNER as LEARNER_ROLE
from tests.integration.lti.numbered import HOSTILE, SUB_ROLE, case
from tests.integration.lti.sending import (
    after,
    at_a_disabled_platform,
    between,
    by_get,
    claims,
    form,
    in_the_address,
    into_another_login,
    login,
    payload,
    two_browsers,
    without,
)
from tests.integration.lti.sides import (
    BROKE,
    LEARNER,
    LEAST,
    REFUSED,
    SECOND_DEPLOYMENT,
    TEACHER,
    TEACHER_AND_LEARNER,
)
from tests.integration.lti.tool import Login

TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
FOR_USER = {claim("for_user"): {"user_id": "student-5"}}
EVIL = "https://evil.example/lti/launch"
LONG_ID = {"resource_link": {"id": "x" * 256}}


def altered(login: Login) -> str:
    letters = list(login.state)
    letters[40] = "A" if letters[40] != "A" else "B"
    return "".join(letters)


def lms_error(error: str, description: str, *, state: str | None = None) -> dict[str, str]:
    return {"error": error, "error_description": description} | ({"state": state} if state else {})


LOGINS = [
    *case(
        94,
        "browser_changed",
        REFUSED,
        another_browser=two_browsers("from another browser", lambda side, login, other: other.launch(login)),
    ),
    *case(
        94,
        "nonce_wrong",
        REFUSED,
        in_anothers_login=two_browsers("an attacker's token with the victim's own `state`", into_another_login),
    ),
    *case(
        95,
        "state_missing",
        REFUSED,
        none=form("no `state`", lambda login: {"id_token": login.id_token()}),
        empty=form("an empty `state`", lambda login: {"state": "", "id_token": login.id_token()}),
    ),
    *case(
        95,
        "state_invalid",
        REFUSED,
        unknown=form("an unknown `state`", lambda login: {"state": "unknown", "id_token": login.id_token()}),
        altered=form(
            "a `state` with a letter changed", lambda login: {"state": altered(login), "id_token": login.id_token()}
        ),
    ),
    *case(95, LEARNER, REFUSED, seven_minutes=after(timedelta(minutes=7), "7 min after the login")),
    *case(95, "state_expired", REFUSED, expired=after(timedelta(minutes=10, seconds=5), "10 min 5 s after the login")),
    *case(96, "method_not_post", REFUSED, get=by_get),
    *case(96, "state_missing", REFUSED, in_the_address=in_the_address),
    *case(
        97,
        "lms_error",
        REFUSED,
        error=form(
            "`error` in place of a token", lambda login: lms_error("login_required", "Timed out", state=login.state)
        ),
    ),
    *case(97, "state_missing", REFUSED, no_state=form("`error` without `state`", lambda _: lms_error("x", "y"))),
    *case(97, "token_missing", REFUSED, neither=form("neither token nor error", lambda login: {"state": login.state})),
]

DEPLOYMENTS_AND_TARGETS = [
    *case(
        98,
        "deployment_pending",
        REFUSED,
        unknown=login({"lti_deployment_id": None}, then={"deployment_id": "unknown"}),
    ),
    *case(99, "deployment_mismatch", LEARNER, another=claims({"deployment_id": SECOND_DEPLOYMENT})),
    *case(99, LEARNER, LEARNER, second=login({"lti_deployment_id": None}, then={"deployment_id": SECOND_DEPLOYMENT})),
    *case(
        100,
        "platform_disabled",
        BROKE,
        at_login=at_a_disabled_platform,
        at_launch=between("to a platform that was disabled after the login", lambda side: side.disable_malta()),
    ),
    *case(
        100,
        "deployment_disabled",
        REFUSED,
        deployment=between("to a deployment that was disabled after the login", lambda side: side.disable_deployment()),
    ),
    *case(101, "claim_missing", LEARNER, none=without("target_link_uri")),
    *case(
        101,
        "target_not_ours",
        LEARNER,
        elsewhere=claims({"target_link_uri": EVIL}),
        relative=claims({"target_link_uri": "/lti/launch"}),
        script=claims({"target_link_uri": "javascript:alert(1)"}),
        other_than_the_logins=claims({"target_link_uri": f"{PUBLIC_URL}/lti/launch?session=2"}),
        at_login=login({"target_link_uri": EVIL}),
    ),
]

SHAPES = [
    *case(102, "claim_malformed", LEAST, text=claims({"roles": "Instructor"})),
    *case(102, "claim_malformed", TEACHER, object=claims({"roles": {"Instructor": True}})),
    *case(102, "claim_malformed", REFUSED, null=claims({"roles": None})),
    *case(
        102,
        "claim_malformed",
        BROKE,
        numbers=claims({"roles": [1]}),
        nulls=claims({"roles": [None]}),
        lists=claims({"roles": [["Instructor"]]}),
    ),
    *case(
        103,
        "claim_malformed",
        BROKE,
        text=claims({"resource_link": "activity-1"}),
        null=claims({"resource_link": None}),
        list=claims({"resource_link": []}),
    ),
    *case(
        103,
        "claim_malformed",
        REFUSED,
        empty=claims({"resource_link": {}}),
        id_empty=claims({"resource_link": {"id": ""}}),
        id_null=claims({"resource_link": {"id": None}}),
    ),
    *case(
        103,
        "claim_malformed",
        LEARNER,
        id_long=claims(LONG_ID, says="`resource_link.id` of 256 letters"),
        id_number=claims({"resource_link": {"id": 5}}),
    ),
    *case(
        104,
        "claim_malformed",
        LEARNER,
        long=claims({"sub": "x" * 256}, says="`sub` of 256 letters"),
        not_ascii=claims({"sub": "Zoë"}),
    ),
    *case(
        104,
        "claim_malformed",
        REFUSED,
        empty=claims({"sub": ""}),
        null=claims({"sub": None}),
        number=claims({"sub": 5}),
        list=claims({"sub": ["a"]}),
    ),
    *case(104, LEARNER, LEARNER, longest=claims({"sub": "x" * 255}, says="`sub` of 255 letters")),
    *case(
        105,
        "claim_malformed",
        BROKE,
        list=payload(b'["iss"]'),
        number=payload(b"5"),
        null=payload(b"null"),
        text=payload(b'"iss"'),
    ),
    *case(
        105,
        "token_malformed",
        REFUSED,
        empty=payload(b"", says="an empty payload"),
        cut_off=payload(b"{"),
        not_utf_8=payload(b"\xff\xfe", says="a payload that is not UTF-8"),
        text_not_utf_8=payload(b'{"name":"\xff"}', says="a payload with text that is not UTF-8"),
    ),
    *case(
        105,
        "claim_malformed",
        LEARNER,
        context_text=claims({"context": "course-1"}),
        context_without_id=claims({"context": {"title": "no id"}}),
        context_id_number=claims({"context": {"id": 5}}),
        context_id_empty=claims({"context": {"id": ""}}),
        custom_list=claims({claim("custom"): ["a"]}),
        custom_nested=claims({claim("custom"): {"a": {"b": "c"}}}),
        ags_text=claims({AGS: "https://malta.lms.example/lineitems"}),
        ags_scope_text=claims({AGS: {"scope": "score"}}),
        ags_lineitem_number=claims({AGS: {"lineitem": 5}}),
        presentation_text=claims({"launch_presentation": "iframe"}),
        return_url_number=claims({"launch_presentation": {"return_url": 5}}),
    ),
]

ROLES = [
    *case(106, LEARNER, LEARNER, instructor_elsewhere=claims({"roles": [f"{INSTITUTION}Instructor", LEARNER_ROLE]})),
    *case(
        106,
        LEAST,
        LEAST,
        instructor_of_the_institution=claims({"roles": [f"{INSTITUTION}Instructor"]}),
        administrator_of_the_institution=claims({"roles": [f"{INSTITUTION}Administrator"]}),
    ),
    *case(
        107,
        TEACHER,
        TEACHER,
        assistant=claims({"roles": [f"{SUB_ROLE}/Instructor#TeachingAssistant"]}),
        lecturer_and_instructor=claims({"roles": [f"{SUB_ROLE}/Instructor#Lecturer", INSTRUCTOR]}),
    ),
    *case(
        107,
        TEACHER,
        LEAST,
        lecturer=claims({"roles": [f"{SUB_ROLE}/Instructor#Lecturer"]}),
        assistant_as_principal=claims({"roles": [f"{SUB_ROLE}#TeachingAssistant"]}),
    ),
    *case(107, LEARNER, LEAST, guest=claims({"roles": [f"{SUB_ROLE}/Learner#GuestLearner"]})),
    *case(107, LEARNER, TEACHER, learner_who_instructs=claims({"roles": [f"{SUB_ROLE}/Learner#Instructor"]})),
    *case(107, LEARNER, LEARNER, student=claims({"roles": [f"{INSTITUTION}Student"]})),
    *case(107, LEAST, TEACHER, administrator=claims({"roles": [f"{SUB_ROLE}#Administrator"]})),
    *case(107, TEACHER_AND_LEARNER, TEACHER_AND_LEARNER, both=claims({"roles": [INSTRUCTOR, LEARNER_ROLE]})),
    *case(
        108,
        LEAST,
        LEAST,
        mentor=claims({"roles": [f"{SUB_ROLE}#Mentor"], claim("role_scope_mentor"): ["student-5"]}),
    ),
    *case(109, LEARNER, LEARNER, test_user=claims({"roles": [LEARNER_ROLE, TEST_USER]})),
]

MESSAGE_TYPES_AND_TEXT = [
    *case(
        111,
        "message_type_unknown",
        REFUSED,
        proctoring=claims({"message_type": "LtiStartProctoring"}),
        lti_1_1=claims({"message_type": "basic-lti-launch-request"}),
    ),
    *case(
        111,
        "message_type_unknown",
        LEARNER,
        review=claims({"message_type": "LtiSubmissionReviewRequest", **FOR_USER}),
        privacy=claims({"message_type": "DataPrivacyLaunchRequest", **FOR_USER}, without=("resource_link", "context")),
    ),
    *case(
        112,
        LEARNER,
        LEARNER,
        html=claims({"name": HOSTILE, "context": {"id": "1", "title": HOSTILE}}),
    ),
    *case(
        112,
        "lms_error",
        REFUSED,
        html_in_error=form("HTML in `error`", lambda login: lms_error(HOSTILE, HOSTILE, state=login.state)),
    ),
    *case(
        113,
        LEARNER,
        LEARNER,
        script=claims({"launch_presentation": {"return_url": "javascript:alert(1)"}}),
        data=claims({"launch_presentation": {"return_url": "data:text/html,x"}}),
    ),
]

MESSAGES = [*LOGINS, *DEPLOYMENTS_AND_TARGETS, *SHAPES, *ROLES, *MESSAGE_TYPES_AND_TEXT]
