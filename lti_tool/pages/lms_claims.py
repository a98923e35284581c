"""What arrives with the launches of an LMS, and what becomes of it; and which of its services we may use."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext

from lms.ags import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_RESULT_READONLY, SCOPE_SCORE
from lms.nrps import SCOPE_MEMBERSHIPS
from lti_tool.pages.words import WORDS
from series.preflight import Code, Trial
from series.preflight_facts import Placed
from series.product_menus import menu
from series.store.arrivals import SeenClaims

gettext = WORDS.gettext
PERSONAL = {
    "address", "birthdate", "email", "email_verified", "ext.user_username", "family_name", "gender", "given_name",
    "lis.person_sourcedid", "middle_name", "name", "nickname", "phone_number", "picture", "preferred_username",
    "profile", "website", "zoneinfo",
}  # fmt: skip
_KEPT = {
    "sub": lazy_gettext("kept: the number by which your LMS knows the person"),
    "roles": lazy_gettext("kept with the visit, for a day or two: student, teacher or neither"),
    "context": lazy_gettext("kept: the number and the title of the course"),
    "resource_link": lazy_gettext("kept: the number of the activity"),
    "deployment_id": lazy_gettext("kept: from which deployment it came"),
    "endpoint": lazy_gettext("kept: where grades go, and what we may do there"),
    "namesroleservice": lazy_gettext("kept: where the roster is"),
    "launch_presentation": lazy_gettext("kept with the visit, for a day or two: language, and the way back"),
    "custom.shared_sessions_series": lazy_gettext("kept: which series the activity shows"),
    "custom.shared_sessions_session": lazy_gettext("kept: which session the activity shows"),
}
_FOR: dict[str, tuple[str, LazyString, LazyString]] = {
    SCOPE_SCORE: (
        "score",
        lazy_gettext("Send grades"),
        lazy_gettext("No grade reaches your gradebook."),
    ),
    SCOPE_LINE_ITEM: (
        "lineitem",
        lazy_gettext("Make a grade column where an activity has none"),
        lazy_gettext("Activities must be set up with a grade."),
    ),
    SCOPE_LINE_ITEM_READONLY: (
        "lineitem.readonly",
        lazy_gettext("Look whether the grade column is there"),
        lazy_gettext("A column that was deleted is noticed late."),
    ),
    SCOPE_RESULT_READONLY: (
        "result.readonly",
        lazy_gettext("Look whether a grade arrived, and is not overwritten by ours"),
        lazy_gettext("A grade that a teacher has changed cannot be told from ours."),
    ),
    SCOPE_MEMBERSHIPS: (
        "contextmembership.readonly",
        lazy_gettext("Read who is in the course"),
        lazy_gettext("Instructors see no names, and nobody who has not opened the activity yet."),
    ),
}


@dataclass(frozen=True, kw_only=True)
class ClaimLine:
    """`is_technical`: checked or not read, and nothing of it is kept."""

    name: str
    becomes: str
    is_personal: bool
    is_technical: bool


@dataclass(frozen=True, kw_only=True)
class ScopeLine:
    """`granted`: by what we know it, in words; empty: it is not."""

    name: str
    what_for: str
    granted: str
    without: str


def claim_lines(seen: Iterable[SeenClaims]) -> list[ClaimLine]:
    """Of all types of message together; personal data first."""
    names = sorted({name for one in seen for name in one.claims})
    lines = [
        ClaimLine(
            name=name,
            becomes=_becomes(name),
            is_personal=name in PERSONAL,
            is_technical=name not in PERSONAL and name not in _KEPT,
        )
        for name in names
    ]
    return sorted(lines, key=lambda line: (not line.is_personal, line.name))


def unexpanded(seen: Iterable[SeenClaims]) -> list[str]:
    return sorted({name for one in seen for name in one.unexpanded})


def advice(lines: Iterable[ClaimLine], product: str) -> list[str]:
    """What the university may switch off, in the product's words."""
    personal = {line.name for line in lines if line.is_personal}
    if not personal:
        return []
    where = menu("names", product, WORDS)
    said = [
        gettext(
            "We need none of the personal data, and your university may switch them off: %(where)s. Names alone have a"
            " use: with them, instructors see the people of their own course by name in the roster.",
            where=where,
        )
    ]
    if product == "moodle" and "lis.person_sourcedid" in personal:
        said.append(
            gettext("Moodle sends the ID number of a person (lis.person_sourcedid) whatever is set there. We drop it.")
        )
    return said


def scope_lines(granted_scopes: str | None, placed: Placed | None, trials: Iterable[Trial]) -> list[ScopeLine]:
    """`granted_scopes`: as the registration said."""
    by_token = {
        scope for trial in trials if trial.code is Code.TOKEN for scope in str(trial.facts.get("scopes", "")).split()
    }
    by_launch = placed.ags_scopes if placed else frozenset()
    if placed and placed.memberships_url:
        by_launch |= {SCOPE_MEMBERSHIPS}
    known = (
        ((granted_scopes or "").split(), gettext("registration")),
        (by_launch, gettext("last launch")),
        (by_token, gettext("service token")),
    )
    return [
        ScopeLine(
            name=name,
            what_for=str(what_for),
            granted=", ".join(words for scopes, words in known if scope in scopes),
            without=str(without),
        )
        for scope, (name, what_for, without) in _FOR.items()
    ]


def _becomes(name: str) -> str:
    if name in PERSONAL:
        return gettext("dropped right after the launch was checked")
    return str(_KEPT.get(name, ""))
