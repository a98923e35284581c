"""The readiness board: every university, how far it is, and what is to be done next. For the coordinator."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Blueprint, abort, render_template, request
from flask_babel import get_locale

from lti_tool.pages.lists import PER_PAGE, count_pages, wanted_page, wanted_search
from lti_tool.pages.staff_proof import with_staff
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.people import University
from series.permissions import Action, may
from series.readiness import Finding, Readiness, Step, first_things
from series.readiness_letters import letter_about
from series.readiness_words import SIGNS, found_words, path_of, remedy_words, state_name, step_title
from series.sessions import Series
from series.staff import Staff
from series.store.readiness import readiness, running_series

blueprint = Blueprint("partners", __name__, url_prefix="/admin/partners")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One step of one university. `state` in words, so that colour and sign say nothing alone."""

    step: str
    state: str
    sign: str
    kind: str
    words: str
    since: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What is to be done. `text_id`: of the field with the text to send."""

    step: str
    words: str
    remedy: str
    path: str
    text: str
    text_id: str


@dataclass(frozen=True, kw_only=True)
class Row:
    university: University
    is_ready: bool
    cells: tuple[Cell, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, kw_only=True)
class First:
    """`count`: of how many universities it is true."""

    remedy: str
    name: str
    path: str
    count: int


@blueprint.get("/")
@with_staff
def show_all(staff: Staff) -> str:
    if not may(staff, Action.SEE_PARTNERS):
        abort(403)
    only_gaps, page = request.args.get("gaps") == "1", wanted_page()
    search = wanted_search()
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        choices = running_series(connection, now=now)
        series = chosen_series(choices)
        found = readiness(connection, series.series_id if series else None, now=now)
    shown = [one for one in found if _is_asked(one, search) and not (only_gaps and one.is_ready)]
    return render_template(
        "partners.html",
        staff=staff,
        series=series,
        choices=choices,
        steps=[step_title(step, WORDS) for step in Step],
        rows=[row_of(one, series, staff) for one in shown[(page - 1) * PER_PAGE : page * PER_PAGE]],
        total=len(found),
        ready=sum(one.is_ready for one in found),
        firsts=[
            First(
                remedy=remedy_words(one.finding, WORDS),
                name=one.university.name,
                path=path_of(one.finding, university=one.university.slug, series=series.slug if series else ""),
                count=one.count,
            )
            for one in first_things(found)
        ],
        shown=len(shown),
        only_gaps=only_gaps,
        search=search,
        page=page,
        pages=count_pages(len(shown)),
    )


def chosen_series(choices: list[Series]) -> Series | None:
    """That of the address, or the newest that runs."""
    wanted = request.args.get("series", "")
    return next((one for one in choices if one.slug == wanted), choices[0] if choices else None)


def row_of(one: Readiness, series: Series | None, staff: Staff) -> Row:
    return Row(
        university=one.university,
        is_ready=one.is_ready,
        cells=tuple(_cell(finding, one.university) for finding in one.findings),
        gaps=tuple(_gap(finding, one, series, staff) for finding in one.gaps),
    )


def _cell(finding: Finding, home: University) -> Cell:
    return Cell(
        step=step_title(finding.step, WORDS),
        state=state_name(finding.state, WORDS),
        sign=SIGNS[finding.state],
        kind=finding.state.value,
        words=found_words(finding, WORDS),
        since=_day(finding.since, home.time_zone) if finding.since else "",
    )


def _gap(finding: Finding, one: Readiness, series: Series | None, staff: Staff) -> Gap:
    slug = one.university.slug
    return Gap(
        step=step_title(finding.step, WORDS),
        words=found_words(finding, WORDS),
        remedy=remedy_words(finding, WORDS),
        path=path_of(finding, university=slug, series=series.slug if series else ""),
        text=letter_about(
            finding,
            one,
            series=series.title if series else "our workshop series",
            public_url=the_tool().settings.public_url,
            sender=staff.name,
        ),
        text_id=f"text-{slug}-{finding.step}",
    )


def _day(at: datetime, zone: str) -> str:
    return str(format_date(at.astimezone(ZoneInfo(zone)), "d MMM y", locale=get_locale()))


def _is_asked(one: Readiness, search: str) -> bool:
    wanted = search.casefold()
    return wanted in one.university.name.casefold() or wanted in one.university.slug
