"""Feeds: an address of one's own for each person and each course, which can be replaced by a new one"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("participant", "course"):
        op.add_column(table, sa.Column("feed_generation", sa.Integer(), nullable=False, server_default="0"))
