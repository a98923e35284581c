"""For those who look after the Moodles: how each goes, what was done there, when it is next done, and "run now"."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from lti_tool.pages import moodle_words as words
from lti_tool.pages.lists import PER_PAGE, count_pages, wanted_page, wanted_search
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.staff_universities import university_or_404
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.moodle_jobs import MoodleJob
from series.people import University
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import append_audit
from series.store.moodle_connections import note_answer
from series.store.moodle_jobs import ask_for
from series.store.moodle_overview import JobState, MoodleState, state_of, states, tied_courses
from series.store.runs import SyncRun, list_runs_of

blueprint = Blueprint("moodle", __name__, url_prefix="/admin/moodle")
RUNS_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One job of a university, as its page shows it. `last`: the last run of all, if it left a row."""

    job: MoodleJob
    title: str
    state: JobState
    is_running: bool
    ran: str
    next: str
    last: "RunRow | None"


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run in words. `problems`: a sentence each."""

    run: SyncRun
    started: str
    outcome: str
    duration: str
    calls: str
    counts: str
    problems: list[str]


@blueprint.get("/")
@with_staff
def show_all(staff: Staff) -> str | Response:
    if staff.university is not None:
        return go_to(f"/admin/moodle/{staff.university.slug}/")
    search = wanted_search()
    page = wanted_page()
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        found, total = states(connection, search=search, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
    shown = [state for state in found if may(staff, Action.SEE_LMS, state.university)]
    return render_template(
        "moodle_all.html",
        staff=staff,
        rows=[_overview_row(state) for state in shown],
        now=now,
        words=words,
        search=search,
        page=page,
        pages=count_pages(total),
        total=total,
    )


@blueprint.get("/<slug>/")
@with_staff
def show(staff: Staff, slug: str) -> Response:
    return _university_page(staff, slug)


@blueprint.get("/<slug>/runs/<job>")
@with_staff
def show_runs(staff: Staff, slug: str, job: str) -> str:
    known = _job_or_404(job)
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
        state = state_of(connection, university.university_id)
        runs = list_runs_of(connection, known.value, university.slug, limit=RUNS_SHOWN)
    if state.site is None and not runs:
        abort(404)
    return render_template(
        "moodle_runs.html",
        staff=staff,
        university=university,
        title=words.job_in_words(known),
        ran=words.ran_in_words(state, state.jobs.get(known)),
        next=words.next_in_words(state, state.jobs.get(known), the_tool().clock.now()),
        runs=[_run_row(run, university) for run in runs],
        limit=RUNS_SHOWN,
    )


@blueprint.post("/<slug>/run/<job>")
@with_staff
def run_now(staff: Staff, slug: str, job: str) -> Response:
    """Whatever pause there is ends: somebody says that it will work. The worker begins by itself."""
    check_form(f"moodle run {slug} {job}")
    known, now = _job_or_404(job), the_tool().clock.now()
    with the_tool().database.write() as connection:
        university = university_or_404(connection, staff, slug, Action.EDIT_LMS)
        note_answer(connection, university.university_id)  # the site first, as everybody locks them
        is_asked = ask_for(connection, university.university_id, known, at=now)
        if is_asked:
            append_audit(
                connection,
                actor=who(staff),
                action="run_moodle_job",
                thing=f"university {university.university_id}",
                now=now,
                job=known.value,
            )
    if not is_asked:
        return _university_page(staff, slug, fault=known, status=409)
    return go_to(f"/admin/moodle/{university.slug}/?asked={known.value}#jobs")


def _university_page(staff: Staff, slug: str, *, fault: MoodleJob | None = None, status: int = 200) -> Response:
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        university = university_or_404(connection, staff, slug, Action.SEE_LMS)
        state = state_of(connection, university.university_id)
        courses = tied_courses(connection, university.university_id)
    asked = request.args.get("asked", "")
    page = render_template(
        "moodle.html",
        staff=staff,
        university=university,
        state=state,
        sentence=words.state_in_words(state),
        failing=words.failing_in_words(state, now),
        connected_at=_moment(state.site.connected_at if state.site else None, university),
        level=words.level_in_words(state.site.level if state.site else None),
        jobs=[_job_row(state, job) for job in state.jobs.values()],
        courses=[(course, _moment(course.changed_at, university)) for course in courses],
        asked=words.job_in_words(MoodleJob(asked)) if asked in set(MoodleJob) else "",
        fault=words.job_in_words(fault) if fault else "",
        connection_page=url_for("moodle_connection.show", slug=university.slug),
    )
    return make_response(page, status)


def _overview_row(state: MoodleState) -> tuple[MoodleState, JobState | None, JobState | None]:
    """With the jobs for which people ask: the calendar's and that of completions, whichever ran last of each."""
    calendar = [state.jobs.get(MoodleJob.MIRROR), state.jobs.get(MoodleJob.SWEEP)]
    completions = [state.jobs.get(MoodleJob.COLLECT), state.jobs.get(MoodleJob.RECOLLECT)]
    return state, _last(calendar), _last(completions)


def _last(jobs: list[JobState | None]) -> JobState | None:
    """The one that ran last; before any has, the first."""
    known = [job for job in jobs if job is not None]
    return max(known, key=lambda job: job.ran_at.timestamp() if job.ran_at else 0.0, default=None)


def _job_row(state: MoodleState, job: JobState) -> JobRow:
    now = the_tool().clock.now()
    return JobRow(
        job=job.job,
        title=words.job_in_words(job.job),
        state=job,
        is_running=job.is_running(now),
        ran=words.ran_in_words(state, job),
        next=words.next_in_words(state, job, now),
        last=_run_row(job.last, state.university) if job.last and job.is_told_by_last else None,
    )


def _run_row(run: SyncRun, university: University) -> RunRow:
    return RunRow(
        run=run,
        started=moment(run.started_at, university.time_zone),
        outcome=words.outcome_in_words(run),
        duration=words.duration_in_words(run),
        calls=words.calls_in_words(run.calls),
        counts=words.counts_in_words(run.job, run.counts),
        problems=(run.reason or "").splitlines(),
    )


def _moment(at: datetime | None, university: University) -> str | None:
    return moment(at, university.time_zone) if at else None


def _job_or_404(name: str) -> MoodleJob:
    try:
        return MoodleJob(name)
    except ValueError:
        abort(404)
