"""What refers to a fact is found by an index: else each fact that is deleted costs a look through all others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REFERRING = (("evidence", "retracts_evidence_id"), ("reflection", "evidence_id"), ("activity_state", "evidence_id"))


def upgrade() -> None:
    for table, column in REFERRING:
        is_there = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=is_there, postgresql_where=is_there)
