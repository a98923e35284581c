"""Alembic's entry point: our tables, on the connection that `migrate` gives."""

from alembic import context

from series.store.lms_tables import lms_invitation
from series.store.moodle_tables import moodle_job
from series.store.pooled_tables import pooled_step
from series.store.privacy_tables import audit_seal

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[
        *{moodle_job.metadata, lms_invitation.metadata, pooled_step.metadata, audit_seal.metadata}
    ],  # one, of which each module adds its part
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
