"""LMSs that register themselves, what they send and how they do; invitations; hosts; rounds; rehearsals"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_connecting()
    _make_people()
    _make_rounds()
    op.add_column("platform", sa.Column("granted_scopes", sa.Text()))
    op.add_column("platform", sa.Column("lms_version", sa.String(64)))
    op.add_column("course", sa.Column("feed_read_at", INSTANT))
    op.add_column("series", sa.Column("join_hosts", sa.Text()))
    op.add_column("session", sa.Column("is_rehearsal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("session", sa.Column("refused_join_host", sa.String(255)))
    op.add_column("visit", sa.Column("is_administrator", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("course", sa.Column("copied_from", sa.Text()))
    op.add_column("placement", sa.Column("first_seen_at", INSTANT))
    op.add_column("placement", sa.Column("went_over", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Not in batches: SQLite would make these tables anew, and others refer to their rows.
    kind = "CHAR(32)" if op.get_bind().dialect.name == "sqlite" else "UUID"
    for table in ("series", "session"):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN copied_from_id {kind}"
            f" CONSTRAINT fk_{table}_copied_from_id_{table} REFERENCES {table} (id)"
        )


def _make_connecting() -> None:
    op.create_table(
        "lms_invitation",
        sa.Column("id", ID, primary_key=True),
        sa.Column("university_id", ID, nullable=False),
        sa.Column("approves", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("claimed_until", INSTANT),
        sa.Column("used_at", INSTANT),
        sa.Column("platform_id", ID),
        sa.Column("problem", sa.Text()),
        sa.Column("problem_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["university_id"], ["university.id"], name=op.f("fk_lms_invitation_university_id_university")
        ),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_lms_invitation_platform_id_platform")),
    )
    op.create_index("ix_lms_invitation_university_id", "lms_invitation", ["university_id"])
    op.create_table(
        "platform_arrival",
        sa.Column("platform_id", ID, nullable=False),
        sa.Column("message_type", sa.String(64), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("unexpanded", sa.Text(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name=op.f("fk_platform_arrival_platform_id_platform")
        ),
        sa.PrimaryKeyConstraint("platform_id", "message_type", name=op.f("pk_platform_arrival")),
    )
    op.create_table(
        "platform_check",
        sa.Column("platform_id", ID, primary_key=True),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("asked_at", INSTANT),
        sa.Column("test_user", sa.String(255)),
        sa.Column("began_at", INSTANT),
        sa.Column("checked_at", INSTANT),
        sa.Column("checks", sa.Text()),
        sa.Column("gaps_since", sa.Text()),
        sa.Column("trial_left_in", sa.Text()),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_platform_check_platform_id_platform")),
    )
    op.create_index("ix_platform_check_next_at", "platform_check", ["next_at"])


def _make_people() -> None:
    op.create_table(
        "staff_binding",
        sa.Column("participant_id", ID, primary_key=True),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("bound_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_staff_binding_participant_id_participant")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_binding_staff_id_staff")),
    )
    op.create_index("ix_staff_binding_staff_id", "staff_binding", ["staff_id"])
    op.create_table(
        "host_request",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("course_id", ID),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(128)),
        sa.Column("decided_at", INSTANT),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_host_request_session_id_session")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_host_request_course_id_course")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_host_request_participant_id_participant")
        ),
        sa.PrimaryKeyConstraint("session_id", "participant_id", name=op.f("pk_host_request")),
    )
    op.create_table(
        "host_invitation",
        sa.Column("id", ID, primary_key=True),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("used_at", INSTANT),
        sa.Column("participant_id", ID),
        sa.Column("used_as", sa.String(16)),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_host_invitation_session_id_session")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_host_invitation_participant_id_participant")
        ),
    )
    op.create_index("ix_host_invitation_session_id", "host_invitation", ["session_id"])
    op.create_table(
        "join_link_change",
        sa.Column("id", ID, primary_key=True),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("old_host", sa.String(255)),
        sa.Column("new_host", sa.String(255)),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_join_link_change_session_id_session")),
    )
    op.create_index("ix_join_link_change_session_id", "join_link_change", ["session_id"])


def _make_rounds() -> None:
    op.create_table(
        "round_answer",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("old_series_id", sa.Uuid(), nullable=False),
        sa.Column("new_series_id", sa.Uuid(), nullable=False),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("answered_by", sa.String(128), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_round_answer_course_id_course")),
        sa.ForeignKeyConstraint(["old_series_id"], ["series.id"], name=op.f("fk_round_answer_old_series_id_series")),
        sa.ForeignKeyConstraint(["new_series_id"], ["series.id"], name=op.f("fk_round_answer_new_series_id_series")),
        sa.PrimaryKeyConstraint("course_id", "old_series_id", "new_series_id", name=op.f("pk_round_answer")),
    )
