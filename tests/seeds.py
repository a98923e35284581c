"""A database with something in it: made by the product's own functions, as an operator and a launch make it."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from msgspec import structs

from lms.ags import SCOPE_RESULT_READONLY, SCOPE_SCORE
from series.people import Visit
from series.rule import Kind, Rule
from series.sessions import Series, Session
from series.store.database import Database
from series.store.evidence import NewEvidence, record_evidence
from series.store.launch_values import NewVisit
from series.store.launches import open_visit, upsert_participant
from series.store.sent_grades import grades_of_participant
from series.store.sessions import add_series, save_import
from series.store.universities import NewPlatform, add_platform, add_university
from series.store.visits import find_visit
from tests.conftest import NOW
from tests.examples import MALTA, SERIES, VILNIUS, weekly

ISSUER = "https://lms.malta.example"
LINE_ITEM = "https://lms.malta.example/lineitems/4/lineitem?type_id=1"
LINE_ITEMS = "https://lms.malta.example/lineitems?type_id=1"
ENCRYPTION_KEY = base64.urlsafe_b64encode(b"k" * 32)  # that of `make_settings`
SECRET_KEY = b"a key"
PLATFORM = NewPlatform(
    slug="malta",
    university_id=MALTA.university_id,
    issuer=ISSUER,
    client_id="client",
    authorization_endpoint=f"{ISSUER}/auth",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/certs",
    token_audience=None,
    deployment_ids=("1",),
)
LAUNCH = NewVisit(  # a student of Malta opens the series from its activity
    visit_id="to be replaced",
    proof_hash="0" * 64,
    nonce="to be replaced",
    nonce_expires_at=NOW + timedelta(minutes=20),
    platform_id=1,
    university_id=MALTA.university_id,
    issuer=ISSUER,
    deployment_id="1",
    sub="5",
    is_teacher=False,
    is_learner=True,
    is_test_user=False,
    is_administrator=False,
    resource_link_id="1",
    context_id="2",
    context_title="Teaching STEM",
    return_url=None,
    locale=None,
    line_item_url=LINE_ITEM,
    line_items_url=LINE_ITEMS,
    ags_scopes=(SCOPE_SCORE, SCOPE_RESULT_READONLY),
    memberships_url=None,
    custom_series_id=None,
    custom_session_id=None,
)


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What the tables hold: Malta with its platform, Vilnius without, one series with its sessions."""

    platform_id: int
    series: Series
    sessions: tuple[Session, ...]

    @property
    def session_ids(self) -> list[UUID]:
        return [session.session_id for session in self.sessions]


def seed(
    database: Database,
    *,
    sessions: Iterable[Session] | None = None,
    required: int = 2,
    platform: NewPlatform = PLATFORM,
    now: datetime = NOW,
) -> Seeded:
    wanted = tuple(weekly(3) if sessions is None else sessions)
    with database.write() as connection:
        for university in (MALTA, VILNIUS):
            university_id = add_university(
                connection,
                slug=university.slug,
                name=university.name,
                country=university.country,
                time_zone=university.time_zone,
                language=university.language,
            )
            assert university_id == university.university_id
        platform_id = add_platform(connection, platform, now=now)
        add_series(connection, SERIES, rule=Rule(required=required), now=now)
        save_import(
            connection,
            SERIES.series_id,
            new=[(session, (f"{session.session_id}@example", session.start_at)) for session in wanted],
            changed=(),
            rekeyed=(),
            now=now,
        )
    return Seeded(platform_id=platform_id, series=SERIES, sessions=wanted)


def launch(database: Database, new: NewVisit = LAUNCH, *, now: datetime = NOW) -> Visit:
    """Open `new` as a launch of its own."""
    one = structs.replace(new, visit_id=uuid4().hex, nonce=uuid4().hex)
    with database.write() as connection:
        open_visit(connection, one, now=now, secret_key=SECRET_KEY)
    with database.read() as connection:
        found = find_visit(connection, one.visit_id, now=now)
    assert found is not None
    return found.visit


def code_of(visit: Visit, session_id: UUID, *, source_id: str = "1", at: datetime = NOW) -> NewEvidence:
    """The fact that a check-in code was entered in a visit."""
    return code_entered(visit.participant_id, session_id, source_id=source_id, at=at)


def code_entered(participant_id: int, session_id: UUID, *, source_id: str = "1", at: datetime = NOW) -> NewEvidence:
    """The same of somebody whose visit is not known."""
    return NewEvidence(
        participant_id=participant_id,
        session_id=session_id,
        kind=Kind.CODE,
        source="check-in",
        source_id=source_id,
        observed_at=at,
    )


def record(database: Database, new: NewEvidence, *, now: datetime = NOW) -> list[int]:
    with database.write() as connection:
        return record_evidence(connection, new, now=now)


def somebody_takes_part(database: Database, session_id: UUID, *, now: datetime = NOW) -> int:
    """A participant of the first university with a fact; their id."""
    with database.write() as connection:
        participant_id = upsert_participant(connection, university_id=1, issuer=ISSUER, sub="5", now=now)
        record_evidence(connection, code_entered(participant_id, session_id, at=now), now=now)
    return participant_id


def last_sent(connection: sa.Connection, visit: Visit) -> tuple[str, str | None] | None:
    """(state, outcome) of the newest grade from the activity of the visit."""
    who = {"participant_id": visit.participant_id, "series_id": visit.series_id}
    sent = [each for each in grades_of_participant(connection, **who) if each.placement_id == visit.placement_id]
    return (sent[0].state, sent[0].outcome) if sent else None


def count(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
