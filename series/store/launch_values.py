"""What a validated launch brings to the store."""

from datetime import datetime

import msgspec


class NewVisit(msgspec.Struct, frozen=True, kw_only=True):
    """What a launch brings to the store. `nonce_expires_at` is when its token would be refused for its age anyway."""

    visit_id: str
    proof_hash: str
    nonce: str
    nonce_expires_at: datetime
    platform_id: int
    university_id: int  # of the platform
    issuer: str  # of the platform
    deployment_id: str
    sub: str
    is_teacher: bool
    is_learner: bool
    is_test_user: bool
    is_administrator: bool
    resource_link_id: str
    context_id: str | None
    context_title: str
    return_url: str | None
    locale: str | None
    line_item_url: str | None
    line_items_url: str | None
    ags_scopes: tuple[str, ...]
    memberships_url: str | None
    custom_series_id: str | None
    custom_session_id: str | None
