"""Tables of how LMSs are connected, and of who is asked to do what; as series.store.tables."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text, Uuid

from series.store.tables import Id, Instant, metadata

lms_invitation = Table(  # to register one LMS of a university, once; its secret is made anew from its id and our key
    "lms_invitation",
    metadata,
    Column("id", Id, primary_key=True),
    Column("university_id", ForeignKey("university.id"), nullable=False),
    Column("approves", Boolean, nullable=False),  # what registers by it works at once
    Column("created_by", String(128), nullable=False),  # as in the audit table
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("claimed_until", Instant),  # a registration by it is under way; two at once must not both succeed
    Column("used_at", Instant),
    Column("platform_id", ForeignKey("platform.id")),  # what was registered by it
    Column("problem", Text),  # why the last try to use it came to nothing, in words
    Column("problem_at", Instant),
    Index(None, "university_id"),
)

platform_arrival = Table(  # what an LMS says at its launches: names of claims, and never a value
    "platform_arrival",
    metadata,
    Column("platform_id", ForeignKey("platform.id"), primary_key=True),
    Column("message_type", String(64), primary_key=True),
    Column("claims", Text, nullable=False),  # JSON: the names that came with the last launch that was looked at
    Column("unexpanded", Text, nullable=False),  # JSON: custom parameters of ours that came back as they were sent
    Column("seen_at", Instant, nullable=False),  # to the hour
)

platform_check = Table(  # the pre-flight of an LMS: asked for by a person or the clock, done by the worker
    "platform_check",
    metadata,
    Column("platform_id", ForeignKey("platform.id"), primary_key=True),
    Column("next_at", Instant, nullable=False, index=True),  # when the worker looks next; while it looks, when to again
    Column("asked_at", Instant),  # somebody waits for it
    Column("test_user", String(255)),  # a test student's user id there, for a score that is read back
    Column("began_at", Instant),
    Column("checked_at", Instant),
    Column("checks", Text),  # JSON: what the last one found
    Column("gaps_since", Text),  # JSON: when each gap was first found
    Column("trial_left_in", Text),  # line items of the course in which a test column is, until it is deleted
)

staff_binding = Table(  # a person who comes by launch as their LMS's administrator, and is this one of the staff
    "staff_binding",
    metadata,
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("bound_at", Instant, nullable=False),
    Index(None, "staff_id"),
)

host_request = Table(  # somebody of the hosting university says that they host; the coordinator answers
    "host_request",
    metadata,
    Column("session_id", Uuid, ForeignKey("session.id"), primary_key=True),
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("course_id", ForeignKey("course.id")),  # from which they asked
    Column("asked_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, confirmed, refused
    Column("decided_by", String(128)),
    Column("decided_at", Instant),
)

host_invitation = Table(  # whom the coordinator has named: the first who opens it from their LMS is it
    "host_invitation",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Uuid, ForeignKey("session.id"), nullable=False),
    Column("label", String(255), nullable=False),  # who is meant, in the coordinator's words
    Column("created_by", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
    Column("participant_id", ForeignKey("participant.id")),
    Column("used_as", String(16)),  # series.hosts.CameAs: by the visit in which it was used
    Index(None, "session_id"),
)

join_link_change = Table(  # who changed where people meet: the hosts alone, because links may be keys
    "join_link_change",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Uuid, ForeignKey("session.id"), nullable=False),
    Column("changed_by", String(128), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("old_host", String(255)),  # none: there was no link
    Column("new_host", String(255)),
    Index(None, "session_id"),
)

round_answer = Table(  # what a course was told of a newer round of its series
    "round_answer",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("old_series_id", Uuid, ForeignKey("series.id"), primary_key=True),
    Column("new_series_id", Uuid, ForeignKey("series.id"), primary_key=True),
    Column("is_taken", Boolean, nullable=False),  # whether its activities show the new round now
    Column("answered_by", String(128), nullable=False),
    Column("answered_at", Instant, nullable=False),
)
