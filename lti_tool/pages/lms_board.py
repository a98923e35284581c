"""The pre-flight board of one LMS, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext

from lti_tool.pages.lms_words import sign_of, took_in_words, verdict_in_words
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from series.checks import Outcome
from series.people import University
from series.preflight import Code, Trial
from series.preflight_words import found_sentence, remedy_sentence, title_of
from series.store.platform_checks import CheckedPlatform
from series.store.universities import PlatformRow

SAME_CHECK = timedelta(hours=1)
BEGINS_WITHIN = timedelta(seconds=30)  # a worker's tick is a second


@dataclass(frozen=True, kw_only=True)
class BoardLine:
    """`is_wanted`: whether somebody should do what `remedy` says."""

    sign: str
    outcome: str
    title: str
    found: str
    remedy: str
    is_wanted: bool
    at: str
    took: str
    since: str | None
    href: str | None


@dataclass(frozen=True, kw_only=True)
class Board:
    """`underway`: a sentence while somebody waits for it. `version`: another one whenever it shows something else."""

    verdict: str
    lines: list[BoardLine]
    checked_at: str | None
    underway: str
    seems_dead: bool
    version: str


def board_of(university: University, row: PlatformRow, checked: CheckedPlatform | None, now: datetime) -> Board:
    zone = university.time_zone
    underway, seems_dead = _underway(row, checked, zone, now)
    return Board(
        verdict=verdict_in_words(row.state, checked.trials if checked else ()),
        lines=[_line(university, row, trial, checked) for trial in checked.trials] if checked else [],
        checked_at=moment(checked.checked_at, zone) if checked and checked.checked_at else None,
        underway=underway,
        seems_dead=seems_dead,
        version=f"{checked.checked_at if checked else ''} {underway}",
    )


def _underway(row: PlatformRow, checked: CheckedPlatform | None, zone: str, now: datetime) -> tuple[str, bool]:
    is_active = row.state == "active"
    if checked is None:
        return (gettext("The first check begins within seconds while the worker runs.") if is_active else ""), False
    if checked.is_running(now):
        return gettext("It is being checked right now; this takes up to two minutes."), False
    since = checked.asked_at or (checked.next_at if is_active and checked.next_at <= now else None)
    if since is None:
        return "", False
    if now - since < BEGINS_WITHIN:
        return gettext("The worker begins within seconds."), False
    when = moment(since, zone)
    sentence = gettext(
        "Nobody has begun the check that is due since %(when)s: the worker does not seem to run. Whoever runs this tool"
        " starts it with “moodle-sync worker”.",
        when=when,
    )
    return sentence, True


def _line(university: University, row: PlatformRow, trial: Trial, checked: CheckedPlatform) -> BoardLine:
    zone = university.time_zone
    said = partial(moment, zone=zone)
    sign, outcome = sign_of(trial)
    since = checked.gaps_since.get(trial.code.value)
    is_older = since is not None and trial.at is not None and trial.at - since > timedelta(minutes=5)
    return BoardLine(
        sign=sign,
        outcome=outcome,
        title=title_of(trial.code, WORDS),
        found=found_sentence(trial, row.product, WORDS, moment=said),
        remedy=remedy_sentence(trial, row.product, WORDS, moment=said),
        is_wanted=trial.outcome in {Outcome.GAP, Outcome.UNKNOWN},
        at=_at(trial.at, checked.checked_at, zone),
        took=took_in_words(trial.ms),
        since=moment(since, zone) if since and is_older else None,
        href=url_for("moodle_connection.show", slug=university.slug) if trial.code is Code.MOODLE else None,
    )


def _at(at: datetime | None, checked_at: datetime | None, zone: str) -> str:
    """With its day, where it is what an earlier check has found."""
    if at is None:
        return ""
    if checked_at is not None and checked_at - at > SAME_CHECK:
        return moment(at, zone)
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
