"""All tables. Instants are aware UTC; secrets are sealed; evidence and audit are only ever appended."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC instant. SQLite keeps it without a zone, so it is given back its own at the door."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only a plain INTEGER key


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def index_where_set(name: str) -> Index:
    """Of a column that points to evidence: by it, the database asks whether anything does, for each row that goes."""
    is_set = sa.text(f"{name} IS NOT NULL")
    return Index(None, name, sqlite_where=is_set, postgresql_where=is_set)


def _ref(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, ForeignKey(target), nullable=nullable)


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="only_one"), primary_key=True),
    Column("installation_id", Uuid, nullable=False),
)

university = Table(
    "university",
    metadata,
    _id(),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("country", String(2), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("language", String(16), nullable=False),
    Column("left_at", Instant),  # takes part no longer since
)

platform = Table(
    "platform",
    metadata,
    _id(),
    Column("slug", String(64), nullable=False, unique=True),
    _ref("university_id", "university.id"),
    Column("issuer", String(255), nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("authorization_endpoint", Text, nullable=False),
    Column("token_endpoint", Text, nullable=False),
    Column("jwks_uri", Text, nullable=False),
    Column("token_audience", Text),
    Column(
        "product", String(16), nullable=False, server_default="generic"
    ),  # lms.products.Product: whose quirks it has
    Column("state", String(16), nullable=False),  # active, disabled; pending, rejected: not approved
    _ref("succeeds_platform_id", "platform.id", nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("granted_scopes", Text),  # as its registration answered, blanks between; none: it was not asked
    Column("lms_version", String(64)),  # as it says itself
    UniqueConstraint("issuer", "client_id"),
)

platform_key_set = Table(
    "platform_key_set",
    metadata,
    Column("platform_id", ForeignKey("platform.id"), primary_key=True),
    Column("key_set", Text),
    Column("fetched_at", Instant),
    Column("attempted_at", Instant, nullable=False),  # while a fetch runs: when its lease ends
)

deployment = Table(
    "deployment",
    metadata,
    _id(),
    _ref("platform_id", "platform.id"),
    Column("deployment_id", String(255), nullable=False),
    Column("state", String(16), nullable=False),  # approved, pending, disabled
    Column("first_seen_at", Instant),  # of a launch that came before anybody approved it
    Column("first_course", String(255)),  # title of the course from which that launch came
    UniqueConstraint("platform_id", "deployment_id"),
)

gradebook_pause = Table(  # a platform that is left alone for a while; no row: it answers
    "gradebook_pause",
    metadata,
    Column("platform_id", ForeignKey("platform.id"), primary_key=True),
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("reason", Text, nullable=False),  # of the last failure, in words
    Column("only_by", String(32)),  # what alone has failed: then it may be at fault itself; none: several have
)

refusal = Table(  # a ring: the last ones of each platform
    "refusal",
    metadata,
    _id(),
    _ref("platform_id", "platform.id"),
    Column("at", Instant, nullable=False),
    Column("code", String(32), nullable=False),
    Column("reference", String(16), nullable=False),
    Index(None, "platform_id", "id"),
)

tool_key = Table(
    "tool_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("private_key_sealed", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signs_from", Instant, nullable=False),  # published before, so that every LMS has read it by then
    Column("retires_at", Instant),  # published no longer from then on; none: not decided yet
)

series = Table(
    "series",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("title", String(255), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("source", Text),  # file path or URL of the calendar
    Column("passphrase_sealed", Text),  # opens the meeting on the public page, for who cannot come from an LMS
    Column("scores_stale_at", Instant),  # rule or plan have changed since all scores were last worked out
    Column("created_at", Instant, nullable=False),
    _ref("copied_from_id", "series.id", nullable=True),  # the round before
    Column("join_hosts", Text),  # where its meetings may be, blanks between; none: anywhere
    Column("smallest_group", Integer, nullable=False, server_default="5"),  # k: fewer of others are not shown
    Column("pooled_by", String(16)),  # session, month: columns of the pooled table; none: not decided yet
)

rule_version = Table(  # what counts, as it was set one time after the other; append-only
    "rule_version",
    metadata,
    _id(),
    _ref("series_id", "series.id"),
    _ref("session_id", "session.id", nullable=True),  # none: of the whole series
    Column("version", Integer, nullable=False),  # counts in the series
    Column("rule", Text),  # JSON of series.rule.Rule or SessionRule; none: the session has no rule of its own any more
    Column("set_by", String(128), nullable=False),
    Column("set_at", Instant, nullable=False),
    UniqueConstraint("series_id", "version"),
)

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True),
    _ref("series_id", "series.id"),
    _ref("hosting_university_id", "university.id", nullable=True),
    Column("title", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("co_hosts", Text, nullable=False, default=""),
    Column("speakers", Text, nullable=False, default=""),
    Column("join_url", Text),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("wall_start", String(19), nullable=False),  # 2026-11-24T16:00:00 in `zone`: what people agreed on
    Column("zone", String(64), nullable=False),
    Column("status", String(16), nullable=False),  # planned, cancelled
    Column("moved_from_at", Instant),
    Column("sequence", Integer, nullable=False),  # grows with every change of time, place or status
    Column("by_hand", String(255), nullable=False, default=""),  # series.sessions.Field, with blanks between
    Column("is_own", Boolean, nullable=False, default=False),  # made here, and of no calendar
    # Frozen when it starts; none before. The other way round, a version may be of one session.
    Column("rule_version_id", ForeignKey("rule_version.id", use_alter=True)),
    Column("updated_at", Instant, nullable=False),
    Column("replanned_at", Instant),  # when it was last moved, cancelled, or not cancelled after all; none: never
    Column("is_rehearsal", Boolean, nullable=False, server_default=sa.false()),  # counts for nothing
    Column("refused_join_host", String(255)),  # where its calendar would have the meeting, and may not
    _ref("copied_from_id", "session.id", nullable=True),  # in the round before
    Index(None, "series_id", "start_at"),
)

counted = sa.not_(session.c.is_rehearsal)  # what every query over many sessions says, but for a few that know why not

session_alias = Table(
    "session_alias",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("source_uid", String(255), primary_key=True),
    Column("original_start_at", Instant, primary_key=True),
    _ref("session_id", "session.id"),
)

held_plan = Table(  # what a calendar would change, until a person has said yes; and what was said no to
    "held_plan",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("is_rejected", Boolean, primary_key=True),
    Column("source", Text, nullable=False),  # that said it
    Column("digest", String(64), nullable=False),
    Column("plan", Text, nullable=False),  # JSON of series.plans.Plan
    Column("apart", Text),  # JSON: the same without its guesses, where it has some
    Column("sessions_before", Text, nullable=False),  # JSON: the sessions that it would change, as they were
    Column("reasons", String(255), nullable=False),
    Column("held_at", Instant, nullable=False),
)

uploaded_table = Table(  # that a coordinator has pasted or uploaded, until the worker has read it
    "uploaded_table",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("run_id", Id, nullable=False),  # of the sync_run that is to read it
    Column("name", String(255), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("uploaded_at", Instant, nullable=False),
)

calendar_source = Table(  # how the last fetches of a series' source went
    "calendar_source",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("source", Text, nullable=False),  # that this was of: another one begins anew
    Column("etag", String(255)),
    Column("last_modified", String(64)),
    Column("body_hash", String(64)),
    Column("read_at", Instant),  # when it was last read well
    Column("failing_since", Instant),
    Column("failures", Integer, nullable=False),  # in a row
    Column("reason", Text),  # of the last failure, in words
    Column("next_fetch_at", Instant),  # not before this
)

course = Table(
    "course",
    metadata,
    _id(),
    _ref("university_id", "university.id"),
    _ref("deployment_id", "deployment.id", nullable=True),  # unknown until the first launch
    Column("context_id", String(255)),
    Column("title", String(255), nullable=False),
    Column("memberships_url", Text),
    Column("copied_from", Text),  # context ids of the courses that it is a copy of, newest first, blanks between
    Column("moodle_course_id", Integer),
    Column("feed_generation", Integer, nullable=False, server_default="0"),  # grows when its feed gets a new address
    Column("feed_read_at", Instant),  # when a calendar program last fetched it, to the hour
    # Whether moved and cancelled sessions are announced in its Moodle forum; an instructor has said so.
    Column("announces", Boolean, nullable=False, server_default=sa.false()),
    UniqueConstraint("deployment_id", "context_id"),
    UniqueConstraint("university_id", "moodle_course_id"),
)

course_series = Table(
    "course_series",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    # Whether its sessions stand in the course's Moodle calendar, if the course is tied to a Moodle.
    Column("is_mirrored", Boolean, nullable=False, server_default=sa.true()),
)

course_count = Table(  # what a course demands for its own grade, in place of the series' number
    "course_count",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("required", Integer, nullable=False),
    Column("session_ids", Text),  # JSON: of these; none: of all
    Column("set_by", String(128), nullable=False),
    Column("set_at", Instant, nullable=False),
)

course_roster = Table(  # how the reading of a course's roster went
    "course_roster",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("read_at", Instant),  # when it was last read well
    Column("failing_since", Instant),
    Column("failures", Integer, nullable=False),  # in a row
    Column("reason", Text),  # of the last failure, or of what is held back
    Column("next_read_at", Instant),  # not before this
    Column("held", Text),  # JSON: the roster that the brake keeps back until somebody has said yes
    Column("held_at", Instant),
)

roster_member = Table(  # who is in a course, by their number in the LMS; names are never kept
    "roster_member",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("sub", String(255), primary_key=True),
    Column("is_learner", Boolean, nullable=False),
    Column("is_suspended", Boolean, nullable=False),
    Column("gone_at", Instant),  # no longer in the course since
)

placement = Table(
    "placement",
    metadata,
    _id(),
    _ref("deployment_id", "deployment.id"),
    Column("resource_link_id", String(255), nullable=False),
    _ref("course_id", "course.id", nullable=True),  # a launch may come without a context
    _ref("series_id", "series.id"),
    _ref("session_id", "session.id", nullable=True),  # none: the whole series
    Column("line_item_url", Text),
    Column("line_items_url", Text),
    Column("ags_scopes", Text, nullable=False),
    Column("line_item_attempts", Integer, nullable=False, server_default="0"),  # to find or make its line item
    Column("line_item_next_at", Instant),  # the next one; none: at once
    Column("line_item_problem", Text),  # of the last one, in words
    Column("first_seen_at", Instant),  # unknown of those from before
    # To a newer round, with its course: it goes back with it, too.
    Column("went_over", Boolean, nullable=False, server_default=sa.false()),
    UniqueConstraint("deployment_id", "resource_link_id"),
)

participant = Table(
    "participant",
    metadata,
    _id(),
    _ref("university_id", "university.id"),
    Column("issuer", String(255), nullable=False),
    Column("sub", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("feed_generation", Integer, nullable=False, server_default="0"),  # as for a course
    Column("objected_at", Instant),  # to being counted with others and to grades being sent; none: has not
    UniqueConstraint("university_id", "issuer", "sub"),
    Index(None, "id", "university_id", unique=True),  # what a completion refers to
)

membership = Table(  # who opened which placement, and whether the LMS takes grades for them there
    "membership",
    metadata,
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("placement_id", ForeignKey("placement.id"), primary_key=True),
    Column("is_learner", Boolean, nullable=False),
    Column("launched_at", Instant),  # none: known from the roster alone
    Index(None, "placement_id"),
)

session_host = Table(
    "session_host",
    metadata,
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
)

spent_nonce = Table(
    "spent_nonce",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("visit_id", String(32)),  # what it opened, so that who sends a form twice is shown the way there
    Column("expires_at", Instant, nullable=False),  # no index: the last minutes' launches, the last hours' tickets
    sqlite_with_rowid=False,  # with an index and a rowid, each launch would write three pages for its nonce
)

rate_limit = Table(  # one row for each bucket that is not full
    "rate_limit",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("full_at_s", Double, nullable=False, index=True),  # seconds since 1970: when the bucket will be full again
)

visit = Table(
    "visit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("proof_hash", String(64), nullable=False),
    _ref("participant_id", "participant.id"),
    _ref("placement_id", "placement.id"),
    Column("is_teacher", Boolean, nullable=False),
    Column("is_learner", Boolean, nullable=False),
    Column("is_test_user", Boolean, nullable=False),  # an LMS's own "student view": nothing counts
    Column("is_administrator", Boolean, nullable=False, server_default=sa.false()),  # of the LMS, as it says
    Column("return_url", Text),
    Column("locale", String(35)),
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Index(None, "participant_id", "opened_at"),
    sqlite_with_rowid=False,
)

check_in = Table(
    "check_in",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    Column("code", String(6), nullable=False),
    Column("opens_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    _ref("opened_by_participant_id", "participant.id", nullable=True),  # none: it opened by itself
    Column("reason", Text),  # why it was opened once more
    Index(None, "session_id", "closes_at"),
)

more_time = Table(  # who said, while a check-in was open, that they need longer to type
    "more_time",
    metadata,
    Column("check_in_id", ForeignKey("check_in.id"), primary_key=True),
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("asked_at", Instant, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    _id(),
    _ref("participant_id", "participant.id"),
    _ref("session_id", "session.id"),
    Column("kind", String(16), nullable=False),
    Column("source", String(64), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("observed_at", Instant, nullable=False),  # the source's time
    Column("recorded_at", Instant, nullable=False),
    Column("amount", Integer),  # live: minutes; recording: percent; reflection: words
    Column("recorded_by", String(128)),  # the person who said so, as in the audit table; none: the participant
    _ref("retracts_evidence_id", "evidence.id", nullable=True),
    Column("reason", Text),  # of an approval, an excuse, a retraction; of an activity, its name
    UniqueConstraint("participant_id", "session_id", "kind", "source", "source_id"),
    Index(None, "session_id"),
    index_where_set("retracts_evidence_id"),
)

completion = Table(  # derived from the evidence by the rule, in the same transaction; never typed in
    "completion",
    metadata,
    Column("participant_id", Id, primary_key=True),
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("university_id", Id, nullable=False),  # the participant's: own numbers cost no look at others' people
    Column("completed_at", Instant, nullable=False),
    Column("by_recording", Boolean, nullable=False, server_default=sa.false()),  # and by nothing else
    ForeignKeyConstraint(["participant_id", "university_id"], ["participant.id", "participant.university_id"]),
    Index(None, "session_id", "university_id", "participant_id"),  # all that the pooled numbers ask for
)

excuse = Table(  # derived, like the completion: the session is not missing from this participant's count
    "excuse",
    metadata,
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("session_id", ForeignKey("session.id"), primary_key=True),
)

reflection = Table(  # what a participant writes about a session; handed in, it becomes evidence
    "reflection",
    metadata,
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False),  # draft, handed_in, returned
    Column("saved_at", Instant, nullable=False),
    Column("handed_in_at", Instant),
    Column("evidence_id", ForeignKey("evidence.id")),  # of the last time it was handed in
    Column("read_at", Instant),  # by one who teaches; since then nothing was handed in
    Column("comment", Text),  # with which it was returned
    Column("returned_at", Instant),
    index_where_set("evidence_id"),
)

objection = Table(  # "this is wrong", and what came of it
    "objection",
    metadata,
    _id(),
    _ref("participant_id", "participant.id"),
    _ref("course_id", "course.id"),  # whose instructors answer
    _ref("series_id", "series.id"),
    _ref("session_id", "session.id", nullable=True),  # none: about the whole count
    Column("text", Text, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("answer", Text),
    Column("answered_by", String(128)),
    Column("answered_at", Instant),
    Index(None, "course_id", "series_id", "answered_at"),
    Index(None, "participant_id", "series_id"),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    _ref("placement_id", "placement.id"),
    _ref("participant_id", "participant.id"),
    Column("line_item_url", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("score_given", Integer, nullable=False),
    Column("score_maximum", Integer, nullable=False),
    Column("score_at", Instant, nullable=False),  # the AGS timestamp: whole seconds, growing with the version
    Column("state", String(16), nullable=False),  # due, delivered, failed, superseded, unaddressed (no line item yet)
    Column("in_flight", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),  # in flight: when the lease ends; unaddressed: since when
    Column("outcome", Text),  # the last answer in words
    Column("was_refused", Boolean, nullable=False, server_default=sa.false()),  # so the gradebook holds nothing of it
    Column("created_at", Instant, nullable=False),
    Column("trying_since", Instant),  # when this very score first failed by itself; none: it has not
    Column("delivered_at", Instant),
    UniqueConstraint("line_item_url", "participant_id", "version"),
    Index(None, "state", "next_attempt_at"),
    Index(None, "placement_id", "participant_id"),
    Index(
        "uq_delivery_in_flight",
        "line_item_url",
        "participant_id",
        unique=True,
        sqlite_where=sa.text("in_flight"),
        postgresql_where=sa.text("in_flight"),
    ),
)

moodle_connection = Table(
    "moodle_connection",
    metadata,
    Column("university_id", ForeignKey("university.id"), primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("token_sealed", Text, nullable=False),
    Column("moodle_user_id", Integer, nullable=False),
    Column("level", String(16), nullable=False, server_default="calendar"),  # lms.moodle_levels.Level
    Column("site_name", String(255), nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, server_default="0"),  # of the whole site, in a row
    Column("failing_since", Instant),
    Column("paused_until", Instant),  # left alone until then
    Column("reason", Text),  # of the last failure, in words
    Column("checks", Text),  # JSON: what the last check found
    Column("checked_at", Instant),
    Column("gaps_since", Text),  # JSON: when each gap of the last check was first found
    Column("connected_at", Instant),  # as it is now; unknown of those from before
)

mirror = Table(
    "mirror",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("event_id", Integer),  # none: its creation was begun and is not known to have ended
    Column("fingerprint", String(64), nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("began_at", Instant),  # the last creation; it may take effect long after its call timed out
    Column("shown_as", String(64)),  # fingerprint of what Moodle still showed after a repair: not repaired again
)

sync_run = Table(
    "sync_run",
    metadata,
    _id(),
    Column("job", String(16), nullable=False),
    Column("scope", String(64), nullable=False),  # slug of the university or the series
    Column("slot", String(32), nullable=False),  # so that N workers run it once
    Column("started_at", Instant, nullable=False),
    Column("alive_at", Instant, nullable=False),  # a running run says now and then that it is
    Column("finished_at", Instant),
    Column("outcome", String(16), nullable=False),  # running, done, failed
    Column("counts", Text, nullable=False),  # JSON
    Column("calls", Integer, nullable=False, server_default="0"),  # made to the LMS
    Column("reason", Text),
    UniqueConstraint("job", "scope", "slot"),
    Index(None, "started_at"),
    Index("ix_sync_run_scope_job_id", "scope", "job", "id"),  # the last ones of one job for one university
    Index(
        "uq_sync_run_running",
        "job",
        "scope",
        unique=True,
        sqlite_where=sa.text("outcome = 'running'"),
        postgresql_where=sa.text("outcome = 'running'"),
    ),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(128), nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    # What a seal covers in place of persons (series.audit_lines); none: no person, or not sealed yet.
    Column("actor_commitment", String(64)),
    Column("object_commitment", String(64)),
    Column("detail_commitment", String(64)),
    Index(None, "actor"),
    Index(None, "object"),
)

staff = Table(  # who runs the series, and the LMS admins of universities
    "staff",
    metadata,
    _id(),
    Column("email", String(254), nullable=False, unique=True),  # in the one spelling of series.staff.normal_email
    Column("name", String(255), nullable=False),
    Column("role", String(16), nullable=False),  # coordinator, lms_admin
    _ref("university_id", "university.id", nullable=True),
    Column("state", String(16), nullable=False),  # active, disabled
    Column("password_hash", Text),  # none: to be set by a link
    Column("epoch", Integer, nullable=False),  # grows whenever all sign-ins end
    Column("tries", Integer, nullable=False),  # to sign in, since it last worked
    Column("created_at", Instant, nullable=False),
    Column("signed_in_at", Instant),
    Column("wants_mail", Boolean, nullable=False, server_default=sa.true()),  # of what waits, where mail is set up
    Column("digest_at", Instant),  # the last weekly one
    CheckConstraint("(role = 'coordinator') = (university_id IS NULL)", name="university_of_lms_admins"),
)

staff_session = Table(  # one sign-in in one browser
    "staff_session",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the cookie's secret
    _ref("staff_id", "staff.id"),
    Column("epoch", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),  # however busy
    Column("seen_before_at", Instant),  # the sign-in before this one
    Index(None, "staff_id"),
)

staff_link = Table(  # to choose a password, once
    "staff_link",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the link's secret
    _ref("staff_id", "staff.id"),
    Column("expires_at", Instant, nullable=False),
    Index(None, "staff_id"),
)
