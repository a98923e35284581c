"""The activities that somebody has picked, as the LMS gets them and as the picker shows them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext

from lms.products.deep_linking import DeepLinking
from lti_tool.protocol.deep_linking import ContentItem, Icon, LineItem, Picking, Window
from series.deliveries import resource_id_of
from series.sessions import Session, without_join_link
from series.store.picks import Offer

TAG = "shared-sessions"
MAX_TITLE, MAX_TEXT = 255, 1000  # Moodle keeps no longer titles
WHOLE = "series"  # in the picker's form: the whole series as one activity


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One activity that would be made. `session` None: of the whole series. `opens_at`, `closes_at`: its dates in the
    LMS, where that takes some."""

    item: ContentItem
    session: Session | None
    points: int | None
    opens_at: datetime | None
    closes_at: datetime | None


def planned_items(
    offer: Offer, chosen: Collection[UUID] | None, picking: Picking, product: DeepLinking, *, public_url: str
) -> list[Planned]:
    """One of the whole series (`chosen` None), or one of each chosen session, in the order of their start."""
    if chosen is None:
        return [_planned(offer, None, picking, product, public_url)]
    wanted = [session for session in offer.sessions if session.session_id in chosen]
    return [_planned(offer, session, picking, product, public_url) for session in wanted]


def _planned(offer: Offer, session: Session | None, picking: Picking, product: DeepLinking, public_url: str) -> Planned:
    series, points = offer.series, 1 if session else offer.required
    title = (session.title if session else series.title)[:MAX_TITLE]
    session_id = session.session_id if session else None
    custom = {"shared_sessions_series": str(series.series_id)}
    if session:
        custom["shared_sessions_session"] = str(session.session_id)
    line_item = LineItem(
        score_maximum=points, label=title, resource_id=resource_id_of(series.series_id, session_id), tag=TAG
    )
    window = _window(offer, session) if product.takes_windows else None
    return Planned(
        item=ContentItem(
            title=title,
            text=_text(session),
            url=f"{public_url}/lti/launch",
            icon=Icon(url=f"{public_url}/static/icon.svg"),
            custom=custom,
            line_item=line_item if picking.accepts_line_items else None,
            submission=window and Window(start_date_time=window[0].isoformat(), end_date_time=window[1].isoformat()),
        ),
        session=session,
        points=points if picking.accepts_line_items else None,
        opens_at=window[0] if window else None,
        closes_at=window[1] if window else None,
    )


def _window(offer: Offer, session: Session | None) -> tuple[datetime, datetime] | None:
    """From the start to when nothing can be handed in any more."""
    held = [session] if session else [one for one in offer.sessions if not one.is_cancelled]
    if not held:
        return None
    last = max(one.end_at for one in held)
    return min(one.start_at for one in held), last + timedelta(days=offer.open_days)


def _text(session: Session | None) -> str:
    """Without dates: they go stale."""
    if session is None:
        whole: str = gettext("This week's session, your check-in, and what counts for you: all in one activity.")
        return whole
    return without_join_link(session.description, session, "")[:MAX_TEXT]
