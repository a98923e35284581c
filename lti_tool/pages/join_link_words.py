"""What pages say of a join link that was changed. By whom, and never by which person."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.join_links import CALENDAR, JoinPlaces
from series.sessions import Series, Session
from series.store.database import Connection
from series.store.join_links import JoinLinkChange, join_link_changes, late_change


@dataclass(frozen=True, kw_only=True)
class ChangedLink:
    """A line of the log."""

    at: str
    by: str
    what: str


def who_changed(by: str) -> str:
    if by == CALENDAR:
        return str(gettext("the calendar"))
    return str(gettext("the host") if by.startswith("participant ") else gettext("the coordinator"))


def link_log(connection: Connection, session: Session, zone: str) -> list[ChangedLink]:
    """The newest first, for hosts and coordinators."""
    return [
        ChangedLink(at=moment(one.at, zone), by=who_changed(one.by), what=_what(one))
        for one in join_link_changes(connection, session.session_id)
    ]


def link_notice(connection: Connection, session: Session, zone: str, *, now: datetime) -> str:
    """For who takes part; empty where the link did not change late."""
    change = late_change(connection, session, now=now)
    if change is None or session.is_cancelled:
        return ""
    at, by = moment(change.at, zone), who_changed(change.by)
    if change.new_host is None:
        return str(gettext("The meeting link was taken away on %(at)s by %(by)s.", at=at, by=by))
    return str(gettext("The meeting link was changed on %(at)s by %(by)s.", at=at, by=by))


def places_of(series: Series) -> JoinPlaces:
    return JoinPlaces(hosts=series.join_hosts, in_development=the_tool().settings.on_loopback)


def _what(one: JoinLinkChange) -> str:
    if one.old_host is None:
        return str(gettext("a link to %(new)s", new=one.new_host))
    if one.new_host is None:
        return str(gettext("no link any more; before: %(old)s", old=one.old_host))
    if one.new_host == one.old_host:
        return str(gettext("another link at %(new)s", new=one.new_host))
    return str(gettext("from %(old)s to %(new)s", old=one.old_host, new=one.new_host))
