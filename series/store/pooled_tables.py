"""Tables of the pooled results: numbers of people, never people; as series.store.tables."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from series.store.tables import Instant, metadata

pooled_step = Table(  # the moments at which the numbers of others are renewed, for all viewers at once
    "pooled_step",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("step_at", Instant, primary_key=True),
    Column("smallest_group", Integer, nullable=False),  # k as it was then
)

pooled_count = Table(  # what a step found, where it is another number than at the step before; protected when read
    "pooled_count",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column(
        "block", String(48), primary_key=True
    ),  # series.pooled.Block.key: session:UUID, month:2026-11, audience:both, term
    Column("university_id", ForeignKey("university.id"), primary_key=True),
    Column("step_at", Instant, primary_key=True),
    Column("people", Integer, nullable=False),  # distinct ones who have completed something in the block
)

course_audience = Table(  # whom a course teaches, for the report to the funder; no data of persons
    "course_audience",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("audience", String(16), nullable=False),  # pre_service, in_service, both
    Column("schools", Integer),  # in which its in-service teachers work; none: not said
    Column("set_by", String(128), nullable=False),
    Column("set_at", Instant, nullable=False),
)
