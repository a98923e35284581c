"""Pooled results in steps; pseudonyms, erasure, transfer; sealed audit; certificates"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_pooled()
    _make_rights()
    _make_proofs()
    op.add_column("series", sa.Column("smallest_group", sa.Integer(), nullable=False, server_default="5"))
    op.add_column("series", sa.Column("pooled_by", sa.String(16)))
    op.add_column("participant", sa.Column("objected_at", INSTANT))
    op.add_column("university", sa.Column("left_at", INSTANT))
    op.add_column("audit", sa.Column("actor_commitment", sa.String(64)))
    op.add_column("audit", sa.Column("object_commitment", sa.String(64)))
    op.drop_index("ix_completion_session_id", "completion")
    op.create_index("ix_completion_session_id_participant_id", "completion", ["session_id", "participant_id"])
    op.create_index("ix_membership_placement_id", "membership", ["placement_id"])


def _make_pooled() -> None:
    op.create_table(
        "pooled_step",
        sa.Column("series_id", sa.Uuid(), sa.ForeignKey("series.id", name="fk_pooled_step_series_id_series")),
        sa.Column("step_at", INSTANT),
        sa.Column("smallest_group", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "step_at", name="pk_pooled_step"),
    )
    op.create_table(
        "pooled_count",
        sa.Column("series_id", sa.Uuid(), sa.ForeignKey("series.id", name="fk_pooled_count_series_id_series")),
        sa.Column("block", sa.String(48)),
        sa.Column("university_id", ID, sa.ForeignKey("university.id", name="fk_pooled_count_university_id_university")),
        sa.Column("step_at", INSTANT),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "block", "university_id", "step_at", name="pk_pooled_count"),
    )
    op.create_table(
        "course_audience",
        sa.Column("course_id", ID, sa.ForeignKey("course.id", name="fk_course_audience_course_id_course")),
        sa.Column("series_id", sa.Uuid(), sa.ForeignKey("series.id", name="fk_course_audience_series_id_series")),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("schools", sa.Integer()),
        sa.Column("set_by", sa.String(128), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("course_id", "series_id", name="pk_course_audience"),
    )


def _make_rights() -> None:
    op.create_table(
        "pseudonym_salt",
        sa.Column(
            "university_id", ID, sa.ForeignKey("university.id", name="fk_pseudonym_salt_university_id_university")
        ),
        sa.Column("generation", sa.Integer()),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("university_id", "generation", name="pk_pseudonym_salt"),
    )
    op.create_table(
        "erased_person",
        sa.Column(
            "university_id", ID, sa.ForeignKey("university.id", name="fk_erased_person_university_id_university")
        ),
        sa.Column("pseudonym", sa.String(64)),
        sa.Column("erased_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("university_id", "pseudonym", name="pk_erased_person"),
    )
    op.create_table(
        "transfer_code",
        sa.Column("id", sa.String(64)),
        sa.Column(
            "participant_id",
            ID,
            sa.ForeignKey("participant.id", name="fk_transfer_code_participant_id_participant"),
            nullable=False,
        ),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transfer_code"),
    )
    op.create_index("ix_transfer_code_participant_id", "transfer_code", ["participant_id"])


def _make_proofs() -> None:
    op.create_table(
        "audit_salt",
        sa.Column(
            "participant_id", ID, sa.ForeignKey("participant.id", name="fk_audit_salt_participant_id_participant")
        ),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("participant_id", name="pk_audit_salt"),
    )
    op.create_table(
        "audit_seal",
        sa.Column("id", ID),
        sa.Column("first_audit_id", ID, nullable=False),
        sa.Column("last_audit_id", ID, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("sealed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_seal"),
        sa.UniqueConstraint("last_audit_id", name="uq_audit_seal_last_audit_id"),
    )
    op.create_table(
        "transfer_instrument",
        sa.Column(
            "university_id", ID, sa.ForeignKey("university.id", name="fk_transfer_instrument_university_id_university")
        ),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("university_id", name="pk_transfer_instrument"),
    )
    op.create_table(
        "deletion_certificate",
        sa.Column("id", ID),
        sa.Column("university_name", sa.String(255), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("deleted_at", INSTANT, nullable=False),
        sa.Column("deleted_by", sa.String(128), nullable=False),
        sa.Column("proof", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletion_certificate"),
    )
