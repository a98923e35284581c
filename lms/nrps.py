"""Names and Role Provisioning Services 2.0: who is in a course.

https://www.imsglobal.org/spec/lti-nrps/v2p0
"""

import time
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from lms.errors import LmsError, MalformedAnswer, Refused, TryLater
from lms.guarded import TOTAL_S, Answer, GuardedSession
from lms.paging import Listing, pages
from lms.products.table import QUIRKS
from lms.service_tokens import ServicePlatform, ServiceTokens
from series.roles import read_roles
from series.rosters import RosterMember

SCOPE_MEMBERSHIPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEDIA_TYPE_MEMBERSHIPS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
MAX_SUB_CHARS = 255  # LTI 1.3 Core 5.3.6
INACTIVE, DELETED = "Inactive", "Deleted"  # https://www.imsglobal.org/spec/lti-nrps/v2p0#membership-status

_SAYS = {
    401: "The LMS does not let us read who is in the course: its administrator should check that the tool may use its"
    " roster service.",
    403: "The LMS does not let us read who is in this course.",
    404: "The LMS has no roster at the address that it gave us: open the activity once more from the course.",
}
_ROSTER = Listing(
    scope=SCOPE_MEMBERSHIPS, media_type=MEDIA_TYPE_MEMBERSHIPS, of="its roster", things="people", says=_SAYS
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One person in a course. `roles` as the platform writes them: Moodle sends short names such as `Learner`.

    `name` is None where the LMS shows us none. Whoever it calls Deleted is no member.
    """

    user_id: str
    name: str | None
    roles: tuple[str, ...]
    status: str

    @property
    def is_suspended(self) -> bool:
        """In the course, and for now unable to come. Moodle calls people with a suspended account Active all the same,
        and leaves out those whose enrolment is suspended."""
        return self.status == INACTIVE


class _Member(msgspec.Struct):
    """https://www.imsglobal.org/spec/lti-nrps/v2p0#membership-container-media-type"""

    user_id: str
    roles: list[str]
    status: str | None = None  # none: Active
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None


class _Container(msgspec.Struct):
    members: list[_Member]


_CONTAINER = msgspec.json.Decoder(_Container)


def as_roster_member(member: Member) -> RosterMember | None:
    """What is kept of somebody; None for a user id with which nobody can ever launch. Test users are no learners."""
    sub = member.user_id
    if not 0 < len(sub) <= MAX_SUB_CHARS or not sub.isascii() or "\0" in sub:
        return None
    return RosterMember(sub=sub, is_learner=read_roles(member.roles).takes_grades, is_suspended=member.is_suspended)


def read_memberships(
    http: GuardedSession,
    tokens: ServiceTokens,
    platform: ServicePlatform,
    memberships_url: str,
    *,
    resource_link_id: str | None = None,
    within_s: float = TOTAL_S,
) -> tuple[Member, ...]:
    """Everybody in the course, or an error: never the part of the pages that could be read. All of it `within_s`.

    `resource_link_id`: only who can open that activity, if the platform can tell; else everybody after all. No limit is
    sent: the platform knows its own best. Nobody at all is an answer, too.
    Raises Unreachable, TryLater, MalformedAnswer, NotAllowed, Refused, NotFound. May be repeated.
    """
    give_up_at = time.monotonic() + within_s
    if resource_link_id is not None and QUIRKS[platform.product].reads_rlid:
        try:
            return _read_pages(http, tokens, platform, _of_resource_link(memberships_url, resource_link_id), give_up_at)
        except LmsError as error:
            if not _refuses_the_link(error):
                raise
    return _read_pages(http, tokens, platform, memberships_url, give_up_at)


def _of_resource_link(memberships_url: str, resource_link_id: str) -> str:
    """https://www.imsglobal.org/spec/lti-nrps/v2p0#resource-link-membership-service"""
    return f"{memberships_url}{'&' if '?' in memberships_url else '?'}rlid={quote(resource_link_id, safe='')}"


def _refuses_the_link(error: LmsError) -> bool:
    """Schoology takes no `rlid` at all; Moodle says 404 to one that it does not know."""
    if isinstance(error, Refused | TryLater):
        return error.status in {400, 404, 501}
    return isinstance(error, MalformedAnswer)


def _read_pages(
    http: GuardedSession, tokens: ServiceTokens, platform: ServicePlatform, url: str, give_up_at: float
) -> tuple[Member, ...]:
    members: dict[str, Member] = {}
    for answer in pages(http, tokens, platform, url, _ROSTER, give_up_at=give_up_at):
        for found in _members(answer):
            members.setdefault(found.user_id, found)  # pages may overlap when somebody joins meanwhile
    return tuple(members.values())


def _members(answer: Answer) -> list[Member]:
    try:
        container = _CONTAINER.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered our question for the roster with something else") from None
    return [
        Member(user_id=found.user_id, name=_name(found), roles=tuple(found.roles), status=found.status or "Active")
        for found in container.members
        if found.status != DELETED
    ]


def _name(member: _Member) -> str | None:
    parts = " ".join(part for part in (member.given_name, member.family_name) if part)
    return member.name or parts or None
