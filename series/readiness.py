"""How ready a university is for a series: six steps, what each lacks, and who is to do something. Pure rules."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from series.people import University
from series.readiness_facts import Facts, MoodleSite


class Step(StrEnum):
    """In the order in which they are done; each but the last needs the one before."""

    INVITED = "invited"
    CONNECTED = "connected"
    PLACED = "placed"
    CALENDAR = "calendar"
    SCORE = "score"
    HOSTS = "hosts"


class State(StrEnum):
    READY = "ready"
    GAP = "gap"  # somebody at the university is to do something
    YOURS = "yours"  # the coordinator is
    LATER = "later"  # it comes after an earlier step
    FREE = "free"  # nothing is needed


class Case(StrEnum):
    """What was found; with its step, it has words of its own."""

    DONE = "done"
    NOBODY = "nobody"  # there is nobody, or nothing
    OVER = "over"  # an invitation that was not used in time
    LINK_OVER = "link_over"  # the link for a password was not used in time
    EARLIER = "earlier"  # an earlier step first
    TRIED = "tried"  # and it came to nothing
    PENDING = "pending"
    DEPLOYMENT = "deployment"  # one is pending
    DISABLED = "disabled"
    NO_LAUNCH = "no_launch"
    FAILING = "failing"
    SETTINGS = "settings"
    NO_COURSE = "no_course"
    NOT_RUN = "not_run"
    FEED = "feed"
    FEED_OFFERED = "feed_offered"
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNTRIED = "untried"
    NOTHING = "nothing"  # it hosts nothing
    UNNAMED = "unnamed"
    CODE_OUT = "code_out"  # whoever is named has not used their code so far


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`since`: when it came to be so, or was last seen so; None: unknown. `facts`: what its sentences name."""

    step: Step
    state: State
    case: Case
    since: datetime | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)
    next_at: datetime | None = None  # when it will be too late

    @property
    def is_gap(self) -> bool:
        """Somebody is to do something now."""
        return self.state in {State.GAP, State.YOURS}


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """`contact`: whom a text is sent to, where there is somebody."""

    university: University
    contact: str
    findings: tuple[Finding, ...]

    @property
    def is_ready(self) -> bool:
        return all(finding.state in {State.READY, State.FREE} for finding in self.findings)

    @property
    def gaps(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_gap)


@dataclass(frozen=True, kw_only=True)
class FirstThing:
    """What several universities lack, and the one to begin with."""

    finding: Finding
    university: University
    count: int


def readiness_of(facts: Facts, *, now: datetime) -> Readiness:
    connected = _connected(facts, now)
    findings = (_invited(facts, now), connected, _placed(facts, connected), _calendar(facts), _score(facts, connected))
    return Readiness(
        university=facts.university,
        contact=_contact(facts),
        findings=(*findings, _hosts(facts)),
    )


def _contact(facts: Facts) -> str:
    """Rather somebody who can sign in."""
    by_use = sorted(facts.admins, key=lambda admin: not admin.can_come)
    return by_use[0].name if by_use else ""


def first_things(all_of_them: Iterable[Readiness], *, most: int = 3) -> list[FirstThing]:
    """What the coordinator holds up comes before what others are to do, and of that what is earliest in the walk."""
    found = [(finding, one.university) for one in all_of_them for finding in one.gaps]
    counts = Counter((finding.step, finding.case) for finding, _ in found)
    firsts: dict[tuple[Step, Case], FirstThing] = {}
    for finding, university in found:
        kind = (finding.step, finding.case)
        if kind not in firsts or _is_sooner(finding, firsts[kind].finding):
            firsts[kind] = FirstThing(finding=finding, university=university, count=counts[kind])
    order = list(Step)
    return sorted(
        firsts.values(), key=lambda one: (one.finding.state is not State.YOURS, order.index(one.finding.step))
    )[:most]


def _is_sooner(one: Finding, other: Finding) -> bool:
    return one.next_at is not None and (other.next_at is None or one.next_at < other.next_at)


def _invited(facts: Facts, now: datetime) -> Finding:
    step, invitation = Step.INVITED, facts.invitation
    able = [admin for admin in facts.admins if admin.can_come]
    if able:
        return Finding(step=step, state=State.READY, case=Case.DONE, since=able[0].since, facts={"name": able[0].name})
    if invitation is not None and (invitation.used_at or invitation.expires_at > now):
        return Finding(step=step, state=State.READY, case=Case.PENDING, since=invitation.created_at)
    if facts.admins:
        whose: dict[str, str | int] = {"name": facts.admins[0].name, "person": facts.admins[0].staff_id}
        return Finding(step=step, state=State.YOURS, case=Case.LINK_OVER, facts=whose)
    if invitation is not None:
        return Finding(step=step, state=State.GAP, case=Case.OVER, since=invitation.expires_at)
    return Finding(step=step, state=State.GAP, case=Case.NOBODY)


def _connected(facts: Facts, now: datetime) -> Finding:
    """By the LMS that is furthest."""
    step = Step.CONNECTED
    active = [lms for lms in facts.lmss if lms.state == "active"]
    working = [lms for lms in active if lms.approved and lms.has_launched]
    pending = [lms for lms in facts.lmss if lms.state == "pending"]
    if working:
        launched = max((lms.launched_at for lms in working if lms.launched_at), default=None)
        return Finding(step=step, state=State.READY, case=Case.DONE, since=launched)
    if pending:
        return Finding(step=step, state=State.YOURS, case=Case.PENDING, since=min(lms.since for lms in pending))
    waiting = [lms.waits_since for lms in active if lms.waits_since]
    if waiting:
        return Finding(step=step, state=State.YOURS, case=Case.DEPLOYMENT, since=min(waiting))
    if active:
        return Finding(step=step, state=State.GAP, case=Case.NO_LAUNCH, since=min(lms.since for lms in active))
    if any(lms.state == "disabled" for lms in facts.lmss):
        return Finding(step=step, state=State.YOURS, case=Case.DISABLED)
    return _not_registered(facts, now)


def _not_registered(facts: Facts, now: datetime) -> Finding:
    invitation, invited = facts.invitation, _invited(facts, now)
    if invitation is not None and invitation.problem and not invitation.used_at:
        reason = {"reason": invitation.problem}
        since = invitation.problem_at
        return Finding(step=Step.CONNECTED, state=State.GAP, case=Case.TRIED, since=since, facts=reason)
    if invited.state is State.READY:
        return Finding(step=Step.CONNECTED, state=State.GAP, case=Case.NOBODY, since=invited.since)
    return _later(Step.CONNECTED)


def _placed(facts: Facts, connected: Finding) -> Finding:
    if facts.placed:
        return Finding(step=Step.PLACED, state=State.READY, case=Case.DONE, facts={"count": facts.placed})
    if connected.state is not State.READY:
        return _later(Step.PLACED)
    return Finding(step=Step.PLACED, state=State.GAP, case=Case.NOBODY)


def _calendar(facts: Facts) -> Finding:
    step = Step.CALENDAR
    if facts.moodle is not None:
        return _in_moodle(facts.moodle, facts.mirrored)
    if facts.feed_read_at:
        return Finding(step=step, state=State.READY, case=Case.FEED, since=facts.feed_read_at)
    return Finding(step=step, state=State.FREE, case=Case.FEED_OFFERED) if facts.placed else _later(step)


def _in_moodle(site: MoodleSite, mirrored: int) -> Finding:
    step, gaps = Step.CALENDAR, {"count": site.gaps}
    if site.is_failing:
        return Finding(step=step, state=State.GAP, case=Case.FAILING, since=site.failing_since)
    if site.gaps:
        return Finding(step=step, state=State.GAP, case=Case.SETTINGS, since=site.gaps_since, facts=gaps)
    if not mirrored:
        return Finding(step=step, state=State.GAP, case=Case.NO_COURSE)
    if site.ran_at is None:
        return Finding(step=step, state=State.LATER, case=Case.NOT_RUN)
    return Finding(step=step, state=State.READY, case=Case.DONE, since=site.ran_at, facts={"count": mirrored})


def _score(facts: Facts, connected: Finding) -> Finding:
    step = Step.SCORE
    active = [lms for lms in facts.lmss if lms.state == "active"]
    refused = [
        lms for lms in active if lms.approved and lms.has_launched and lms.score_refused and not lms.has_delivered_since
    ]
    if refused:  # whatever another one takes: people come from this one
        return Finding(step=step, state=State.GAP, case=Case.REFUSED, since=refused[0].checked_at)
    proved = [lms for lms in active if lms.score_ok]
    if proved:
        return Finding(step=step, state=State.READY, case=Case.DONE, since=proved[0].checked_at)
    if any(lms.has_delivered for lms in active):
        return Finding(step=step, state=State.READY, case=Case.DELIVERED)
    if connected.state is not State.READY:
        return _later(step)
    return Finding(step=step, state=State.GAP, case=Case.UNTRIED)


def _hosts(facts: Facts) -> Finding:
    if not facts.hosted:
        return Finding(step=Step.HOSTS, state=State.FREE, case=Case.NOTHING)
    unnamed = [one for one in facts.hosted if not one.is_named and not one.is_invited]
    if not unnamed:
        case = Case.DONE if all(one.is_named for one in facts.hosted) else Case.CODE_OUT
        return Finding(step=Step.HOSTS, state=State.READY, case=case, facts={"count": len(facts.hosted)})
    named: dict[str, str | int] = {
        "count": len(unnamed),
        "title": unnamed[0].title,
        "session": str(unnamed[0].session_id),
    }
    return Finding(step=Step.HOSTS, state=State.YOURS, case=Case.UNNAMED, facts=named, next_at=unnamed[0].start_at)


def _later(step: Step) -> Finding:
    return Finding(step=step, state=State.LATER, case=Case.EARLIER)
