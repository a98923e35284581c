"""Tables of what happens between us and the partners' Moodles; as series.store.tables."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint, Uuid

from series.store.tables import Id, Instant, index_where_set, metadata

moodle_job = Table(  # when which job is next done for a connected university
    "moodle_job",
    metadata,
    Column("university_id", ForeignKey("moodle_connection.university_id"), primary_key=True),
    Column("job", String(16), primary_key=True),  # series.moodle_jobs.MoodleJob
    Column("next_at", Instant, nullable=False, index=True),
    Column("again_at", Instant),  # to be done once more then or later, however often before
    Column("failures", Integer, nullable=False, server_default="0"),  # of this job alone, in a row
    Column("ran_at", Instant),  # when it last ended, also without anything to do
    Column("asked_at", Instant),  # somebody wants it then; served by a run that begins later
)

moodle_account = Table(  # an account of ours, by which events were made; the greatest id: the one used last
    "moodle_account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("university_id", ForeignKey("university.id"), nullable=False),
    Column("base_url", Text, nullable=False),
    Column("user_id", Integer, nullable=False),
    UniqueConstraint("university_id", "base_url", "user_id"),
)

mapped_activity = Table(  # an activity of a Moodle course that counts for a session
    "mapped_activity",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("cmid", Integer, primary_key=True),  # course module id, unique in the site
    Column("session_id", Uuid, ForeignKey("session.id"), nullable=False),
    Column("module", String(32), nullable=False),  # page, quiz, assign, …
    Column("name", String(255), nullable=False),  # when it was mapped
    Column("mapped_by", String(128), nullable=False),
    Column("mapped_at", Instant, nullable=False),
    Column("problem", String(16)),  # why it gives nothing: unseen, untracked, own
)

activity_state = Table(  # what Moodle last said of one person and one thing that may complete a session
    "activity_state",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("cmid", Integer, primary_key=True),  # course module id; of a grade: our placement
    Column("sub", String(255), primary_key=True),  # the user id there; no participant, perhaps: then it waits
    Column("source", String(64), primary_key=True),  # of the evidence: series.collecting.Source
    Column("session_id", Uuid, ForeignKey("session.id"), nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),  # Moodle's time
    Column("evidence_id", Id, ForeignKey("evidence.id")),  # none: nobody known yet, or taken back
    Column("said_by", String(64)),  # user id there of the teacher who has set it, if one has
    Column("taken_at", Instant),  # when Moodle alone has taken it back, by our clock
    index_where_set("evidence_id"),
)

course_collect = Table(  # how far the completions of a course have been read
    "course_collect",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("read_at", Instant),  # when the last reading of what had changed began
    Column("all_read_at", Instant),  # and that of everybody
    Column("generation", Integer, nullable=False, server_default="0"),  # grows when all is to be read anew
    Column("refused", Text, nullable=False, server_default="[]"),  # JSON: of whom Moodle told nothing; asked again
    Column("results", Text, nullable=False, server_default="{}"),  # JSON: by line item, the newest result seen
    Column("held", Text),  # JSON: completions taken back, too many at once to be believed; and those that stay
    Column("held_at", Instant),
)

announcement = Table(  # that a session was moved or cancelled, told to one course
    "announcement",
    metadata,
    Column("id", Id, primary_key=True),
    Column("course_id", ForeignKey("course.id"), nullable=False),
    Column("session_id", ForeignKey("session.id"), nullable=False),
    Column("about", String(64), nullable=False),  # the change, so that each is told once
    Column("token", String(16), nullable=False),  # its mark in the forum: random, so that none has it a second time
    Column("state", String(16), nullable=False),  # series.announcements.State
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("began_at", Instant),  # the last try; it may take effect long after its call timed out
    Column("next_at", Instant),
    Column("discussion_id", Integer),
    Column("problem", Text),
    Column("set_by", String(128)),  # who set it aside, or had it posted
    Column("made_at", Instant, nullable=False),
    Column("done_at", Instant),
    UniqueConstraint("course_id", "session_id", "about"),
)

seen_session = Table(  # how a course has seen a session before it first changed there
    "seen_session",
    metadata,
    Column("course_id", ForeignKey("course.id"), primary_key=True),
    Column("session_id", Uuid, ForeignKey("session.id"), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("start_at", Instant, nullable=False),
)

staff_notice = Table(  # what waits for somebody of the staff, and whether they were told by mail
    "staff_notice",
    metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("since_at", Instant, nullable=False),
    Column("mailed_at", Instant),
)
