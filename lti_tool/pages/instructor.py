"""The instructor's page: the own course by name, all others as one protected number."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, render_template, request

from lms.errors import LmsError
from lms.nrps import Member, read_memberships
from lms.products import Product
from lms.service_tokens import ServicePlatform
from lms.turnstile import TooManyWait
from lti_tool.pages.feed_links import feed_links
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import with_visit
from lti_tool.protocol.roles import read_roles
from lti_tool.tool import LMS_WITHIN_S, Tool, the_tool
from series.feed_address import OwnerKind
from series.people import Visit
from series.permissions import Action, may
from series.pooling import protect
from series.sessions import this_weeks_session
from series.store.audit import append_audit
from series.store.counts import LearnerProgress, completions_elsewhere, learners_of_course, memberships_url_of
from series.store.rules import rule_of
from series.store.sessions import get_series, sessions_of
from series.store.universities import get_platform

blueprint = Blueprint("instructor", __name__, url_prefix="/visit/<visit_id>/course")


@dataclass(frozen=True, kw_only=True)
class Learner:
    """One row: `name` comes from the LMS's roster at view time and is not stored; None when it tells none."""

    sub: str
    name: str | None
    has_started: bool
    completed_session_ids: frozenset[UUID]


@dataclass(frozen=True, kw_only=True)
class Roster:
    """`members` None: the LMS has not told who is in the course, and `problem` says why, if it was asked."""

    members: tuple[Member, ...] | None = None
    problem: str | None = None


@blueprint.get("/")
@with_visit
def course(visit: Visit) -> str:
    if not may(visit, Action.SEE_COURSE) or visit.course_id is None:
        abort(403)
    tool = the_tool()
    with tool.database.read() as connection:
        series = get_series(connection, visit.series_id)
        sessions = sessions_of(connection, visit.series_id)
        rule = rule_of(connection, visit.series_id)
        progress = learners_of_course(connection, course_id=visit.course_id, series_id=visit.series_id)
        title, memberships_url = memberships_url_of(connection, visit.course_id)
        session = this_weeks_session(sessions, now=tool.clock.now(), zone=series.time_zone)
        elsewhere = (
            completions_elsewhere(
                connection, session_id=session.session_id, university_id=visit.university.university_id
            )
            if session
            else 0
        )
    roster = _roster(tool, visit, memberships_url)
    _note_the_view(tool, visit)
    learners = _learners(progress, roster.members)
    return render_template(
        "instructor.html",
        visit=visit,
        series=series,
        course_title=title,
        session=session,
        times=times_of(session, visit.university.time_zone) if session else None,
        learners=learners,
        present=sum(1 for learner in learners if session and session.session_id in learner.completed_session_ids),
        roster=roster,
        names_are_known=any(learner.name for learner in learners),
        repeated_names=_repeated(learners),
        elsewhere=protect(elsewhere),
        held=sum(1 for s in sessions if not s.is_cancelled),
        rule=rule,
        links=feed_links(OwnerKind.COURSE, visit.course_id, name=series.title),
        address_is_new="calendar" in request.args,
    )


def _note_the_view(tool: Tool, visit: Visit) -> None:
    """Whoever sees people by name is seen doing so."""
    with tool.database.write() as connection:
        append_audit(
            connection,
            actor=f"participant {visit.participant_id}",
            action=Action.SEE_COURSE,
            thing=f"course {visit.course_id}",
            now=tool.clock.now(),
        )


def _roster(tool: Tool, visit: Visit, memberships_url: str | None) -> Roster:
    """The course's people as the LMS names them now."""
    with tool.database.read() as connection:
        row = get_platform(connection, visit.platform_id)
    if row is None or memberships_url is None:
        return Roster()
    platform = ServicePlatform(
        platform_id=row.platform_id,
        client_id=row.client_id,
        token_endpoint=row.token_endpoint,
        token_audience=row.token_audience,
        product=Product(row.product),
    )
    try:
        with tool.turnstile.place(platform.platform_id):
            members = read_memberships(tool.http, tool.service_tokens, platform, memberships_url, within_s=LMS_WITHIN_S)
    except (LmsError, TooManyWait) as error:
        return Roster(problem=str(error))
    return Roster(members=members)


def _learners(progress: list[LearnerProgress], members: tuple[Member, ...] | None) -> list[Learner]:
    """Everybody in the roster and everybody who ever came, by name."""
    done = {learner.sub: learner.completed_session_ids for learner in progress}
    names = {member.user_id: member.name for member in members or () if read_roles(list(member.roles)).is_learner}
    subs = dict.fromkeys([*names, *done])
    learners = [
        Learner(
            sub=sub,
            name=names.get(sub),
            has_started=sub in done,
            completed_session_ids=done.get(sub, frozenset()),
        )
        for sub in subs
    ]
    return sorted(learners, key=lambda learner: (learner.name is None, (learner.name or "").casefold(), learner.sub))


def _repeated(learners: list[Learner]) -> set[str]:
    """Names that two people of the course share."""
    names = Counter(learner.name for learner in learners if learner.name)
    return {name for name, count in names.items() if count > 1}
