"""How every table with personal data leads to people: what the list of whom a breach touches is made of.

Each personal column of the data map is named here once, and a new one that is not fails a test
(tests/integration/privacy/test_breach_reach.py): so nobody is left out of the list by forgetting.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from series.store import tables as t
from series.store.course_collects import refused_subs
from series.store.held_completions import subs_held_of
from series.store.lms_tables import (
    host_invitation,
    host_request,
    join_link_change,
    lms_invitation,
    platform_check,
    round_answer,
    staff_binding,
)
from series.store.moodle_tables import (
    activity_state,
    announcement,
    course_collect,
    mapped_activity,
    moodle_account,
    staff_notice,
)
from series.store.pooled_tables import course_audience
from series.store.privacy_tables import deletion_certificate, transfer_code, transfer_instrument
from series.store.rosters import subs_held_back

SubsIn = Callable[[str], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How rows of one table lead to people. `held`: what that is, for the list.

    Names of columns, blanks between. By numbers of ours: `people`, `staff`. As in the audit: `actors`, `details`. By
    numbers in the LMS of the row's course: `members`, and `lists` of them in JSON. By numbers at `issuer`: `accounts`.
    Of whom only a name is known, of the university that hosts the row's session: `names`. `texts` may name anybody.
    `more` tells more of the same people, and leads to nobody else.

    `at`: when it was written, and `read_at`: when it was last compared with the LMS, the latest counts. Where all of
    them are empty nobody can say when it was, and no moment leaves the person out.
    """

    table: sa.Table
    held: str
    people: str = ""
    staff: str = ""
    actors: str = ""
    details: str = ""
    members: str = ""
    lists: Mapping[str, SubsIn] = field(default_factory=dict)
    accounts: str = ""
    issuer: sa.Column[str] | None = None
    names: str = ""
    texts: str = ""
    at: str = ""
    read_at: tuple[sa.Column[object], ...] = ()
    more: str = ""

    @property
    def columns(self) -> list[str]:
        """All that are named here."""
        by_name = (self.people, self.staff, self.actors, self.details, self.members, self.accounts, self.names)
        return [*" ".join((*by_name, self.texts, self.at, self.more)).split(), *self.lists]


_OF_ROSTER = (t.course_roster.c.read_at, t.course_roster.c.held_at)
_OF_READING = (course_collect.c.read_at, course_collect.c.all_read_at, course_collect.c.held_at)
DID = "who did what"

_TAKES_PART = (
    Reach(
        table=t.participant,
        held="number in the LMS",
        people="id",
        at="created_at objected_at",
        more="issuer sub university_id feed_generation",
    ),
    Reach(
        table=t.membership,
        held="place in a course",
        people="participant_id",
        at="launched_at",
        more="placement_id is_learner",
    ),
    Reach(
        table=t.visit,
        held="visits",
        people="participant_id",
        at="opened_at",
        more="id proof_hash placement_id return_url is_teacher is_learner is_test_user is_administrator locale"
        " expires_at",
    ),
    Reach(
        table=t.evidence,
        held="what counts",
        people="participant_id",
        actors="recorded_by",
        at="observed_at recorded_at",
        more="id retracts_evidence_id source_id session_id kind source amount reason",
    ),
    Reach(
        table=t.completion,
        held="completions",
        people="participant_id",
        at="completed_at",
        more="session_id university_id by_recording",
    ),
    Reach(table=t.excuse, held="excuses", people="participant_id", more="session_id"),
    Reach(
        table=t.reflection,
        held="reflections",
        people="participant_id",
        at="saved_at handed_in_at read_at returned_at",
        more="evidence_id session_id comment text state",
    ),
    Reach(
        table=t.objection,
        held="objections",
        people="participant_id",
        actors="answered_by",
        at="raised_at answered_at",
        more="id course_id series_id session_id text answer",
    ),
    Reach(
        table=t.delivery,
        held="grades",
        people="participant_id",
        at="score_at created_at delivered_at trying_since",
        more="id placement_id line_item_url score_given score_maximum version state in_flight attempts next_attempt_at"
        " outcome was_refused",
    ),
    Reach(
        table=t.more_time,
        held="more time for a code",
        people="participant_id",
        at="asked_at",
        more="check_in_id",
    ),
    Reach(
        table=transfer_code,
        held="code to move the progress",
        people="participant_id",
        at="created_at",
        more="id expires_at",
    ),
)
_IN_LISTS = (
    Reach(
        table=t.roster_member,
        held="list of the course",
        members="sub",
        at="gone_at",
        read_at=_OF_ROSTER,
        more="course_id is_learner is_suspended",
    ),
    Reach(
        table=t.course_roster,
        held="list of the course that was held back",
        lists={"held": subs_held_back},
        at="held_at",
        read_at=_OF_ROSTER,
    ),
    Reach(
        table=activity_state,
        held="activities in the LMS",
        members="sub said_by",
        at="changed_at taken_at",
        read_at=_OF_READING,
        more="evidence_id course_id cmid session_id source is_complete",
    ),
    Reach(
        table=course_collect,
        held="activities that are asked about again, or held back",
        lists={"refused": refused_subs, "held": subs_held_of},
        at="held_at",
        read_at=_OF_READING,
        more="results",
    ),
)
_HOSTS = (
    Reach(table=t.session_host, held="host of a session", people="participant_id", more="session_id"),
    Reach(
        table=host_request,
        held="asked to host a session",
        people="participant_id",
        actors="decided_by",
        at="asked_at decided_at",
        more="session_id course_id state",
    ),
    Reach(
        table=host_invitation,
        held="invitation to host a session",
        people="participant_id",
        names="label",
        actors="created_by",
        at="created_at revoked_at used_at",
        more="id session_id used_as expires_at",
    ),
    Reach(table=t.check_in, held="opened a check-in", people="opened_by_participant_id", at="opens_at", more="reason"),
    Reach(
        table=t.session,
        held="name in the public plan",
        names="speakers co_hosts",
        at="updated_at",
        more="title description",
    ),
)
_STAFF = (
    Reach(
        table=t.staff,
        held="name; e-mail address; hash of the password",
        staff="id",
        at="created_at signed_in_at digest_at",
        more="name email role university_id password_hash wants_mail state epoch tries",
    ),
    Reach(
        table=t.staff_session,
        held="sign-ins",
        staff="staff_id",
        at="created_at seen_at seen_before_at",
        more="id expires_at epoch",
    ),
    Reach(table=t.staff_link, held="link to choose a password", staff="staff_id", more="id expires_at"),
    Reach(table=staff_notice, held="what waits for them", staff="staff_id", at="since_at mailed_at", more="key"),
    Reach(
        table=staff_binding,
        held="number in the LMS tied to the account",
        people="participant_id",
        staff="staff_id",
        at="bound_at",
    ),
    Reach(
        table=t.moodle_connection,
        held="account of web services",
        accounts="moodle_user_id",
        issuer=t.moodle_connection.c.base_url,
        at="connected_at",
    ),
    Reach(
        table=moodle_account,
        held="account of web services, used before",
        accounts="user_id",
        issuer=moodle_account.c.base_url,
    ),
    Reach(
        table=platform_check,
        held="student of a test",
        accounts="test_user",
        issuer=t.platform.c.issuer,
        at="asked_at began_at checked_at",
    ),
)
_ACTS = (
    Reach(
        table=t.audit,
        held="audit log",
        actors="actor object",
        details="detail",
        at="at",
        more="id action actor_commitment object_commitment detail_commitment",
    ),
    *(
        Reach(table=table, held=DID, actors="set_by", at="set_at")
        for table in (t.course_count, course_audience, t.rule_version)
    ),
    Reach(table=mapped_activity, held=DID, actors="mapped_by", at="mapped_at"),
    Reach(table=announcement, held=DID, actors="set_by", at="made_at done_at"),
    Reach(table=round_answer, held=DID, actors="answered_by", at="answered_at"),
    Reach(table=join_link_change, held=DID, actors="changed_by", at="changed_at"),
    Reach(table=lms_invitation, held=DID, actors="created_by", at="created_at"),
    Reach(table=transfer_instrument, held=DID, actors="recorded_by", at="recorded_at"),
    Reach(table=deletion_certificate, held=DID, actors="deleted_by", at="deleted_at"),
    Reach(table=t.uploaded_table, held="uploaded plan", texts="name body", at="uploaded_at"),
    Reach(table=t.held_plan, held="plan held back", texts="plan apart sessions_before", at="held_at"),
)
REACHES = (*_TAKES_PART, *_IN_LISTS, *_HOSTS, *_STAFF, *_ACTS)
NO_WAY: Mapping[str, str] = {  # tables with personal data that lead to nobody, and why
    "audit_salt": "whoever has one is a participant, whom the audit names by the same number",
    "erased_person": "an erased person: only whoever asks about a certain number, and has our key, could tell",
    "rate_limit": "gone after minutes, and the number in it is that of a participant or of staff",
    "spent_nonce": "gone after minutes, and what it opened is a visit",
}
