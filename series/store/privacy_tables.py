"""Tables of what people may demand of us, and of the proofs that it was done; as series.store.tables."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from series.store.tables import Id, Instant, metadata

pseudonym_salt = Table(  # with the key outside the database it makes a university's pseudonym key; one in force
    "pseudonym_salt",
    metadata,
    Column("university_id", ForeignKey("university.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
)

erased_person = Table(  # a tombstone: nobody is taken in again by a sync who has had themselves erased
    "erased_person",
    metadata,
    Column("university_id", ForeignKey("university.id"), primary_key=True),
    Column("pseudonym", String(64), primary_key=True),  # of (issuer, sub), by a key that is not rotated
    Column("erased_at", Instant, nullable=False),
)

transfer_code = Table(  # moves one's progress to another account of the same person, once
    "transfer_code",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the code
    Column("participant_id", ForeignKey("participant.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "participant_id"),
)

audit_salt = Table(  # with it a commitment can be shown to mean this participant; erasure destroys it
    "audit_salt",
    metadata,
    Column("participant_id", ForeignKey("participant.id"), primary_key=True),
    Column("salt", LargeBinary, primary_key=True),  # more than one, of who was two participants once
)

audit_seal = Table(  # a batch of the audit that can no longer be changed unseen
    "audit_seal",
    metadata,
    Column("id", Id, primary_key=True),
    Column("first_audit_id", Id, nullable=False),
    Column("last_audit_id", Id, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("line_digests", Text, nullable=False),  # id:digest of each line, so that verify can say which has changed
    Column("seal", String(64), nullable=False),  # HMAC over all of it and the seal before it
    Column("sealed_at", Instant, nullable=False),
    UniqueConstraint("last_audit_id"),
)

transfer_instrument = Table(  # what lets named data cross to a country without an adequacy decision
    "transfer_instrument",
    metadata,
    Column("university_id", ForeignKey("university.id"), primary_key=True),
    Column("instrument", Text, nullable=False),  # in the coordinator's words: the contract and its date
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

deletion_certificate = Table(  # of a university that has left: what was deleted, and when
    "deletion_certificate",
    metadata,
    Column("id", Id, primary_key=True),
    Column("university_name", String(255), nullable=False),
    Column("country", String(2), nullable=False),
    Column("counts", Text, nullable=False),  # JSON: rows by kind of data
    Column("deleted_at", Instant, nullable=False),
    Column("deleted_by", String(128), nullable=False),
    Column("proof", String(64), nullable=False),  # HMAC over all of it
)
