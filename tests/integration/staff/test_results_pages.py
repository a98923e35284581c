"""The coordinator's results and the report for the funder, which everybody may read and subtract their own from."""

import csv
import io
import re
import sys
from datetime import timedelta
from html import unescape

import openpyxl
import pytest

from series.audience import Audience, CourseAudience
from series.pooled import PooledBy
from series.store.course_audiences import set_audience, taught_courses
from series.store.pooled_settings import smallest_group_of
from series.store.sessions import sessions_of
from tests.conftest import NOW
from tests.examples import SERIES
from tests.integration.staff.desk import LMS_ADMIN, Desk, Office
from tests.integration.whole_series import OTHERS, fill, publish_step

SERIES_PATH = "/coordinator/series/autumn"
RESULTS, REPORT = f"{SERIES_PATH}/results", f"{SERIES_PATH}/report"
HIDDEN = "hidden to protect small groups (fewer than 5)"
PEOPLE = {"zagreb": (8, 9), "athens": (11, 6), "kiel": (3, 2), "oslo": (2, 4), "porto": (6, 5)}
LATER = NOW + timedelta(days=8)  # two of three sessions are over


def counted(office: Office, people: dict[str, tuple[int, int]], by: PooledBy = PooledBy.SESSION) -> Desk:
    """The coordinator's browser, after the first step."""
    with office.database.read() as connection:
        sessions = [one.session_id for one in sessions_of(connection, SERIES.series_id)][:2]
    fill(office.database, sessions, people)
    publish_step(office.database, now=LATER, by=by)
    office.jump(LATER + timedelta(minutes=5) - office.tool.clock.now())
    browser = office.new_browser()
    assert browser.sign_in().status_code == 303
    return browser


@pytest.fixture
def desk(office: Office) -> Desk:
    """Zagreb and Athens are large, Kiel and Oslo are small, and Porto is hidden with them."""
    return counted(office, PEOPLE)


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def fact(page: str, name: str) -> str:
    (value,) = re.findall(rf"<dt>{name}</dt>\s*<dd.*?</dd>", page, re.DOTALL)
    return text(value).removeprefix(name).strip()


def test_the_coordinator_sees_the_table_without_a_university_of_their_own(desk: Desk) -> None:
    page = desk.get(f"{RESULTS}/").text
    assert "Your course" not in page
    assert "Your university" not in page
    (together,) = re.findall(r'<tr class="line-others">(.*?)</tr>', page, re.DOTALL)
    assert text(together) == "All universities together 30 26 56"


def test_dpo_08_the_page_says_that_it_is_not_to_be_passed_on(desk: Desk) -> None:
    assert "To pass something on, take the report" in desk.get(f"{RESULTS}/").text


def test_dpo_08_files_of_the_coordinator_hide_what_the_page_hides(desk: Desk) -> None:
    content = desk.get(f"{RESULTS}.csv").data.decode("utf-8-sig")
    rows = {row[0]: row for row in csv.reader(io.StringIO(content, newline="")) if row}
    assert rows["University of Zagreb"][2:4] == ["8", "9"]
    assert rows["'=Oslo(Metropolitan)"][2:4] == ["counted with others"] * 2
    sheet = openpyxl.load_workbook(io.BytesIO(desk.get(f"{RESULTS}.xlsx").data))["Results"]
    assert [cell.value for cell in sheet[2]][2:4] == [30, 26]


def test_k_is_set_from_3_to_20(office: Office, desk: Desk) -> None:
    answer = desk.send(f"{RESULTS}/", f"{RESULTS}/smallest-group", smallest_group="8")
    assert answer.status_code == 303
    page = desk.get(answer.location.partition("localhost:8999")[2]).text
    assert "from the next count on" in page
    assert 'value="8"' in page
    with office.database.read() as connection:
        assert smallest_group_of(connection, SERIES.series_id) == 8
    assert ("set_smallest_group", "staff 1") in [(action, actor) for actor, action, _ in office.audit()]


@pytest.mark.parametrize("typed", ["2", "21", "", "five", "-5", "5.5", "99999999999", "\u0665"])
def test_another_k_is_refused_with_a_sentence(office: Office, desk: Desk, typed: str) -> None:
    answer = desk.send(f"{RESULTS}/", f"{RESULTS}/smallest-group", smallest_group=typed)
    assert answer.status_code == 422
    assert "Please give a whole number from 3 to 20." in answer.text
    with office.database.read() as connection:
        assert smallest_group_of(connection, SERIES.series_id) == 5


def test_dpo_07_of_staff_only_the_coordinator_sees_results(office: Office, desk: Desk) -> None:
    other = office.new_browser()
    other.sign_in(LMS_ADMIN)
    for page in (f"{RESULTS}/", f"{RESULTS}.csv", f"{RESULTS}.xlsx", f"{REPORT}/", f"{REPORT}.pdf", f"{REPORT}.xlsx"):
        assert other.get(page).status_code == 403


@pytest.mark.parametrize("page", [f"{RESULTS}/", f"{RESULTS}.xlsx", f"{REPORT}/", f"{REPORT}.pdf", f"{REPORT}.xlsx"])
def test_a_series_that_is_not_there_is_not_found(desk: Desk, page: str) -> None:
    assert desk.get(page.replace("autumn", "winter")).status_code == 404


def test_the_report_says_what_was_held_and_whom_it_reached(desk: Desk) -> None:
    page = desk.get(f"{REPORT}/").text
    assert fact(page, "Universities").startswith("5 with 5 courses")
    assert fact(page, "Countries") == "5"
    assert fact(page, "Sessions held") == "2 1 is to come"
    assert fact(page, "Hours held") == "4"
    assert text(page).count("30") >= 1


def test_the_report_has_the_audience_that_instructors_have_said(office: Office, desk: Desk) -> None:
    with office.database.write() as connection:
        first, second, *_ = taught_courses(connection, SERIES.series_id)
        for course, said in (
            (first, CourseAudience(audience=Audience.IN_SERVICE, schools=7)),
            (second, CourseAudience(audience=Audience.BOTH, schools=5)),
        ):
            set_audience(connection, course.course_id, SERIES.series_id, said, by="participant 1", now=LATER)
    page = desk.get(f"{REPORT}/").text
    assert fact(page, "Courses for teachers in service") == "1"
    assert fact(page, "Courses for both") == "1"
    assert fact(page, "Courses that have not said it") == "3"
    assert fact(page, "Schools of teachers in service") == "12 as 2 courses have said"


def test_dpo_08_people_are_told_by_audience_or_not_at_all(office: Office, desk: Desk) -> None:
    with office.database.write() as connection:
        first, *_ = taught_courses(connection, SERIES.series_id)
        said = CourseAudience(audience=Audience.IN_SERVICE)
        set_audience(connection, first.course_id, SERIES.series_id, said, by="participant 1", now=LATER)
    page = desk.get(f"{REPORT}/").text
    assert fact(page, "People in courses for teachers in service") == HIDDEN
    assert fact(page, "People in courses for teachers before service") == HIDDEN


def test_the_report_has_the_people_of_each_audience(office: Office) -> None:
    """Fifteen people at each of six universities, of whom five came to both sessions."""
    with office.database.read() as connection:
        sessions = [one.session_id for one in sessions_of(connection, SERIES.series_id)][:2]
    fill(office.database, sessions, dict.fromkeys(OTHERS, (10, 10)), new_each_time=5)
    with office.database.write() as connection:
        for number, course in enumerate(taught_courses(connection, SERIES.series_id)):
            said = CourseAudience(audience=Audience.IN_SERVICE if number % 2 else Audience.PRE_SERVICE)
            set_audience(connection, course.course_id, SERIES.series_id, said, by="participant 1", now=LATER)
    publish_step(office.database, now=LATER)
    browser = office.new_browser()
    assert browser.sign_in().status_code == 303
    page = browser.get(f"{REPORT}/").text
    assert fact(page, "People who completed a session").startswith("90")
    assert fact(page, "People in courses for teachers in service").startswith("45 as of")
    assert fact(page, "People in courses for teachers before service").startswith("45 as of")
    assert "People in courses that have not said it" not in page


def test_dpo_08_the_report_tells_no_total_from_which_a_partner_could_subtract_down_to_a_few(office: Office) -> None:
    """Of Zagreb and Kiel alone: Zagreb would know how many Kiel had."""
    desk = counted(office, {"zagreb": (8, 9), "kiel": (3, 2)})
    for content in (text(desk.get(f"{REPORT}/").text), workbook_text(desk)):
        assert HIDDEN in content
        assert not re.search(r"\b11\b", content.partition("Session by session")[2])


def test_the_report_counts_by_month_where_the_table_does(office: Office) -> None:
    desk = counted(office, PEOPLE, PooledBy.MONTH)
    page = desk.get(f"{REPORT}/").text
    assert "Month by month" in page
    assert openpyxl.load_workbook(io.BytesIO(desk.get(f"{REPORT}.xlsx").data)).sheetnames[-1] == "Months"
    assert "By month" in desk.get(f"{RESULTS}/").text


def test_the_report_is_a_pdf(office: Office, desk: Desk) -> None:
    answer = desk.get(f"{REPORT}.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert 'filename="autumn-report.pdf"' in answer.headers["Content-Disposition"]
    assert any(action == "export_report" and "pdf" in detail for _, action, detail in office.audit())


class WithoutPango:
    """What WeasyPrint meets where its library is missing."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")


def test_where_no_pdf_can_be_made_the_page_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [WithoutPango(), *sys.meta_path])
    answer = desk.get(f"{REPORT}.pdf")
    assert answer.status_code == 503
    assert "tell its operator" in answer.text


def test_before_anything_was_held_the_pages_say_so(office: Office, signed_in: Desk) -> None:
    office.jump(NOW - timedelta(days=1) - office.tool.clock.now())
    browser = office.new_browser()
    browser.sign_in()
    assert "No session has begun yet" in browser.get(f"{RESULTS}/").text
    page = browser.get(f"{REPORT}/").text
    assert "No session has been held yet" in page
    assert "not counted yet" in page
    assert browser.get(f"{REPORT}.pdf").status_code == 200


def workbook_text(desk: Desk) -> str:
    book = openpyxl.load_workbook(io.BytesIO(desk.get(f"{REPORT}.xlsx").data))
    return " ".join(str(cell.value) for sheet in book for row in sheet for cell in row)
