"""Safe launches: key rotation, pending deployments, refusals, limits"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "refusal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_refusal_platform_id_platform")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_index(op.f("ix_refusal_platform_id_id"), "refusal", ["platform_id", "id"])
    op.create_table(
        "rate_limit",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("full_at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limit")),
    )
    op.create_index(op.f("ix_rate_limit_full_at_s"), "rate_limit", ["full_at_s"])
    with op.batch_alter_table("deployment") as batch:
        batch.add_column(sa.Column("first_seen_at", INSTANT, nullable=True))
        batch.add_column(sa.Column("first_course", sa.String(length=255), nullable=True))
    with op.batch_alter_table("spent_nonce") as batch:
        batch.add_column(sa.Column("visit_id", sa.String(length=32), nullable=True))
    _let_keys_rotate()
    with op.batch_alter_table("visit") as batch:
        batch.add_column(sa.Column("is_test_user", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_index(batch.f("ix_visit_participant_id_opened_at"), ["participant_id", "opened_at"])
    with op.batch_alter_table("visit") as batch:
        batch.alter_column("is_test_user", server_default=None)


def _let_keys_rotate() -> None:
    with op.batch_alter_table("tool_key") as batch:
        batch.add_column(sa.Column("signs_from", INSTANT, nullable=True))
        batch.add_column(sa.Column("retires_at", INSTANT, nullable=True))
    op.execute("UPDATE tool_key SET signs_from = created_at")
    with op.batch_alter_table("tool_key") as batch:
        batch.alter_column("signs_from", existing_type=INSTANT, nullable=False)
