"""What happens between us and a university's Moodle, in plain words."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.moodle_jobs import LANES, Level, MoodleJob
from series.store.moodle_overview import JobState, MoodleState
from series.store.runs import SyncRun

gettext, ngettext = WORDS.gettext, WORDS.ngettext
CALENDAR = LANES[0]
COMPLETIONS = ("collect", "recollect")


def job_in_words(job: MoodleJob) -> str:
    return {
        MoodleJob.MIRROR: gettext("Bring what has changed into the course calendars"),
        MoodleJob.SWEEP: gettext("Compare the course calendars with the plan, and repair them"),
        MoodleJob.COLLECT: gettext("Read what students have completed since the last time"),
        MoodleJob.RECOLLECT: gettext("Read the completions of everybody again"),
        MoodleJob.CHECK: gettext("Check what our account there can and cannot do"),
        MoodleJob.ANNOUNCE: gettext("Post announcements of moved and cancelled sessions"),
    }[job]


def level_in_words(level: Level | None) -> str:
    return {
        None: gettext("Launches and the calendar feed"),
        Level.CALENDAR: gettext("Launches and the course calendars"),
        Level.COMPLETIONS: gettext("Launches, the course calendars and completions"),
    }[level]


def state_in_words(state: MoodleState) -> str:
    """How it goes, in a few words."""
    if state.site is None:
        return gettext("Not connected: launches and the calendar feed work without.")
    if state.site.failures:
        return gettext("It does not work.")
    if state.has_gaps:
        return gettext("It works, but not everything does.")
    if not any(job.ran_at for job in state.jobs.values()):
        return gettext("Connected; the first runs begin within seconds while the worker runs.")
    return gettext("It works.")


def failing_in_words(state: MoodleState, now: datetime) -> str:
    """Since when it does not, and when it is tried again; empty while it works."""
    site, zone = state.site, state.university.time_zone
    if site is None or not site.failures:
        return ""
    since = moment(site.failing_since, zone) if site.failing_since else "–"
    if site.paused_until is None or site.paused_until <= now:
        return gettext("Not since %(since)s; it is being tried again now.", since=since)
    again = moment(site.paused_until, zone)
    return gettext("Not since %(since)s; it is left alone until %(again)s.", since=since, again=again)


def next_in_words(state: MoodleState, job: JobState | None, now: datetime) -> str:
    """When a job is next done; without one, it is not of the level."""
    if job is None:
        return "–"
    if job.is_running(now):
        return gettext("under way")
    at = state.next_at(job)
    if at <= now:
        return gettext("within seconds, while the worker runs")
    return moment(at, state.university.time_zone)


def ran_in_words(state: MoodleState, job: JobState | None) -> str:
    if job is None:
        return "–"
    return moment(job.ran_at, state.university.time_zone) if job.ran_at else gettext("not yet")


def outcome_in_words(run: SyncRun) -> str:
    if run.outcome == "running":
        return gettext("under way")
    if run.outcome == "failed":
        return gettext("failed")
    return gettext("done, with something to look at") if run.reason else gettext("done")


def duration_in_words(run: SyncRun) -> str:
    """Empty while it runs."""
    if run.finished_at is None:
        return ""
    seconds = max(0.0, (run.finished_at - run.started_at) / timedelta(seconds=1))
    if seconds < 1:
        return gettext("under a second")
    if seconds < 90:
        return ngettext("%(num)s second", "%(num)s seconds", round(seconds))
    return ngettext("%(num)s minute", "%(num)s minutes", round(seconds / 60))


def calls_in_words(calls: int) -> str:
    return ngettext("%(num)s call", "%(num)s calls", calls) if calls else gettext("no call")


def counts_in_words(job: str, counts: Mapping[str, int]) -> str:
    """“2 events created, 1 event repaired”. Empty when nothing was done; what has no words here is shown as it is."""
    words = _words()
    if job in CALENDAR:
        words |= _event_words()
    elif job in COMPLETIONS:
        words |= _completion_words()
    said = []
    for key, count in counts.items():
        say = words.get(key.replace("_", " "))
        if count:
            said.append(say(count) if say else f"{count} {key}")
    return ", ".join(said)


Words = dict[str, Callable[[int], str]]


def _event_words() -> Words:
    return {
        "created": lambda n: ngettext("%(num)s event created", "%(num)s events created", n),
        "updated": lambda n: ngettext("%(num)s event changed", "%(num)s events changed", n),
        "adopted": lambda n: ngettext("%(num)s event found again", "%(num)s events found again", n),
        "deleted": lambda n: ngettext("%(num)s event deleted", "%(num)s events deleted", n),
        "repaired": lambda n: ngettext("%(num)s event repaired", "%(num)s events repaired", n),
        "doubles": lambda n: ngettext("%(num)s double removed", "%(num)s doubles removed", n),
        "waiting": lambda n: ngettext(
            "%(num)s event waits for an earlier call to be over",
            "%(num)s events wait for an earlier call to be over",
            n,
        ),
        "right": lambda n: ngettext("%(num)s thing works", "%(num)s things work", n),
        "wrong": lambda n: ngettext("%(num)s thing does not work", "%(num)s things do not work", n),
    }


def _completion_words() -> Words:
    """Without numbers: these pages are read by people who may not see how many completed something, run by run."""
    return {
        "read": lambda _: gettext("people looked at"),
        "completed": lambda _: gettext("completions counted"),
        "taken back": lambda _: gettext("completions taken back by Moodle"),
        "waiting": lambda _: gettext("completions wait for people who have not come here yet"),
        "held": lambda _: gettext("completions held back for their teacher to confirm"),
    }


def _words() -> Words:
    return {
        "held": lambda n: ngettext("%(num)s held back for you to confirm", "%(num)s held back for you to confirm", n),
        "posted": lambda n: ngettext("%(num)s announcement posted", "%(num)s announcements posted", n),
        "found": lambda n: ngettext(
            "%(num)s announcement found that was posted before",
            "%(num)s announcements found that were posted before",
            n,
        ),
    }
