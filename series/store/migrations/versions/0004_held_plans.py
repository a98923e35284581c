"""Plans that wait for a person, how the fetches of a calendar went, what was edited by hand"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "held_plan",
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("is_rejected", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("apart", sa.Text()),
        sa.Column("sessions_before", sa.Text(), nullable=False),
        sa.Column("reasons", sa.String(255), nullable=False),
        sa.Column("held_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_held_plan_series_id_series")),
        sa.PrimaryKeyConstraint("series_id", "is_rejected", name=op.f("pk_held_plan")),
    )
    op.create_table(
        "uploaded_table",
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_uploaded_table_series_id_series")),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_uploaded_table")),
    )
    op.create_table(
        "calendar_source",
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(255)),
        sa.Column("last_modified", sa.String(64)),
        sa.Column("body_hash", sa.String(64)),
        sa.Column("read_at", INSTANT),
        sa.Column("failing_since", INSTANT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("next_fetch_at", INSTANT),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_calendar_source_series_id_series")),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_calendar_source")),
    )
    op.add_column("series", sa.Column("passphrase_sealed", sa.Text()))
    op.add_column("session", sa.Column("by_hand", sa.String(255), nullable=False, server_default=""))
    op.add_column("session", sa.Column("is_own", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("session", sa.Column("co_hosts", sa.Text(), nullable=False, server_default=""))
    op.add_column("session", sa.Column("speakers", sa.Text(), nullable=False, server_default=""))
    # SQLite keeps the defaults: without them it would make the table anew, and others refer to its rows.
    if op.get_bind().dialect.name == "postgresql":
        for name in ("by_hand", "is_own", "co_hosts", "speakers"):
            op.alter_column("session", name, server_default=None)
