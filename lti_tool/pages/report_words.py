"""The report in words: facts, partners, and the sessions or months with how many people they reached."""

from dataclasses import dataclass

from babel.dates import format_date
from flask_babel import get_locale

from lti_tool.pages.pooled_cells import hidden_words
from lti_tool.pages.pooled_table import country_name, month_name
from lti_tool.pages.times import moment
from lti_tool.pages.words import WORDS
from lti_tool.spreadsheets import Cell
from series.audience import Audience
from series.pooled import NOT_SAID, Block, PooledBy
from series.report import Partner, Report
from series.sessions import Session
from series.step_times import month_of

gettext, ngettext = WORDS.gettext, WORDS.ngettext


@dataclass(frozen=True, kw_only=True)
class Fact:
    """`value`: a number, or words where there is none. `note` may be empty."""

    name: str
    value: Cell
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One session or month that was held. `people`: how many, or why that is not told."""

    name: str
    day: str
    hosting_university: str
    hours: float | None
    people: Cell


@dataclass(frozen=True, kw_only=True)
class PartnerWords:
    name: str
    country: str
    courses: int
    schools: Cell


@dataclass(frozen=True, kw_only=True)
class ReportWords:
    report: Report
    counted_at: str
    facts: tuple[Fact, ...]
    people: tuple[Fact, ...]  # by audience; empty where no course has said whom it teaches
    audiences: tuple[Fact, ...]  # courses
    partners: tuple[PartnerWords, ...]
    sessions: tuple[Reached, ...]
    months: tuple[Reached, ...]  # where people are counted by month

    @property
    def is_by_month(self) -> bool:
        return bool(self.months)


def words_of(report: Report) -> ReportWords:
    totals = report.totals
    by_month = totals is not None and totals.by is PooledBy.MONTH
    return ReportWords(
        report=report,
        counted_at=moment(totals.step_at, report.series.time_zone) if totals else "",
        facts=_facts(report),
        people=_people_by_audience(report),
        audiences=_audiences(report),
        partners=tuple(sorted(map(_partner, report.partners), key=lambda one: (one.country, one.name))),
        sessions=tuple(_session(one, report) for one in report.held),
        months=tuple(_months(report)) if by_month else (),
    )


def _partner(one: Partner) -> PartnerWords:
    return PartnerWords(
        name=one.university.name,
        country=country_name(one.university.country),
        courses=one.courses,
        schools=gettext("not said") if one.schools is None else one.schools,
    )


def _facts(report: Report) -> tuple[Fact, ...]:
    cancelled = ngettext("%(num)s was cancelled", "%(num)s were cancelled", report.cancelled)
    to_come = ngettext("%(num)s is to come", "%(num)s are to come", report.to_come)
    others = [words for number, words in ((report.cancelled, cancelled), (report.to_come, to_come)) if number]
    courses = ngettext("with %(num)s course", "with %(num)s courses", report.courses)
    return (
        Fact(name=gettext("People who completed a session"), value=_people(report), note=_people_note(report)),
        Fact(name=gettext("Countries"), value=len(report.countries)),
        Fact(name=gettext("Universities"), value=len(report.partners), note=courses),
        Fact(name=gettext("Sessions held"), value=len(report.held), note=", ".join(others)),
        Fact(name=gettext("Hours held"), value=hours(report.length.total_seconds())),
    )


def _people(report: Report) -> Cell:
    if report.totals is None:
        return gettext("not counted yet")
    if report.totals.people is None:
        return hidden_words(report.totals.smallest_group)
    return report.totals.people


def _people_note(report: Report) -> str:
    totals = report.totals
    different = gettext("each counted once, however many sessions they came to")
    if totals is None or totals.people_at in {None, totals.step_at}:
        return different
    assert totals.people_at is not None
    return f"{different}; {gettext('as of %(when)s', when=moment(totals.people_at, report.series.time_zone))}"


def _people_by_audience(report: Report) -> tuple[Fact, ...]:
    """Of all of them or of none: what is left out could be subtracted."""
    of, totals = report.audiences, report.totals
    if not of.pre_service + of.in_service + of.both:
        return ()
    named = (
        (Audience.PRE_SERVICE, gettext("People in courses for teachers before service")),
        (Audience.IN_SERVICE, gettext("People in courses for teachers in service")),
        (Audience.BOTH, gettext("People in courses for both, or in one of each")),
        (NOT_SAID, gettext("People in courses that have not said it")),
    )
    if totals is None or totals.audiences is None or totals.audiences_at is None:
        why = hidden_words(totals.smallest_group) if totals else gettext("not counted yet")
        return tuple(Fact(name=name, value=why) for _, name in named[:2])
    note = gettext("as of %(when)s", when=moment(totals.audiences_at, report.series.time_zone))
    return tuple(
        Fact(name=name, value=totals.audiences[one], note=note) for one, name in named if one in totals.audiences
    )


def _audiences(report: Report) -> tuple[Fact, ...]:
    of = report.audiences
    said = ngettext("as %(num)s course has said", "as %(num)s courses have said", of.said_schools)
    return (
        Fact(name=gettext("Courses for teachers before service"), value=of.pre_service),
        Fact(name=gettext("Courses for teachers in service"), value=of.in_service),
        Fact(name=gettext("Courses for both"), value=of.both),
        Fact(name=gettext("Courses that have not said it"), value=of.not_said),
        Fact(
            name=gettext("Schools of teachers in service"),
            value=of.schools if of.said_schools else gettext("not said"),
            note=said if of.said_schools else "",
        ),
    )


def _session(one: Session, report: Report) -> Reached:
    return Reached(
        name=one.title,
        day=str(format_date(one.wall_start.date(), "d MMMM y", locale=get_locale())),
        hosting_university=one.hosting_university or "",
        hours=hours((one.end_at - one.start_at).total_seconds()),
        people=_people_in(Block(session_id=one.session_id), report),
    )


def _months(report: Report) -> list[Reached]:
    by_month: dict[str, list[Session]] = {}
    for one in report.held:
        by_month.setdefault(month_of(one.start_at, report.series.time_zone), []).append(one)
    return [
        Reached(
            name=month_name(month),
            day="",
            hosting_university="",
            hours=hours(sum((one.end_at - one.start_at).total_seconds() for one in held)),
            people=_people_in(Block(month=month), report),
        )
        for month, held in sorted(by_month.items())
    ]


def _people_in(block: Block, report: Report) -> Cell:
    if report.totals is None or not report.is_counted(block):
        return gettext("not counted yet")
    people = report.people_in(block)
    return hidden_words(report.totals.smallest_group) if people is None else people


def hours(seconds: float) -> float:
    """To a quarter."""
    return round(seconds / 900) / 4
