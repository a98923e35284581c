"""What the services of an LMS may do in their own way; by default they keep to the letter of the specifications."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What can be wrong with a call, for which each product has its own words."""

    BAD_TOKEN = "bad_token"
    LACKS_SCOPE = "lacks_scope"
    BUSY = "busy"
    INCORRECT_SCORE = "incorrect_score"
    OLD_SCORE = "old_score"
    UNKNOWN_PERSON = "unknown_person"
    NOT_ENROLLED = "not_enrolled"
    NOT_GRADABLE = "not_gradable"
    COURSE_OVER = "course_over"
    UNPUBLISHED = "unpublished"
    ATTEMPTS_USED_UP = "attempts_used_up"
    COLUMN_GONE = "column_gone"
    LINK_REFUSED = "link_refused"


USUAL_STATUS = {
    Fault.BAD_TOKEN: 401,
    Fault.LACKS_SCOPE: 401,
    Fault.BUSY: 429,
    Fault.OLD_SCORE: 409,
    Fault.COLUMN_GONE: 404,
    Fault.LINK_REFUSED: 412,
}  # of what has to do with the score or the person: 400, as in Moodle


@dataclass(frozen=True, kw_only=True)
class Said:
    """A refusal on the wire."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Paths on the site; the services' have the fields course_id, deployment_id and, of one line item, line_item_id.
    `query` stands behind every address of a line item."""

    authorization: str
    token: str
    keys: str
    line_items: str
    line_item: str
    memberships: str
    query: str = ""

    @staticmethod
    def route(path: str) -> str:
        """As Flask wants it."""
        return path.format(
            course_id="<int:course_id>", deployment_id="<deployment_id>", line_item_id="<int:line_item_id>"
        )


Link = Callable[[str, str], str]  # this page's address, the next one's: the header


def next_alone(this_url: str, next_url: str) -> str:
    """https://www.rfc-editor.org/rfc/rfc8288"""
    return f'<{next_url}>; rel="next"'


@dataclass(frozen=True, kw_only=True)
class Habits:
    """`family`, `version`: as launches name the product. `issuer`: where it is not the site's own address; `{slug}`
    is the university's. `token_audience`: where it is not the token endpoint. `user_id`: what a tool sees of somebody,
    made of their number. `short_roles`: in rosters. `names_alg`: of the keys that it publishes.

    `line_items_page`, `results_page`, `roster_page`: how many there are on a page, unless the tool sets a limit;
    `caps_roster`: which then may only be smaller. `link`, `roster_link`: the header of a page that has a next.
    `results_take_limit`, `filters_results`: what the results' query may say. `reads_rlid`: whether the roster's may.

    `wants_exact_types`: else any media type will do. `takes_equal_times`: a score with the timestamp of the kept one;
    `looks_at_times`: whether a timestamp is looked at at all. `says`: of a fault, what is not said as Moodle does.
    """

    family: str
    version: str
    addresses: Addresses
    issuer: str | None = None
    token_audience: str | None = None
    user_id: Callable[[str], str] = lambda number: number
    short_roles: bool = False
    names_alg: bool = True
    line_items_page: int | None = None
    results_page: int | None = None
    roster_page: int | None = None
    caps_roster: bool = False
    link: Link = next_alone
    roster_link: Link = next_alone
    results_take_limit: bool = True
    filters_results: bool = True
    reads_rlid: bool = True
    wants_exact_types: bool = False
    takes_equal_times: bool = False
    looks_at_times: bool = True
    says: Mapping[Fault, Said] = field(default_factory=dict)
