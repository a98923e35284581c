"""Universities and their registered platforms."""

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, count
from typing import Any

import sqlalchemy as sa

from config.slugs import MAX_SLUG_CHARS
from series.people import University
from series.store.database import insert
from series.store.tables import deployment, platform, university
from series.store.taking_part import refuse_left

NOT_APPROVED = ("pending", "rejected")


class AlreadyThere(Exception):
    """A row with this key exists."""


class NotThere(Exception):
    """Nothing is known by this name. The message names what was looked for."""


class PlatformNotApproved(Exception):
    """It has registered itself, and nobody has approved it."""


class PlatformReplaced(Exception):
    """What this platform had belongs to its successor."""


@dataclass(frozen=True, kw_only=True)
class NewPlatform:
    """What an administrator copies from the LMS; without a `token_audience` it is what the product wants
    (lms.products.table.token_audience). `product`: as lms.products.Product names it. `is_approved`: else it waits,
    with its deployments, for a person. `granted_scopes`: blanks between."""

    slug: str
    university_id: int
    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_audience: str | None
    deployment_ids: tuple[str, ...]
    product: str = "generic"
    is_approved: bool = True
    granted_scopes: str | None = None
    lms_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlatformRow:
    """One registered LMS and its endpoints."""

    platform_id: int
    university_id: int
    slug: str
    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_audience: str | None
    product: str
    state: str
    succeeds_platform_id: int | None
    granted_scopes: str | None = None
    lms_version: str | None = None


def add_university(
    connection: sa.Connection, *, slug: str, name: str, country: str, time_zone: str, language: str
) -> int:
    """The new university's id. Raises AlreadyThere for a slug that is taken."""
    added: int | None = connection.execute(
        insert(connection, university)
        .values(slug=slug, name=name, country=country, time_zone=time_zone, language=language)
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(university.c.id)
    ).scalar_one_or_none()
    if added is None:
        raise AlreadyThere(f"There is already a university {slug!r}.")
    return added


def list_universities(connection: sa.Connection) -> list[University]:
    return [university_of_row(row) for row in connection.execute(sa.select(university).order_by(university.c.name))]


def find_university(connection: sa.Connection, slug: str) -> University:
    """Raises NotThere."""
    row = connection.execute(sa.select(university).where(university.c.slug == slug)).one_or_none()
    if row is None:
        raise NotThere(f"There is no university {slug!r}; `lti-tool university list` shows all.")
    return university_of_row(row)


def add_platform(connection: sa.Connection, new: NewPlatform, *, now: datetime) -> int:
    """Register a platform with its deployments; the new id. Raises AlreadyThere, UniversityLeft."""
    refuse_left(connection, new.university_id)
    values = {name: value for name, value in asdict(new).items() if name not in {"deployment_ids", "is_approved"}}
    state, deployment_state = ("active", "approved") if new.is_approved else ("pending", "pending")
    platform_id: int | None = connection.execute(
        insert(connection, platform)
        .values(**values, state=state, created_at=now)
        .on_conflict_do_nothing()
        .returning(platform.c.id)
    ).scalar_one_or_none()
    if platform_id is None:
        raise AlreadyThere(f"There is already a platform {new.slug!r}, or one with this issuer and client id.")
    for deployment_id in dict.fromkeys(new.deployment_ids):
        connection.execute(
            sa.insert(deployment).values(platform_id=platform_id, deployment_id=deployment_id, state=deployment_state)
        )
    return platform_id


def list_platforms(connection: sa.Connection) -> list[PlatformRow]:
    return [_platform(row) for row in connection.execute(sa.select(platform).order_by(platform.c.slug))]


def find_platform(connection: sa.Connection, slug: str) -> PlatformRow | None:
    return _one_platform(connection, platform.c.slug == slug)


def require_platform(connection: sa.Connection, slug: str) -> PlatformRow:
    """Raises NotThere."""
    row = find_platform(connection, slug)
    if row is None:
        raise NotThere(f"There is no platform {slug!r}; `lti-tool platform list` shows all.")
    return row


def get_platform(connection: sa.Connection, platform_id: int) -> PlatformRow | None:
    return _one_platform(connection, platform.c.id == platform_id)


def platforms_of_issuer(connection: sa.Connection, issuer: str) -> list[PlatformRow]:
    """Cloud LMSs share one issuer between all their customers, so there may be several."""
    return [_platform(row) for row in connection.execute(sa.select(platform).where(platform.c.issuer == issuer))]


def platforms_of_university(connection: sa.Connection, university_id: int) -> list[PlatformRow]:
    """The active ones first."""
    query = (
        sa.select(platform)
        .where(platform.c.university_id == university_id)
        .order_by(platform.c.state != "active", platform.c.id)
    )
    return [_platform(row) for row in connection.execute(query)]


def free_slug(connection: sa.Connection, university_slug: str) -> str:
    """For the next platform of a university: its own slug, or that with -2, -3 …"""
    of_it = sa.select(platform.c.slug).where(platform.c.slug.startswith(university_slug, autoescape=True))
    taken = set(connection.execute(of_it).scalars())
    numbered = (f"{university_slug[: MAX_SLUG_CHARS - 5]}-{number}" for number in count(2))
    return next(slug for slug in chain([university_slug], numbered) if slug not in taken)


def successor_of(connection: sa.Connection, platform_id: int) -> PlatformRow | None:
    """The platform that took the place of this one."""
    return _one_platform(connection, platform.c.succeeds_platform_id == platform_id)


def set_product(connection: sa.Connection, platform_id: int, product: str) -> None:
    """`product`: as lms.products.Product names it. May be repeated."""
    connection.execute(sa.update(platform).where(platform.c.id == platform_id).values(product=product))


def disable_platform(connection: sa.Connection, platform_id: int) -> None:
    """Refuse its launches and hold its scores; one that nobody has approved is turned down. May be repeated."""
    state = sa.case((platform.c.state.in_(NOT_APPROVED), "rejected"), else_="disabled")
    connection.execute(sa.update(platform).where(platform.c.id == platform_id).values(state=state))


def approve_platform(connection: sa.Connection, platform_id: int) -> bool:
    """Let in a platform that has registered itself, with the deployments that its registration named; whether it
    waited for that, or had been turned down. May be repeated. Raises UniversityLeft."""
    refuse_left(connection, _home_of(connection, platform_id))
    found = connection.execute(
        sa.update(platform)
        .where(platform.c.id == platform_id, platform.c.state.in_(NOT_APPROVED))
        .values(state="active")
        .returning(platform.c.id)
    ).one_or_none()
    if found is None:
        return False
    # No launch has named any: those of such a platform are refused before.
    connection.execute(
        sa.update(deployment)
        .where(deployment.c.platform_id == platform_id, deployment.c.state == "pending")
        .values(state="approved")
    )
    return True


def enable_platform(connection: sa.Connection, row: PlatformRow) -> None:
    """May be repeated. Raises PlatformReplaced: its people would become other people; PlatformNotApproved;
    UniversityLeft."""
    refuse_left(connection, row.university_id)
    if row.state in NOT_APPROVED:
        raise PlatformNotApproved(
            f"{row.slug!r} has registered itself, and nobody has approved it: `lti-tool platform approve {row.slug}`."
        )
    successor = successor_of(connection, row.platform_id)
    if successor is not None:
        raise PlatformReplaced(f"{row.slug!r} was replaced by {successor.slug!r}, which has all it had; use that one.")
    connection.execute(sa.update(platform).where(platform.c.id == row.platform_id).values(state="active"))


def _home_of(connection: sa.Connection, platform_id: int) -> int | None:
    home_id: int | None = connection.execute(
        sa.select(platform.c.university_id).where(platform.c.id == platform_id)
    ).scalar_one_or_none()
    return home_id


def _one_platform(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> PlatformRow | None:
    row = connection.execute(sa.select(platform).where(condition)).one_or_none()
    return None if row is None else _platform(row)


def university_of_row(row: Any) -> University:
    return University(
        university_id=row.id,
        slug=row.slug,
        name=row.name,
        country=row.country,
        time_zone=row.time_zone,
        language=row.language,
    )


def _platform(row: Any) -> PlatformRow:
    return PlatformRow(
        platform_id=row.id,
        university_id=row.university_id,
        slug=row.slug,
        issuer=row.issuer,
        client_id=row.client_id,
        authorization_endpoint=row.authorization_endpoint,
        token_endpoint=row.token_endpoint,
        jwks_uri=row.jwks_uri,
        token_audience=row.token_audience,
        product=row.product,
        state=row.state,
        succeeds_platform_id=row.succeeds_platform_id,
        granted_scopes=row.granted_scopes,
        lms_version=row.lms_version,
    )
