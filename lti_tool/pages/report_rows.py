"""The report as sheets of a workbook."""

from lti_tool.pages.report_words import Reached, ReportWords
from lti_tool.pages.words import WORDS
from lti_tool.spreadsheets import Cell, Sheet

gettext = WORDS.gettext


def sheets_of(words: ReportWords) -> list[Sheet]:
    sheets: list[Sheet] = [
        (gettext("Report"), _facts(words)),
        (gettext("Universities"), _partners(words)),
        (gettext("Sessions"), _sessions(words.sessions)),
    ]
    if words.is_by_month:
        sheets.append((gettext("Months"), _months(words.months)))
    return sheets


def _facts(words: ReportWords) -> list[list[Cell]]:
    return [
        [words.report.series.title, "", ""],
        *([fact.name, fact.value, fact.note] for fact in (*words.facts, *words.people, *words.audiences)),
        [gettext("People were counted"), words.counted_at or gettext("not counted yet"), ""],
    ]


def _partners(words: ReportWords) -> list[list[Cell]]:
    head: list[Cell] = [gettext("University"), gettext("Country"), gettext("Courses"), gettext("Schools")]
    return [head, *([one.name, one.country, one.courses, one.schools] for one in words.partners)]


def _sessions(sessions: tuple[Reached, ...]) -> list[list[Cell]]:
    names = (gettext("Session"), gettext("Day"), gettext("Hosting university"), gettext("Hours"), gettext("People"))
    return [[*names], *([one.name, one.day, one.hosting_university, one.hours, one.people] for one in sessions)]


def _months(months: tuple[Reached, ...]) -> list[list[Cell]]:
    head: list[Cell] = [gettext("Month"), gettext("Hours"), gettext("People")]
    return [head, *([one.name, one.hours, one.people] for one in months)]
