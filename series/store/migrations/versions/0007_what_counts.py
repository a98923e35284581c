"""Rules with versions, evidence with amounts, rosters, reflections and objections, pauses of gradebooks"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_rules()
    _keep_the_rules_there_are()
    # Not in batches: SQLite would make these tables anew, and others refer to their rows.
    op.drop_column("series", "rule")
    op.add_column("series", sa.Column("scores_stale_at", INSTANT))
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE session ADD COLUMN rule_version_id {number}"
        " CONSTRAINT fk_session_rule_version_id_rule_version REFERENCES rule_version (id)"
    )
    _make_what_people_write()
    _make_rosters()
    _widen_what_is_there()


def _make_rules() -> None:
    op.create_table(
        "rule_version",
        sa.Column("id", ID, primary_key=True),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text()),
        sa.Column("set_by", sa.String(128), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_rule_version_series_id_series")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_rule_version_session_id_session")),
        sa.UniqueConstraint("series_id", "version", name=op.f("uq_rule_version_series_id_version")),
    )


def _keep_the_rules_there_are() -> None:
    """Each becomes the first version of its series: any one of those kinds completed a session."""
    connection = op.get_bind()
    series = sa.table(
        "series", sa.column("id", sa.Uuid()), sa.column("rule", sa.Text()), sa.column("created_at", INSTANT)
    )
    version = sa.table(
        "rule_version",
        sa.column("series_id", sa.Uuid()),
        sa.column("version", sa.Integer()),
        sa.column("rule", sa.Text()),
        sa.column("set_by", sa.String()),
        sa.column("set_at", INSTANT),
    )
    for row in connection.execute(sa.select(series)).all():
        old = json.loads(row.rule)
        kinds = old.get("any_of") or ["code", "approval"]
        new = {"ways": [[{"kind": kind}] for kind in kinds], "required": min(100, max(1, old.get("required", 10)))}
        connection.execute(
            sa.insert(version).values(
                series_id=row.id, version=1, rule=json.dumps(new), set_by="upgrade", set_at=row.created_at
            )
        )


def _make_what_people_write() -> None:
    op.create_table(
        "more_time",
        sa.Column("check_in_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name=op.f("fk_more_time_check_in_id_check_in")),
        _participant("more_time"),
        sa.PrimaryKeyConstraint("check_in_id", "participant_id", name=op.f("pk_more_time")),
    )
    op.create_table(
        "excuse",
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        _participant("excuse"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_excuse_session_id_session")),
        sa.PrimaryKeyConstraint("participant_id", "session_id", name=op.f("pk_excuse")),
    )
    op.create_table(
        "reflection",
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("handed_in_at", INSTANT),
        sa.Column("evidence_id", ID),
        sa.Column("read_at", INSTANT),
        sa.Column("comment", sa.Text()),
        sa.Column("returned_at", INSTANT),
        _participant("reflection"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_reflection_session_id_session")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_reflection_evidence_id_evidence")),
        sa.PrimaryKeyConstraint("participant_id", "session_id", name=op.f("pk_reflection")),
    )
    op.create_table(
        "objection",
        sa.Column("id", ID, primary_key=True),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("course_id", ID, nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_by", sa.String(128)),
        sa.Column("answered_at", INSTANT),
        _participant("objection"),
        _course("objection"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_objection_series_id_series")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_objection_session_id_session")),
    )
    of_course = ["course_id", "series_id", "answered_at"]
    op.create_index(op.f("ix_objection_course_id_series_id_answered_at"), "objection", of_course)
    op.create_index(op.f("ix_objection_participant_id_series_id"), "objection", ["participant_id", "series_id"])


def _make_rosters() -> None:
    op.create_table(
        "course_count",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.Column("session_ids", sa.Text()),
        sa.Column("set_by", sa.String(128), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        _course("course_count"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_course_count_series_id_series")),
        sa.PrimaryKeyConstraint("course_id", "series_id", name=op.f("pk_course_count")),
    )
    op.create_table(
        "course_roster",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("read_at", INSTANT),
        sa.Column("failing_since", INSTANT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("next_read_at", INSTANT),
        sa.Column("held", sa.Text()),
        sa.Column("held_at", INSTANT),
        _course("course_roster"),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_roster")),
    )
    op.create_table(
        "roster_member",
        sa.Column("course_id", ID, nullable=False),
        sa.Column("sub", sa.String(255), nullable=False),
        sa.Column("is_learner", sa.Boolean(), nullable=False),
        sa.Column("is_suspended", sa.Boolean(), nullable=False),
        sa.Column("gone_at", INSTANT),
        _course("roster_member"),
        sa.PrimaryKeyConstraint("course_id", "sub", name=op.f("pk_roster_member")),
    )
    op.create_table(
        "gradebook_pause",
        sa.Column("platform_id", ID, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("only_by", sa.String(32)),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_gradebook_pause_platform_id_platform")),
        sa.PrimaryKeyConstraint("platform_id", name=op.f("pk_gradebook_pause")),
    )


def _widen_what_is_there() -> None:
    op.add_column("platform", sa.Column("product", sa.String(16), nullable=False, server_default="generic"))
    _guess_the_products()
    op.add_column("placement", sa.Column("line_item_attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("placement", sa.Column("line_item_next_at", INSTANT))
    op.add_column("placement", sa.Column("line_item_problem", sa.Text()))
    with op.batch_alter_table("membership") as batch:
        batch.alter_column("launched_at", existing_type=INSTANT, nullable=True)
    op.add_column("check_in", sa.Column("reason", sa.Text()))
    op.add_column("evidence", sa.Column("amount", sa.Integer()))
    op.add_column("evidence", sa.Column("recorded_by", sa.String(128)))
    op.add_column("completion", sa.Column("by_recording", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("delivery", sa.Column("was_refused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("delivery", sa.Column("trying_since", INSTANT))
    op.create_index(op.f("ix_delivery_placement_id_participant_id"), "delivery", ["placement_id", "participant_id"])


def _guess_the_products() -> None:
    """As lms.products.product_of does for new ones; the later line wins."""
    platform = sa.table(
        "platform", sa.column("issuer", sa.String()), sa.column("token_endpoint", sa.Text()), sa.column("product")
    )
    issuer, endpoint = sa.func.lower(platform.c.issuer), sa.func.lower(platform.c.token_endpoint)
    for product, holds in (
        ("blackboard", sa.or_(endpoint.like("https://%blackboard.com/%"), issuer.like("https://%blackboard.com"))),
        ("brightspace", sa.or_(endpoint.like("https://%brightspace.com/%"), issuer.like("https://%brightspace.com"))),
        (
            "canvas",
            sa.and_(
                endpoint.like("%/login/oauth2/token"),
                sa.or_(
                    *(address.like(f"%{name}%") for address in (issuer, endpoint) for name in ("canvas", "instructure"))
                ),
            ),
        ),
        ("sakai", endpoint.like("%/imsblis/lti13/token%")),
        ("moodle", endpoint.like("%/mod/lti/token.php")),
    ):
        op.execute(sa.update(platform).where(holds).values(product=product))


def _participant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["participant_id"], ["participant.id"], name=op.f(f"fk_{table}_participant_id_participant")
    )


def _course(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f(f"fk_{table}_course_id_course"))
