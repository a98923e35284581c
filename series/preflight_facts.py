"""What is known of an LMS before it is asked anything, and what that alone says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from series.checks import Check, Outcome, gaps_of
from series.preflight import Code, Trial

LATELY = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """The activity that was opened last: where its grades and its course's people are, and what the launch granted."""

    course_title: str
    memberships_url: str | None
    line_item_url: str | None
    line_items_url: str | None
    ags_scopes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """Of real scores. `failed`: given up in the last LATELY, and `reason` of the last one; `paused`: why the LMS is
    left alone now."""

    last_at: datetime | None
    failed: int
    failed_at: datetime | None
    reason: str | None
    paused: str | None


@dataclass(frozen=True, kw_only=True)
class MoodleServices:
    """None of the university: not connected."""

    checks: tuple[Check, ...]
    failing: str | None


@dataclass(frozen=True, kw_only=True)
class PlatformFacts:
    """`approved`, `pending`, `disabled`: how many deployments. `refused`: launches since the last one that was not.
    `return_origins`: of the pages from which launches came lately. `trial_left_in`: line items of the course in which a
    test column may be; empty for none.
    """

    product: str
    approved: int
    pending: int
    disabled: int
    launched_at: datetime | None
    refused: int
    return_origins: tuple[str, ...]
    placed: Placed | None
    deliveries: Deliveries
    moodle: MoodleServices | None
    trial_left_in: str


def judge_deployments(facts: PlatformFacts) -> Trial:
    if facts.pending:
        return Trial(code=Code.DEPLOYMENT, outcome=Outcome.GAP, facts={"pending": facts.pending})
    if facts.approved:
        return Trial(code=Code.DEPLOYMENT, outcome=Outcome.OK, facts={"approved": facts.approved})
    return Trial(code=Code.DEPLOYMENT, outcome=Outcome.GAP, facts={"case": "off" if facts.disabled else "none"})


def judge_launches(facts: PlatformFacts, now: datetime) -> Trial:
    """What was refused since the last launch may be one person's browser, or everybody's."""
    at = facts.launched_at
    refused: dict[str, str | int] = {"case": "refused", "refused": facts.refused} if facts.refused else {}
    if at is None:
        return Trial(code=Code.LAUNCH, outcome=Outcome.GAP, facts=refused)
    outcome = Outcome.OK if at >= now - LATELY and not refused else Outcome.UNKNOWN
    return Trial(code=Code.LAUNCH, outcome=outcome, facts={**refused, "last": _minute(at)})


def judge_frames(facts: PlatformFacts, *, known_origins: Iterable[str], frame_ancestors: Iterable[str]) -> Trial:
    """Whether the login's own pages, which do not know yet who frames them, may be shown in the LMS's.

    `known_origins`: those of the registered addresses, which we let frame us anyway.
    """
    if not facts.return_origins:
        return Trial(code=Code.FRAME, outcome=Outcome.SKIPPED)
    allowed = [*known_origins, *frame_ancestors]
    foreign = [origin for origin in facts.return_origins if not any(_allows(one, origin) for one in allowed)]
    if foreign:
        return Trial(code=Code.FRAME, outcome=Outcome.GAP, facts={"origin": ", ".join(foreign)})
    return Trial(code=Code.FRAME, outcome=Outcome.OK, facts={"origin": ", ".join(facts.return_origins)})


def judge_deliveries(facts: PlatformFacts) -> Trial:
    sent = facts.deliveries
    said: dict[str, str | int] = {"last": _minute(sent.last_at)} if sent.last_at else {}
    if sent.paused:
        return Trial(code=Code.DELIVERIES, outcome=Outcome.GAP, facts={**said, "case": "paused", "reason": sent.paused})
    if sent.failed:
        is_over = sent.last_at is not None and sent.failed_at is not None and sent.last_at > sent.failed_at
        facts_of = {**said, "failed": sent.failed, "reason": sent.reason or ""}
        outcome = Outcome.UNKNOWN if is_over else Outcome.GAP
        return Trial(code=Code.DELIVERIES, outcome=outcome, facts=facts_of)
    return Trial(code=Code.DELIVERIES, outcome=Outcome.OK if said else Outcome.SKIPPED, facts=said)


def judge_moodle(facts: PlatformFacts) -> Trial | None:
    """None: it is no Moodle."""
    moodle = facts.moodle
    if moodle is None:
        return Trial(code=Code.MOODLE, outcome=Outcome.SKIPPED) if facts.product == "moodle" else None
    if moodle.failing:
        return Trial(code=Code.MOODLE, outcome=Outcome.GAP, facts={"case": "failing", "reason": moodle.failing})
    if not moodle.checks:
        return Trial(code=Code.MOODLE, outcome=Outcome.UNKNOWN)
    right = sum(check.outcome is Outcome.OK for check in moodle.checks)
    wrong = len(gaps_of(moodle.checks))
    outcome = Outcome.GAP if wrong else Outcome.OK
    return Trial(code=Code.MOODLE, outcome=outcome, facts={"right": right, "wrong": wrong})


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None


def _allows(allowed: str, origin: str) -> bool:
    """https://www.w3.org/TR/CSP3/#match-hosts: an asterisk stands for one or more labels at the front."""
    scheme, asterisk, domain = allowed.partition("://*.")
    if not asterisk:
        return allowed == origin
    return origin.startswith(f"{scheme}://") and origin.endswith(f".{domain}")


def _minute(at: datetime) -> str:
    """In UTC; pages show it in the university's time."""
    return at.strftime("%Y-%m-%dT%H:%MZ")
