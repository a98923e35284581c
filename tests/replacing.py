"""A university that registers its LMS again, or whose LMS gets another address."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from series.people import Visit
from series.store.database import Database
from series.store.known import DeploymentDisabled, PlatformDisabled
from series.store.launch_values import NewVisit
from series.store.scores import queue_missing_scores
from series.store.succession import Replaced, Replacement, preview_replacement, replace_platform
from series.store.tables import delivery, metadata
from series.store.universities import NewPlatform, PlatformRow, add_platform, require_platform
from series.store.visits import find_visit
from tests.conftest import NOW
from tests.seeds import ISSUER, LAUNCH, PLATFORM, launch

LaunchRefused = (PlatformDisabled, DeploymentDisabled)

LATER = NOW + timedelta(minutes=5)
NEW_ISSUER = "https://learn.malta.example"
REGISTERED_AGAIN = replace(PLATFORM, slug="malta-2", client_id="client-2", deployment_ids=("7",))
RENAMED = replace(REGISTERED_AGAIN, issuer=NEW_ISSUER)
NEW_LINE_ITEM = f"{ISSUER}/lineitems/4/lineitem?type_id=7"


def register(database: Database, new: NewPlatform) -> PlatformRow:
    with database.write() as connection:
        add_platform(connection, new, now=NOW)
        return require_platform(connection, new.slug)


def find(database: Database, slug: str) -> PlatformRow:
    with database.read() as connection:
        return require_platform(connection, slug)


def through(home: PlatformRow, new: NewVisit = LAUNCH, *, deployment_id: str = "7") -> NewVisit:
    """The same launch through another platform, which names its own line item."""
    return structs.replace(
        new,
        platform_id=home.platform_id,
        university_id=home.university_id,
        issuer=home.issuer,
        deployment_id=deployment_id,
        line_item_url=NEW_LINE_ITEM,
    )


def look(database: Database, visit: Visit) -> Visit:
    """The visit as it is now."""
    with database.read() as connection:
        found = find_visit(connection, visit.visit_id, now=NOW)
    assert found is not None
    return found.visit


def values(database: Database, *columns: sa.Column[Any]) -> list[Any]:
    """All rows, in order."""
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns))]


def everything(database: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with database.read() as connection:
        return {
            table.name: sorted(connection.execute(sa.select(table)).all(), key=str) for table in metadata.sorted_tables
        }


def succeed(
    database: Database,
    old: str = "malta",
    new: str = "malta-2",
    *,
    deployments: Mapping[str, str] | None = None,
    now: datetime = LATER,
    preview: bool = False,
) -> Replaced:
    act = preview_replacement if preview else replace_platform
    with database.write() as connection:
        old_row, new_row = require_platform(connection, old), require_platform(connection, new)
        return act(connection, Replacement(old=old_row, new=new_row, deployments=deployments or {}), now=now)


def tell_missing(database: Database, visit: Visit, *, now: datetime = LATER) -> list[int]:
    """What a launch looks for after it has opened `visit`, once more."""
    with database.write() as connection:
        return queue_missing_scores(
            connection, participant_id=visit.participant_id, placement_id=visit.placement_id, now=now
        )


def launch_and_tell(database: Database, new: NewVisit, *, now: datetime = LATER) -> tuple[Visit, list[int]]:
    """The visit, and the deliveries that its launch has queued."""
    before = set(values(database, delivery.c.id))
    visit = launch(database, new, now=now)
    return visit, [row[0] for row in values(database, delivery.c.id) if row not in before]


def scores(database: Database) -> list[tuple[str, str, int, int, int]]:
    """(line item, state, participant, version, score) of all deliveries, by line item and version."""
    columns = (delivery.c.line_item_url, delivery.c.state, delivery.c.participant_id, delivery.c.version)
    with database.read() as connection:
        rows = connection.execute(
            sa.select(*columns, delivery.c.score_given).order_by(
                delivery.c.line_item_url, delivery.c.participant_id, delivery.c.version
            )
        )
        return [tuple(row) for row in rows]
