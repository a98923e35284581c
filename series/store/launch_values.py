"""What a validated launch brings to the store."""

from datetime import datetime

import msgspec


class NewArrival(msgspec.Struct, frozen=True, kw_only=True):
    """Who came from which course. `nonce_expires_at` is when the token would be refused for its age anyway.

    `context_history`: context ids of the courses that this one is a copy of, newest first.
    """

    nonce: str
    nonce_expires_at: datetime
    platform_id: int
    university_id: int  # of the platform
    issuer: str  # of the platform
    deployment_id: str
    sub: str
    context_id: str | None
    context_title: str
    context_history: tuple[str, ...] = ()
    memberships_url: str | None
    visit_id: str | None = None
    resource_link_id: str = ""  # none has this id


class NewVisit(NewArrival, frozen=True, kw_only=True):
    """A placement was opened. `resource_link_history`: ids of those that it is a copy of, newest first."""

    visit_id: str
    proof_hash: str
    is_teacher: bool
    is_learner: bool
    is_test_user: bool
    is_administrator: bool
    resource_link_id: str
    resource_link_history: tuple[str, ...] = ()
    return_url: str | None
    locale: str | None
    line_item_url: str | None
    line_items_url: str | None
    ags_scopes: tuple[str, ...]
    starts_again: bool = False  # they have had their data erased, and say that they begin anew
    custom_series_id: str | None
    custom_session_id: str | None
