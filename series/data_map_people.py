"""The data map, first part: about those who take part; as series.data_map."""

from series.data_map_kinds import Category as What
from series.data_map_kinds import Holding, Whose
from series.retention import Kept
from series.rule_words import N_

_BY_LAUNCH = N_("the launch from the university's LMS")
_BY_ROSTER = N_("the roster of the course, read from the LMS")
_BY_MOODLE = N_("the university's Moodle, read by web service")
_BY_PERSON = N_("the person")
_OWN_AND_TEACHERS = N_("the person, and the instructors of the own course")
_OPERATOR = N_("nobody on a page; the operator of the installation could")

_KNOWN_BY = (
    Holding(
        table="participant",
        whose=Whose.LAUNCHES,
        purpose=N_("know the same person again at the next launch, without a name or an e-mail address"),
        source=_BY_LAUNCH,
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.PARTICIPATION,
        columns={
            What.NUMBER: "id issuer sub",
            What.WHERE: "university_id",
            What.TIME: "created_at",
            What.CHOICE: "objected_at",
            What.TECHNICAL: "feed_generation",
        },
    ),
    Holding(
        table="membership",
        whose=Whose.LAUNCHES,
        purpose=N_("know in which course somebody takes part, and where a grade goes"),
        source=N_("the launch, or the roster of the course"),
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.PARTICIPATION,
        columns={
            What.NUMBER: "participant_id",
            What.WHERE: "placement_id",
            What.ROLE: "is_learner",
            What.TIME: "launched_at",
        },
    ),
    Holding(
        table="roster_member",
        whose=Whose.TAKES_PART,
        purpose=N_("show instructors who of the own course has not begun yet; grades to those only who are in it"),
        source=_BY_ROSTER,
        seen_by=N_("the instructors of the own course"),
        kept=Kept.ROSTER,
        columns={
            What.NUMBER: "sub",
            What.WHERE: "course_id",
            What.ROLE: "is_learner is_suspended",
            What.TIME: "gone_at",
        },
    ),
    Holding(
        table="course_roster",
        whose=Whose.TAKES_PART,
        purpose=N_("keep a roster back that has lost suspiciously many people, until somebody has looked"),
        source=_BY_ROSTER,
        seen_by=N_("the instructors of the own course"),
        kept=Kept.HELD,
        columns={What.NUMBER: "held", What.TIME: "held_at"},
    ),
    Holding(
        table="visit",
        whose=Whose.LAUNCHES,
        purpose=N_("keep the page open that a launch has opened, for twelve hours"),
        source=_BY_LAUNCH,
        seen_by=_OPERATOR,
        kept=Kept.VISIT,
        columns={
            What.NUMBER: "id participant_id",
            What.PROOF: "proof_hash",
            What.WHERE: "placement_id return_url",
            What.ROLE: "is_teacher is_learner is_test_user is_administrator",
            What.CHOICE: "locale",
            What.TIME: "opened_at expires_at",
        },
    ),
    Holding(
        table="rate_limit",
        whose=Whose.LAUNCHES,
        purpose=N_("limit how often one may try"),
        source=_BY_PERSON,
        seen_by=_OPERATOR,
        kept=Kept.ONCE,
        columns={What.NUMBER: "key", What.TIME: "full_at_s"},
    ),
    Holding(
        table="spent_nonce",
        whose=Whose.LAUNCHES,
        purpose=N_("let each launch and each ticket be used once"),
        source=_BY_LAUNCH,
        seen_by=_OPERATOR,
        kept=Kept.ONCE,
        columns={What.CODED: "nonce", What.NUMBER: "visit_id", What.TIME: "expires_at"},
    ),
)

_WHAT_COUNTS = (
    Holding(
        table="evidence",
        whose=Whose.TAKES_PART,
        purpose=N_("know what counts for whom, and be able to say why"),
        source=N_("the person, the meeting's report, the instructors, or the university's Moodle, as its source says"),
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.COMPLETION,
        columns={
            What.NUMBER: "id participant_id retracts_evidence_id source_id",
            What.WHERE: "session_id",
            What.TAKING_PART: "kind source amount",
            What.TIME: "observed_at recorded_at",
            What.ACT: "recorded_by",
            What.WRITING: "reason",
        },
    ),
    Holding(
        table="completion",
        whose=Whose.TAKES_PART,
        purpose=N_("know which sessions somebody has completed"),
        source=N_("worked out from the evidence by the rule of the series"),
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.COMPLETION,
        columns={
            What.NUMBER: "participant_id",
            What.WHERE: "session_id university_id",
            What.TAKING_PART: "by_recording",
            What.TIME: "completed_at",
        },
    ),
    Holding(
        table="excuse",
        whose=Whose.TAKES_PART,
        purpose=N_("leave a session out of somebody's count"),
        source=N_("worked out from what instructors have said"),
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.COMPLETION,
        columns={What.NUMBER: "participant_id", What.WHERE: "session_id"},
    ),
    Holding(
        table="reflection",
        whose=Whose.TAKES_PART,
        purpose=N_("let instructors read what was written about a session, and count it"),
        source=N_("the person; the comment: the instructors"),
        seen_by=N_("the person; once handed in, the instructors of the own course"),
        kept=Kept.REFLECTION,
        columns={
            What.NUMBER: "participant_id evidence_id",
            What.WHERE: "session_id",
            What.WRITING: "comment",
            What.TIME: "handed_in_at read_at returned_at",
        },
    ),
    Holding(
        table="reflection",
        whose=Whose.TAKES_PART,
        purpose=N_("keep a draft until it is handed in; from then on it is kept like what was handed in"),
        source=_BY_PERSON,
        seen_by=N_("the person; once handed in, the instructors of the own course"),
        kept=Kept.DRAFT,
        columns={What.WRITING: "text", What.TECHNICAL: "state", What.TIME: "saved_at"},
    ),
    Holding(
        table="objection",
        whose=Whose.TAKES_PART,
        purpose=N_("let somebody say that their record is wrong, and answer them"),
        source=N_("the person; the answer: the instructors"),
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.COMPLETION,
        columns={
            What.NUMBER: "id participant_id",
            What.WHERE: "course_id series_id session_id",
            What.WRITING: "text answer",
            What.ACT: "answered_by",
            What.TIME: "raised_at answered_at",
        },
    ),
    Holding(
        table="delivery",
        whose=Whose.TAKES_PART,
        purpose=N_("send the grade into the university's own gradebook, once and right"),
        source=N_("worked out from the completions"),
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.COMPLETION,
        columns={
            What.NUMBER: "id participant_id",
            What.WHERE: "placement_id line_item_url",
            What.GRADE: "score_given score_maximum",
            What.TIME: "score_at created_at delivered_at",
            What.TECHNICAL: "version state in_flight attempts next_attempt_at outcome was_refused trying_since",
        },
    ),
    Holding(
        table="activity_state",
        whose=Whose.TAKES_PART,
        purpose=N_("count activities of the LMS that an instructor has chosen for a session"),
        source=_BY_MOODLE,
        seen_by=_OWN_AND_TEACHERS,
        kept=Kept.ACTIVITY,
        columns={
            What.NUMBER: "sub evidence_id",
            What.WHERE: "course_id cmid session_id",
            What.TAKING_PART: "source is_complete",
            What.TIME: "changed_at taken_at",
            What.ACT: "said_by",
        },
    ),
    Holding(
        table="course_collect",
        whose=Whose.TAKES_PART,
        purpose=N_("ask again about those of whom Moodle told nothing; hold back what was taken back for too many"),
        source=_BY_MOODLE,
        seen_by=N_("the instructors of the own course, as numbers"),
        kept=Kept.HELD,
        columns={What.NUMBER: "refused held", What.GRADE: "results", What.TIME: "held_at"},
    ),
    Holding(
        table="more_time",
        whose=Whose.TAKES_PART,
        purpose=N_("give those more time for the check-in code who need it"),
        source=_BY_PERSON,
        seen_by=_BY_PERSON,
        kept=Kept.ATTENDANCE,
        columns={What.NUMBER: "participant_id", What.WHERE: "check_in_id", What.TIME: "asked_at"},
    ),
)

_RIGHTS = (
    Holding(
        table="transfer_code",
        whose=Whose.TAKES_PART,
        purpose=N_("move one's progress to another account of the same person"),
        source=_BY_PERSON,
        seen_by=_BY_PERSON,
        kept=Kept.TRANSFER,
        columns={What.PROOF: "id", What.NUMBER: "participant_id", What.TIME: "created_at expires_at"},
    ),
    Holding(
        table="erased_person",
        whose=Whose.TAKES_PART,
        purpose=N_("not take somebody in again who was erased"),
        source=N_("the erasure"),
        seen_by=_OPERATOR,
        kept=Kept.TOMBSTONE,
        columns={What.CODED: "pseudonym", What.WHERE: "university_id", What.TIME: "erased_at"},
    ),
    Holding(
        table="audit_salt",
        whose=Whose.LAUNCHES,
        purpose=N_("tie a person to lines of the audit log, until they are erased"),
        source=N_("chance"),
        seen_by=_OPERATOR,
        kept=Kept.AUDIT,
        columns={What.NUMBER: "participant_id", What.PROOF: "salt"},
    ),
)

OF_PEOPLE = (*_KNOWN_BY, *_WHAT_COUNTS, *_RIGHTS)
