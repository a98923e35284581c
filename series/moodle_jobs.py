"""What the worker does with a connected Moodle, how often, and when again after a failure."""

from datetime import datetime, timedelta
from enum import StrEnum


class MoodleJob(StrEnum):
    MIRROR = "mirror"  # sessions into course calendars: only what has changed
    SWEEP = "sweep"  # course calendars compared with the plan, whole
    COLLECT = "collect"  # completions of who has moved
    RECOLLECT = "recollect"  # completions of everybody
    CHECK = "check"  # what the account can and cannot do
    ANNOUNCE = "announce"  # moved and cancelled sessions into the announcements forum


class Level(StrEnum):
    """What a university lets us do by web services. Without any connection it has launches and the feed."""

    CALENDAR = "calendar"
    COMPLETIONS = "completions"  # and the calendar


# One job of a lane at a time for each Moodle, over all workers: so that at most two of our calls are under way there.
LANES: tuple[tuple[MoodleJob, ...], ...] = (
    (MoodleJob.MIRROR, MoodleJob.SWEEP, MoodleJob.CHECK, MoodleJob.ANNOUNCE),
    (MoodleJob.COLLECT, MoodleJob.RECOLLECT),
)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
LONGEST_PAUSE_ASKED_FOR = timedelta(days=1)
LONGEST_DELAY = timedelta(hours=6)
LATE_EFFECT = timedelta(minutes=10)
"""Longer than a web server lets PHP work on a request whose client has hung up: nginx and Apache give up after one to
five minutes. Until then, what a call that timed out was to make may still appear."""

CLOCKS_DIFFER = timedelta(minutes=5)  # from one worker's machine to another's, at most


def jobs_of(level: Level) -> tuple[MoodleJob, ...]:
    calendar = (MoodleJob.MIRROR, MoodleJob.SWEEP, MoodleJob.CHECK, MoodleJob.ANNOUNCE)
    return calendar if level is Level.CALENDAR else (*calendar, MoodleJob.COLLECT, MoodleJob.RECOLLECT)


def lane_of(job: MoodleJob) -> tuple[MoodleJob, ...]:
    return next(lane for lane in LANES if job in lane)


def next_after(now: datetime, *, interval: timedelta, failures: int, jitter: float) -> datetime:
    """When a job is next done. `failures`: of this job alone, in a row; each doubles the wait, up to LONGEST_DELAY or
    the interval, whichever is longer. `jitter` from 0 to 1 takes up to an eighth off, so that not all come at once."""
    delay = min(interval * (1 << min(failures, 12)), max(interval, LONGEST_DELAY))
    return now + delay * (1 - jitter / 8)


def paused_until(now: datetime, *, failures: int, retry_after_s: int | None, jitter: float) -> datetime:
    """How long a Moodle that does not answer is left alone: longer each time, a minute to an hour, never shorter than
    it asked for (within LONGEST_PAUSE_ASKED_FOR). `failures`: in a row, from 1."""
    delay = min(FIRST_PAUSE * (1 << min(failures - 1, 12)), LONGEST_PAUSE) * (1 + jitter / 4)
    asked_for = min(timedelta(seconds=min(retry_after_s or 0, 1_000_000)), LONGEST_PAUSE_ASKED_FOR)
    return now + max(delay, asked_for)
