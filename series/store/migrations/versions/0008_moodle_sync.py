"""Moodle connections with a level, a schedule and checks; activities that count; announcements; mail for staff"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _widen_connections()
    _make_accounts()
    _make_schedule()
    _make_activities()
    _make_messages()
    op.add_column("mirror", sa.Column("began_at", INSTANT))
    op.add_column("mirror", sa.Column("shown_as", sa.String(64)))
    op.add_column("sync_run", sa.Column("calls", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_sync_run_scope_job_id", "sync_run", ["scope", "job", "id"])
    op.add_column("course", sa.Column("announces", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("session", sa.Column("replanned_at", INSTANT))
    op.add_column(
        "course_series", sa.Column("is_mirrored", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("staff", sa.Column("wants_mail", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("staff", sa.Column("digest_at", INSTANT))
    # Creations that were begun and not known to have ended: long enough ago to be looked for, and made again.
    op.execute("UPDATE mirror SET began_at = updated_at WHERE event_id IS NULL")


def _widen_connections() -> None:
    add = [
        sa.Column("level", sa.String(16), nullable=False, server_default="calendar"),
        sa.Column("site_name", sa.String(255), nullable=False, server_default=""),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", INSTANT),
        sa.Column("paused_until", INSTANT),
        sa.Column("reason", sa.Text()),
        sa.Column("checks", sa.Text()),
        sa.Column("checked_at", INSTANT),
        sa.Column("gaps_since", sa.Text()),
        sa.Column("connected_at", INSTANT),
    ]
    for column in add:
        op.add_column("moodle_connection", column)


def _make_accounts() -> None:
    op.create_table(
        "moodle_account",
        sa.Column("id", ID, primary_key=True),
        sa.Column("university_id", ID, nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["university_id"], ["university.id"], name=op.f("fk_moodle_account_university_id_university")
        ),
        sa.UniqueConstraint(
            "university_id", "base_url", "user_id", name=op.f("uq_moodle_account_university_id_base_url_user_id")
        ),
    )
    op.execute(
        "INSERT INTO moodle_account (university_id, base_url, user_id)"
        " SELECT university_id, base_url, moodle_user_id FROM moodle_connection"
    )


def _make_schedule() -> None:
    op.create_table(
        "moodle_job",
        sa.Column("university_id", ID, nullable=False),
        sa.Column("job", sa.String(16), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("again_at", INSTANT),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("ran_at", INSTANT),
        sa.Column("asked_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["university_id"], ["moodle_connection.university_id"], name=op.f("fk_moodle_job_university_id_moodle_connection")
        ),
        sa.PrimaryKeyConstraint("university_id", "job", name=op.f("pk_moodle_job")),
    )
    op.create_index(op.f("ix_moodle_job_next_at"), "moodle_job", ["next_at"])
    _plan_what_is_connected()


def _plan_what_is_connected() -> None:
    """Soon. Bound, so that the instant is written as the columns compare it: CURRENT_TIMESTAMP of SQLite is not."""
    connection, now = op.get_bind(), datetime.now(UTC)
    connected = sa.table("moodle_connection", sa.column("university_id", ID))
    moodle_job = sa.table(
        "moodle_job",
        sa.column("university_id", ID),
        sa.column("job", sa.String()),
        sa.column("next_at", INSTANT),
        sa.column("failures", sa.Integer()),
    )
    rows = [
        {"university_id": university_id, "job": job, "next_at": now, "failures": 0}
        for university_id in connection.execute(sa.select(connected.c.university_id)).scalars()
        for job in ("mirror", "sweep", "check", "announce")
    ]
    if rows:
        connection.execute(sa.insert(moodle_job), rows)


def _make_activities() -> None:
    op.create_table(
        "mapped_activity",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("cmid", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("module", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("mapped_by", sa.String(128), nullable=False),
        sa.Column("mapped_at", INSTANT, nullable=False),
        sa.Column("problem", sa.String(16)),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_mapped_activity_course_id_course")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_mapped_activity_session_id_session")),
        sa.PrimaryKeyConstraint("course_id", "cmid", name=op.f("pk_mapped_activity")),
    )
    op.create_table(
        "activity_state",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("cmid", sa.Integer(), nullable=False),
        sa.Column("sub", sa.String(255), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("evidence_id", ID),
        sa.Column("said_by", sa.String(64)),
        sa.Column("taken_at", INSTANT),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_activity_state_course_id_course")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_activity_state_session_id_session")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_activity_state_evidence_id_evidence")),
        sa.PrimaryKeyConstraint("course_id", "cmid", "sub", "source", name=op.f("pk_activity_state")),
    )
    op.create_table(
        "course_collect",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("read_at", INSTANT),
        sa.Column("all_read_at", INSTANT),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("refused", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("results", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("held", sa.Text()),
        sa.Column("held_at", INSTANT),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_collect_course_id_course")),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_collect")),
    )


def _make_messages() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", ID, primary_key=True),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("token", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("began_at", INSTANT),
        sa.Column("next_at", INSTANT),
        sa.Column("discussion_id", sa.Integer()),
        sa.Column("problem", sa.Text()),
        sa.Column("set_by", sa.String(128)),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_announcement_course_id_course")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_announcement_session_id_session")),
        sa.UniqueConstraint("course_id", "session_id", "about", name=op.f("uq_announcement_course_id_session_id_about")),
    )
    op.create_table(
        "seen_session",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("start_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_seen_session_course_id_course")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_seen_session_session_id_session")),
        sa.PrimaryKeyConstraint("course_id", "session_id", name=op.f("pk_seen_session")),
    )
    op.create_table(
        "staff_notice",
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("since_at", INSTANT, nullable=False),
        sa.Column("mailed_at", INSTANT),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_notice_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "key", name=op.f("pk_staff_notice")),
    )
