"""What is known of a university and a series, from which series.readiness says how ready it is."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from series.people import University


@dataclass(frozen=True, kw_only=True)
class Admin:
    """An active account of an LMS admin. `can_come`: they have a password, or a link to choose one that waits."""

    staff_id: int
    name: str
    since: datetime
    can_come: bool = True


@dataclass(frozen=True, kw_only=True)
class LmsInvitation:
    """The newest that was not revoked. `problem`: why the last try came to nothing, at `problem_at`."""

    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    problem: str | None = None
    problem_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Lms:
    """One platform. `approved`: how many of its deployments are; `waits_since`: since when one is pending that a launch
    has named. `has_launched`: somebody came from it, the last time at `launched_at` as far as that is known.
    `score_ok`, `score_refused`: of the test score of the pre-flight at `checked_at`; `has_delivered`: a real score of
    the series, `has_delivered_since`: after that pre-flight."""

    state: str
    since: datetime
    approved: int = 0
    waits_since: datetime | None = None
    has_launched: bool = False
    launched_at: datetime | None = None
    checked_at: datetime | None = None
    score_ok: bool = False
    score_refused: bool = False
    has_delivered: bool = False
    has_delivered_since: bool = False


@dataclass(frozen=True, kw_only=True)
class MoodleSite:
    """A connected Moodle. `is_failing`: the site, or its calendar, since `failing_since`; `gaps`: settings to change
    there, the oldest found at `gaps_since`; `ran_at`: when the calendars were last brought up to date."""

    is_failing: bool = False
    failing_since: datetime | None = None
    gaps: int = 0
    gaps_since: datetime | None = None
    ran_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class HostedSession:
    session_id: UUID
    title: str
    start_at: datetime
    is_named: bool
    is_invited: bool = False  # somebody has a code for it, and has not used it so far


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of one university and one series. `placed`: in how many courses its activity is; `mirrored`: in how
    many courses of the Moodle its sessions stand; `feed_read_at`: of a course, lately. `hosted`: what it hosts from now
    on, the next one first."""

    university: University
    admins: tuple[Admin, ...] = ()
    invitation: LmsInvitation | None = None
    lmss: tuple[Lms, ...] = ()
    placed: int = 0
    moodle: MoodleSite | None = None
    mirrored: int = 0
    feed_read_at: datetime | None = None
    hosted: tuple[HostedSession, ...] = ()
