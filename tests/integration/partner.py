"""A partner university as the worker sees it: its LMS over real HTTP, and our database that knows it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from lms.products import product_of
from moodle_sync import moodle_runs
from moodle_sync.services import Services, make_services
from sandbox_lms.campus import MALTA as CAMPUS
from sandbox_lms.campus import Campus
from series.moodle_jobs import Level, MoodleJob
from series.people import Visit
from series.sessions import Session
from series.store.deliveries import DeliveryRow, list_deliveries
from series.store.keys import add_tool_key
from series.store.launch_values import NewVisit
from series.store.mirrors import tie_course
from series.store.moodle_connections import MoodleConnection, NewConnection, save_connection
from series.store.runs import SyncRun, list_runs, slot_by_hand
from series.store.sessions import save_import
from tests.conftest import make_settings
from tests.examples import MALTA, SERIES, SESSION, moved, weekly
from tests.integration.sandbox_client import TOOL_KEY, World
from tests.seeds import ENCRYPTION_KEY, LAUNCH, PLATFORM, Seeded, code_of, launch, record, seed


@dataclass(frozen=True, kw_only=True)
class Partner:
    """Malta with a sandbox LMS, a series whose first session runs now, and a student who has opened it."""

    world: World
    services: Services
    seeded: Seeded
    student: Visit

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    def check_in(self, session: int = 0, visit: Visit | None = None) -> int:
        """A right code for one session; the delivery's id."""
        new = code_of(visit or self.student, self.seeded.session_ids[session], at=self.now)
        (delivery_id,) = record(self.services.database, new, now=self.now)
        return delivery_id

    def launch(self, sub: str) -> Visit:
        return launch(self.services.database, launch_at(self.world, self.seeded, sub), now=self.now)

    def delivery(self, delivery_id: int) -> DeliveryRow:
        with self.services.database.read() as connection:
            return next(row for row in list_deliveries(connection, state=None) if row.delivery_id == delivery_id)

    def connect(self, level: Level = Level.CALENDAR) -> MoodleConnection:
        """The university's Moodle, with the series in its course."""
        campus = self.world.campus
        with self.services.database.write() as connection:
            new = NewConnection(
                university_id=MALTA.university_id,
                base_url=campus.issuer,
                token=campus.moodle_token,
                moodle_user_id=campus.moodle_user_id,
                level=level,
            )
            save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=self.now)
            tie_course(
                connection,
                university_id=MALTA.university_id,
                moodle_course_id=campus.course_id,
                title=campus.course_title,
                series_id=SERIES.series_id,
                now=self.now,
            )
        return self.connection()

    def connection(self) -> MoodleConnection:
        found = moodle_runs.connection_of(self.services, "malta")
        assert found is not None
        return found

    def run(self, job: MoodleJob) -> moodle_runs.Came:
        """One run by hand."""
        run_id = moodle_runs.begin(self.services, self.connection(), job, slot=slot_by_hand())
        assert run_id is not None
        return moodle_runs.run_job(self.services, job, run_id, keep_quiet_runs=True)

    def mirror(self) -> moodle_runs.Came:
        return self.run(MoodleJob.MIRROR)

    def change(self, session: Session) -> Session:
        """What an import does when the calendar says something else of a session."""
        with self.services.database.write() as connection:
            save_import(connection, SERIES.series_id, new=(), changed=[session], rekeyed=(), now=self.now)
        return session

    def runs(self) -> list[SyncRun]:
        with self.services.database.read() as connection:
            return list_runs(connection, limit=100)

    def calls(self) -> list[str]:
        """Which addresses of the LMS were asked, since the last look; Moodle's functions by their name."""
        journal = self.world.sandbox.sites["malta"].journal
        asked = [entry.function or entry.path for entry in journal.entries()]
        journal.clear()
        return asked


def launch_at(world: World, seeded: Seeded, sub: str) -> NewVisit:
    """The activity of the sandbox LMS, opened by the person with this id there."""
    return structs.replace(
        LAUNCH,
        sub=sub,
        platform_id=seeded.platform_id,
        issuer=world.sandbox.campuses["malta"].issuer,
        line_item_url=world.line_item_url(),
    )


@contextmanager
def open_partner(folder: Path, database_url: str, campus: Campus = CAMPUS) -> Iterator[Partner]:
    with ExitStack() as stack:
        world = stack.enter_context(World(folder, [campus]))
        settings = replace(make_settings(database_url), public_url=world.tool_url, clock_file=world.clock.offset_file)
        services = make_services(settings)
        stack.callback(services.database.dispose)
        stack.callback(services.http.close)
        registration = world.campus.registration()
        platform = replace(
            PLATFORM,
            issuer=registration.issuer,
            client_id=registration.client_id,
            authorization_endpoint=registration.authorization_endpoint,
            token_endpoint=registration.token_endpoint,
            jwks_uri=registration.jwks_uri,
            product=product_of(registration.issuer, registration.token_endpoint),
            deployment_ids=(registration.deployment_id,),
        )
        now = services.clock.now()
        started_at = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        sessions = [moved(session, started_at - SESSION.start_at) for session in weekly(3)]
        seeded = seed(services.database, sessions=sessions, platform=platform, now=now)
        with services.database.write() as connection:
            pem = TOOL_KEY.as_pem(private=True)
            add_tool_key(connection, kid="tool-key", private_key_pem=pem, encryption_key=ENCRYPTION_KEY, now=now)
        student = launch(services.database, launch_at(world, seeded, "3"), now=now)
        yield Partner(world=world, services=services, seeded=seeded, student=student)
