"""How long what is kept: one class for each kind of data about persons, with its period and its reason in words.

The daily job (series.store.retention), the data map and "my data" all read it here, so that what is promised and what
is done are the same. Storage limitation: https://gdpr-info.eu/art-5-gdpr/ (1) (e).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from series.collecting import WAITS_AFTER_THE_END
from series.rule_words import N_

MONTH = timedelta(days=30.5)  # near enough for a period, and the same for everybody
# A grade whose gradebook has moved to another LMS waits for the next opening of its activity there. Until then it is
# owed, and what it stands on stays; but whoever has not opened the activity in a term will not, and nothing is kept for
# ever because of it.
WAITS_FOR_A_GRADEBOOK = 6 * MONTH


class Kept(StrEnum):
    """Classes of retention. What a class is of stands beside the columns, in the data map."""

    PARTICIPATION = "participation"  # who takes part: issuer and number in the LMS, which activities they opened
    COMPLETION = "completion"  # what counts for a person: evidence, completions, excuses, objections, grades sent
    REFLECTION = "reflection"  # what was handed in, and the comment
    DRAFT = "draft"  # of a reflection that was never handed in
    ATTENDANCE = "attendance"  # detail that no completion needs: who asked for more time, who opened a check-in
    ACTIVITY = "activity"  # what an LMS says of somebody who is not known here
    ROSTER = "roster"  # who is in a course
    HELD = "held"  # a list of people that was held back and never answered
    HOSTING = "hosting"  # who is named, asks and is invited to host a session
    VISIT = "visit"
    ONCE = "once"  # what makes a form or a ticket work once, and how often one may try
    TRANSFER = "transfer"  # codes that move one's progress
    STAFF = "staff"  # accounts of coordinators and LMS administrators
    SIGN_IN = "sign_in"  # of staff
    STAFF_LINK = "staff_link"  # with which staff choose a password
    INVITATION = "invitation"  # links by which an LMS is registered
    UPLOAD = "upload"  # tables that a coordinator has uploaded
    RUN = "run"  # how the background work went: numbers, and no person
    AUDIT = "audit"
    TOMBSTONE = "tombstone"  # that somebody has had themselves erased
    SET_UP = "set_up"  # courses, activities, addresses of LMSs, and who has set what
    PROOF = "proof"  # seals, certificates, instruments
    AGGREGATE = "aggregate"  # numbers in which nobody is


@dataclass(frozen=True, kw_only=True)
class Retention:
    """`period` counts from what `words` say; None: no date ends it, but what `words` say does."""

    period: timedelta | None
    words: str


RETENTION: Mapping[Kept, Retention] = {
    Kept.PARTICIPATION: Retention(
        period=12 * MONTH, words=N_("12 months after the end of the last series in which the person took part")
    ),
    Kept.COMPLETION: Retention(period=12 * MONTH, words=N_("12 months after the end of the series")),
    Kept.REFLECTION: Retention(period=12 * MONTH, words=N_("12 months after the end of the series")),
    Kept.DRAFT: Retention(
        period=timedelta(days=30), words=N_("30 days after the end of the series, or after it was last changed")
    ),
    Kept.ATTENDANCE: Retention(period=timedelta(days=30), words=N_("30 days after the session")),
    Kept.ACTIVITY: Retention(period=WAITS_AFTER_THE_END, words=N_("60 days after the end of the series")),
    Kept.ROSTER: Retention(
        period=timedelta(days=30),
        words=N_("30 days after the person has left the course, or after the end of its last series"),
    ),
    Kept.HELD: Retention(
        period=timedelta(days=30), words=N_("until somebody has answered, at most 30 days after the end of the series")
    ),
    Kept.HOSTING: Retention(period=12 * MONTH, words=N_("12 months after the end of the series")),
    Kept.VISIT: Retention(period=timedelta(hours=24), words=N_("24 hours after its end; it lasts 12 hours")),
    Kept.ONCE: Retention(period=timedelta(), words=N_("minutes, until it could no longer be used anyway")),
    Kept.TRANSFER: Retention(period=timedelta(), words=N_("until it is used, at most 14 days")),
    Kept.STAFF: Retention(
        period=24 * MONTH, words=N_("24 months after the last sign-in of an account that was switched off")
    ),
    Kept.SIGN_IN: Retention(period=timedelta(), words=N_("until it ends")),
    Kept.STAFF_LINK: Retention(period=timedelta(), words=N_("until it is used or its time is over")),
    Kept.INVITATION: Retention(
        period=12 * MONTH, words=N_("12 months after it was used, withdrawn or its time was over")
    ),
    Kept.UPLOAD: Retention(period=timedelta(days=1), words=N_("until it is read, at most one day")),
    Kept.RUN: Retention(period=timedelta(days=30), words=N_("30 days; 2 days where nothing was to be done")),
    Kept.AUDIT: Retention(period=24 * MONTH, words=N_("24 months; the seals, which tell of nobody, stay")),
    Kept.TOMBSTONE: Retention(
        period=None, words=N_("as long as the university takes part; only a code that we alone can make")
    ),
    Kept.SET_UP: Retention(period=None, words=N_("as long as the university takes part")),
    Kept.PROOF: Retention(period=None, words=N_("as long as this installation is run; it tells of no participant")),
    Kept.AGGREGATE: Retention(period=None, words=N_("for good; nobody can be told from it")),
}


def period(kept: Kept) -> timedelta:
    """Raises ValueError for a class that no date ends."""
    found = RETENTION[kept].period
    if found is None:
        raise ValueError(f"no date ends {kept}")
    return found
