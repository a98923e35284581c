"""The data map, third part: the staff, and who has set or done what; as series.data_map."""

from series.data_map_kinds import Category as What
from series.data_map_kinds import Holding, Whose
from series.retention import Kept
from series.rule_words import N_

_BY_PERSON = N_("the person")
_COORDINATORS = N_("the coordinators, and the person")
_OPERATOR = N_("nobody on a page; the operator of the installation could")
_BY_ACT = N_("what the person did here")


def _set_in(table: str, purpose: str, columns: str, seen_by: str, kept: Kept = Kept.SET_UP) -> Holding:
    """Who has set something: only an id of ours, such as `participant 7` or `staff 2`."""
    by = " ".join(name for name in columns.split() if name.endswith("_by"))
    at = " ".join(name for name in columns.split() if name.endswith("_at"))
    return Holding(
        table=table,
        whose=Whose.ACTED,
        purpose=purpose,
        source=_BY_ACT,
        seen_by=seen_by,
        kept=kept,
        columns={What.ACT: by, What.TIME: at},
    )


_ACCOUNTS = (
    Holding(
        table="staff",
        whose=Whose.STAFF,
        purpose=N_("let coordinators and LMS administrators sign in, and reach them"),
        source=N_("the coordinator who invited them, or the operator"),
        seen_by=_COORDINATORS,
        kept=Kept.STAFF,
        columns={
            What.NUMBER: "id",
            What.NAME: "name",
            What.CONTACT: "email",
            What.ROLE: "role",
            What.WHERE: "university_id",
            What.PROOF: "password_hash",
            What.CHOICE: "wants_mail",
            What.TIME: "created_at signed_in_at digest_at",
            What.TECHNICAL: "state epoch tries",
        },
    ),
    Holding(
        table="staff_session",
        whose=Whose.STAFF,
        purpose=N_("keep somebody of the staff signed in, and sign them out in time"),
        source=_BY_PERSON,
        seen_by=_OPERATOR,
        kept=Kept.SIGN_IN,
        columns={
            What.PROOF: "id",
            What.NUMBER: "staff_id",
            What.TIME: "created_at seen_at expires_at seen_before_at",
            What.TECHNICAL: "epoch",
        },
    ),
    Holding(
        table="staff_link",
        whose=Whose.STAFF,
        purpose=N_("let somebody choose a password, once"),
        source=N_("the coordinator or the operator"),
        seen_by=_OPERATOR,
        kept=Kept.STAFF_LINK,
        columns={What.PROOF: "id", What.NUMBER: "staff_id", What.TIME: "expires_at"},
    ),
    Holding(
        table="staff_notice",
        whose=Whose.STAFF,
        purpose=N_("tell staff by mail what waits for them, once"),
        source=N_("what waits"),
        seen_by=_OPERATOR,
        kept=Kept.STAFF,
        columns={What.NUMBER: "staff_id", What.TECHNICAL: "key", What.TIME: "since_at mailed_at"},
    ),
    Holding(
        table="staff_binding",
        whose=Whose.STAFF,
        purpose=N_("let an LMS administrator come to the staff pages from the LMS"),
        source=_BY_PERSON,
        seen_by=_COORDINATORS,
        kept=Kept.STAFF,
        columns={What.NUMBER: "participant_id staff_id", What.TIME: "bound_at"},
    ),
    Holding(
        table="moodle_connection",
        whose=Whose.STAFF,
        purpose=N_("know by which account the university's Moodle is written and read"),
        source=N_("the university's Moodle"),
        seen_by=N_("the university's LMS administrators and the coordinators"),
        kept=Kept.SET_UP,
        columns={What.NUMBER: "moodle_user_id"},
    ),
    Holding(
        table="moodle_account",
        whose=Whose.STAFF,
        purpose=N_("find again the calendar entries that were made by an account used before"),
        source=N_("the university's Moodle"),
        seen_by=_OPERATOR,
        kept=Kept.SET_UP,
        columns={What.NUMBER: "user_id"},
    ),
    Holding(
        table="platform_check",
        whose=Whose.STAFF,
        purpose=N_("send a test grade to a test student of the LMS, and read it back"),
        source=N_("the university's LMS administrator"),
        seen_by=N_("the university's LMS administrators and the coordinators"),
        kept=Kept.SET_UP,
        columns={What.NUMBER: "test_user"},
    ),
)

_COURSE = N_("the instructors of the course")
_ACTS = (
    Holding(
        table="audit",
        whose=Whose.ACTED,
        purpose=N_("show who saw, changed and exported what about whom, and prove that the list is whole"),
        source=_BY_ACT,
        seen_by=N_(
            "the coordinators: staff by name, others as ids; the person, who looked at their data, without names"
        ),
        kept=Kept.AUDIT,
        columns={
            What.NUMBER: "id object",
            What.ACT: "actor action",
            What.CODED: "actor_commitment object_commitment detail_commitment",
            What.WRITING: "detail",
            What.TIME: "at",
        },
    ),
    _set_in("course_count", N_("know who has set how many sessions a course demands"), "set_by set_at", _COURSE),
    _set_in("course_audience", N_("know who has said whom a course teaches"), "set_by set_at", _COURSE),
    _set_in("mapped_activity", N_("know who has chosen an activity that counts"), "mapped_by mapped_at", _COURSE),
    _set_in("announcement", N_("know who has dealt with an announcement"), "set_by", _COURSE),
    _set_in("round_answer", N_("know who has answered for a course"), "answered_by answered_at", _COURSE),
    _set_in(
        "rule_version",
        N_("know who has set what counts"),
        "set_by set_at",
        N_("the coordinators, as an id; the rule: all"),
    ),
    _set_in(
        "join_link_change",
        N_("know who has changed where people meet: such a link is worth stealing"),
        "changed_by changed_at",
        N_("the hosts of the session and the coordinators"),
        Kept.HOSTING,
    ),
    _set_in(
        "lms_invitation",
        N_("know who has invited a university to register its LMS"),
        "created_by created_at",
        N_("the university's LMS administrators and the coordinators"),
        Kept.INVITATION,
    ),
    _set_in(
        "transfer_instrument",
        N_("know who has recorded the contract that lets named data cross a border"),
        "recorded_by recorded_at",
        N_("the coordinators"),
        Kept.PROOF,
    ),
    _set_in(
        "deletion_certificate",
        N_("know who has had the data of a university deleted"),
        "deleted_by deleted_at",
        N_("the coordinators, and whoever has the certificate"),
        Kept.PROOF,
    ),
    Holding(
        table="uploaded_table",
        whose=Whose.SPEAKS,
        purpose=N_("read a plan that a coordinator has uploaded; it may name hosts and speakers"),
        source=N_("the coordinators"),
        seen_by=_OPERATOR,
        kept=Kept.UPLOAD,
        columns={What.WRITING: "name body", What.TIME: "uploaded_at"},
    ),
    Holding(
        table="held_plan",
        whose=Whose.SPEAKS,
        purpose=N_("show a coordinator what a calendar would change; it may name hosts and speakers"),
        source=N_("the calendar of the series"),
        seen_by=N_("the coordinators"),
        kept=Kept.SET_UP,
        columns={What.WRITING: "plan apart sessions_before"},
    ),
)

OF_STAFF = (*_ACCOUNTS, *_ACTS)
