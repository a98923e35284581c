"""Universities that take part in a series, each with so many people in each session, counted in a step."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import structs

from series.pooled import PooledBy, Step
from series.store.database import Database
from series.store.pooled import take_step
from series.store.pooled_settings import keep_pooled_by
from series.store.universities import NewPlatform, add_platform, add_university
from tests.conftest import NOW
from tests.examples import SERIES
from tests.seeds import LAUNCH, code_of, launch, record

OTHERS = {  # slug: (name, country)
    "zagreb": ("University of Zagreb", "HR"),
    "athens": ("Εθνικό και Καποδιστριακό Πανεπιστήμιο Αθηνών", "GR"),
    "kiel": ("Mathematisch-Naturwissenschaftliche Lehrerbildungsuniversität zu Kiel", "DE"),
    "oslo": ("=Oslo(Metropolitan)", "NO"),
    "porto": ("Universidade do Porto", "PT"),
    "graz": ("University of Graz", "AT"),
}


def fill(
    database: Database,
    sessions: Sequence[UUID],
    people: Mapping[str, Sequence[int]],
    *,
    now: datetime = NOW,
    new_each_time: int = 0,
) -> dict[str, int]:
    """`people`: of a university, how many completed each of `sessions`; from session to session so many new ones come
    in place of others. University ids by slug."""
    return {
        slug: _fill_one(
            database,
            slug,
            {
                one: range(number * new_each_time, number * new_each_time + count)
                for number, (one, count) in enumerate(zip(sessions, counts, strict=True))
            },
            now,
        )
        for slug, counts in people.items()
    }


def _fill_one(database: Database, slug: str, people: Mapping[UUID, range], now: datetime) -> int:
    name, country = OTHERS[slug]
    issuer = f"https://{slug}.example"
    with database.write() as connection:
        university_id = add_university(
            connection, slug=slug, name=name, country=country, time_zone="Europe/Berlin", language="en"
        )
        new = NewPlatform(
            slug=slug,
            university_id=university_id,
            issuer=issuer,
            client_id=slug,
            authorization_endpoint=f"{issuer}/auth",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/keys",
            token_audience=None,
            deployment_ids=("1",),
        )
        platform_id = add_platform(connection, new, now=now)
    of_there = structs.replace(
        LAUNCH,
        platform_id=platform_id,
        university_id=university_id,
        issuer=issuer,
        deployment_id="1",
        line_item_url=f"{issuer}/lineitems/1",
        nonce_expires_at=now + timedelta(minutes=20),
    )
    for number in sorted({one for those in people.values() for one in those}):
        visit = launch(database, structs.replace(of_there, sub=f"{slug}-{number}"), now=now)
        for session_id, those in people.items():
            if number in those:
                record(database, code_of(visit, session_id, at=now), now=now)
    return university_id


def publish_step(
    database: Database,
    *,
    now: datetime = NOW,
    by: PooledBy = PooledBy.SESSION,
    series_id: UUID = SERIES.series_id,
) -> Step:
    with database.write() as connection:
        keep_pooled_by(connection, series_id, by)  # in place of what the step would decide
        step = take_step(connection, series_id, due_at=now, now=now)
    assert step is not None
    return step
