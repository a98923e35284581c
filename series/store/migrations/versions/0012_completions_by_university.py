"""A completion says whose university it is: own numbers are counted without a look at the people of all others."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
THEIRS = "UPDATE completion SET university_id = (SELECT university_id FROM participant WHERE id = participant_id)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # in the order in which everybody else takes them
        op.execute("LOCK TABLE participant, completion IN ACCESS EXCLUSIVE MODE")
    op.create_index("ix_participant_id_university_id", "participant", ["id", "university_id"], unique=True)
    op.add_column("completion", sa.Column("university_id", ID))
    op.execute(THEIRS)
    with op.batch_alter_table("completion") as batch:  # nothing refers to it
        batch.drop_index("ix_completion_session_id_participant_id")
        batch.drop_constraint("fk_completion_participant_id_participant", type_="foreignkey")
        batch.alter_column("university_id", existing_type=ID, nullable=False)
        batch.create_foreign_key(
            "fk_completion_participant_id_university_id_participant",
            "participant",
            ["participant_id", "university_id"],
            ["id", "university_id"],
        )
        batch.create_index(
            "ix_completion_session_id_university_id_participant_id", ["session_id", "university_id", "participant_id"]
        )
