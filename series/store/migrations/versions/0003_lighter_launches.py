"""Lighter launches: fewer pages to write for a nonce and a visit"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_spent_nonce_expires_at"), "spent_nonce")
    if op.get_bind().dialect.name == "sqlite":
        for table in ("spent_nonce", "visit"):
            with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_with_rowid": False}):
                pass  # made anew, without a rowid
