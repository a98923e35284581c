"""The series as a whole, as an instructor sees it: on the page and in both files, with the same protection."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import openpyxl
import pytest

from lti_tool.pages.pooled_cells import Head, rows_of
from lti_tool.pages.pooled_reading import Results, read_results
from lti_tool.pages.pooled_table import week_by_week
from series.pooled import Block, Column, PooledBy
from series.store.pooled_own import own_counts
from series.store.pooled_settings import set_smallest_group
from tests.examples import SERIES
from tests.integration.lti.course import CourseUnderTest, as_test_user, open_as
from tests.integration.lti.lms import LEARNER
from tests.integration.whole_series import OTHERS, fill, publish_step

HIDDEN = "hidden to protect small groups (fewer than 5)"
PEOPLE = {"zagreb": (8,), "athens": (11,), "kiel": (3,), "oslo": (2,), "porto": (6,)}


@pytest.fixture
def pooled(course: CourseUnderTest) -> CourseUnderTest:
    """Of the session that is over: Malta has one person, others as above; small ones are shown together, and with them
    Porto, the smallest of the large ones."""
    course.check_in(course.maria, course.over)
    fill(course.database, [course.over], PEOPLE, now=course.now)
    publish_step(course.database, now=course.now)
    return course


def rows(page: str, caption: str = "heat-caption") -> dict[str, list[str]]:
    """Cells in words by the head of their row."""
    (table,) = re.findall(rf'<table class="table[^"]*">\s*<caption[^>]*id="{caption}">.*?</table>', page, re.DOTALL)
    found = {}
    for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]:
        cells = [text(one) for one in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        found[cells[0]] = cells[1:]
    return found


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_before_the_first_step_only_the_own_numbers_are_shown(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.over)
    page = course.get("series/")
    assert rows(page)["Your course"][0] == "1"
    assert rows(page)["All other universities together"][0] == "not counted yet"
    assert "have not been counted yet" in page


def test_own_course_own_university_and_all_others_come_first(pooled: CourseUnderTest) -> None:
    found = rows(pooled.get("series/"))
    assert list(found)[:3] == ["Your course", "Your university", "All other universities together"]
    assert [cells[0] for cells in found.values()][:3] == ["1", "hidden", "30"]


def test_dpo_08_nobody_and_one_in_a_colleagues_course_look_the_same(pooled: CourseUnderTest) -> None:
    before = pooled.get("series/")
    pooled.check_in(pooled.other, pooled.over)
    page = pooled.get("series/")
    assert rows(page)["Your university"] == rows(before)["Your university"]
    assert "few people are in its other courses" in page


def test_a_large_group_is_shown_and_small_ones_only_together(pooled: CourseUnderTest) -> None:
    found = {name: cells[0] for name, cells in rows(pooled.get("series/")).items()}
    assert found["University of Zagreb Croatia"] == "8"
    assert found[f"{OTHERS['kiel'][0]} Germany"] == "with others"
    assert found["=Oslo(Metropolitan) Norway"] == "with others"
    assert found["Counted together"] == "11 3 universities"


def test_dpo_08_no_number_below_k_is_on_the_page_or_in_a_file(pooled: CourseUnderTest) -> None:
    for names in (rows(pooled.get("series/")), file_rows(pooled, "csv"), file_rows(pooled, "xlsx")):
        for name, cells in names.items():
            if "Kiel" in name or "Oslo" in name:
                assert not any(re.match(r"\d", str(cell)) for cell in cells if cell), (name, cells)


def test_what_is_hidden_altogether_says_so_and_is_never_blank_or_nought(course: CourseUnderTest) -> None:
    fill(course.database, [course.over], {"kiel": (3,)}, now=course.now)
    publish_step(course.database, now=course.now)
    found = rows(course.get("series/"))
    assert found["All other universities together"][0] == "hidden"
    assert all(cell not in {"", "0"} for name, cells in found.items() if "Your" not in name for cell in cells[:1])
    assert file_rows(course, "csv")["All other universities together"][1] == HIDDEN
    assert file_rows(course, "xlsx")["All other universities together"][1] == HIDDEN


def test_files_say_the_same_as_the_page(pooled: CourseUnderTest) -> None:
    for suffix in ("csv", "xlsx"):
        found = file_rows(pooled, suffix)
        assert [str(found[name][1]) for name in ("Your course", "All other universities together")] == ["1", "30"]
        assert str(found["University of Zagreb"][1]) == "8"


def test_no_cell_of_a_file_is_a_formula(pooled: CourseUnderTest) -> None:
    assert "'=Oslo(Metropolitan)" in file_rows(pooled, "csv")
    sheet = openpyxl.load_workbook(io.BytesIO(download(pooled, "xlsx")))["Results"]
    assert all(cell.data_type != "f" for row in sheet for cell in row)


def test_a_filter_leaves_out_rows_and_counts_nothing_anew(pooled: CourseUnderTest) -> None:
    found = rows(pooled.get("series/?country=HR"))
    assert "University of Zagreb Croatia" in found
    assert not any("Athens" in name or "Αθηνών" in name for name in found)
    assert found["All other universities together"][0] == "30", "the sum is that of all"
    shown = rows(pooled.get("series/?rows=shown"))
    assert not any("Kiel" in name for name in shown)


def test_a_file_has_the_filter_of_the_page(pooled: CourseUnderTest) -> None:
    page = pooled.get("series/?country=HR")
    (address,) = re.findall(r'href="[^"]*/course/(series\.csv[^"]*)"', page)
    assert "University of Zagreb" in file_rows(pooled, "csv", unescape(address).partition("?")[2])
    assert OTHERS["athens"][0] not in file_rows(pooled, "csv", unescape(address).partition("?")[2])


@pytest.mark.parametrize("query", ["country=%00", "country=XX", "month=2026-99", "month=x", "rows=%FF", "country=hr"])
def test_a_filter_that_means_nothing_is_no_error(pooled: CourseUnderTest, query: str) -> None:
    pooled.get(f"series/?{query}")


def test_dpo_08_others_change_only_with_the_next_step(pooled: CourseUnderTest) -> None:
    before = rows(pooled.get("series/"))
    fill(pooled.database, [pooled.over], {"graz": (9,)}, now=pooled.now)
    assert rows(pooled.get("series/")) == before


def test_the_page_of_the_course_has_the_same_number_of_others(pooled: CourseUnderTest) -> None:
    """Of the session of this week, which is not over: nothing is counted."""
    page = pooled.get("")
    (number,) = re.findall(r'<dd id="others-count">(.*?)</dd>', page, re.DOTALL)
    assert text(number).startswith("not counted yet")
    assert "/course/series/" in number


def test_where_months_are_counted_a_session_is_told_as_all_others_together(course: CourseUnderTest) -> None:
    course.check_in(course.maria, course.over)
    fill(course.database, [course.over], PEOPLE, now=course.now)
    publish_step(course.database, now=course.now, by=PooledBy.MONTH)
    weeks = rows(course.get("series/"), "trend-caption")
    assert [cells[-1] for cells in weeks.values()] == ["30", "not counted yet"]
    assert file_rows(course, "csv")["All other universities together"][1:3] == ["30", "not counted yet"]
    sheet = openpyxl.load_workbook(io.BytesIO(download(course, "xlsx")))["Sessions"]
    assert [cell.value for cell in list(sheet)[-1]][2:4] == [30, "not counted yet"]


def test_a_column_that_stands_as_it_was_told_says_since_when(course: CourseUnderTest) -> None:
    publish_step(course.database, now=course.now, by=PooledBy.MONTH)
    with course.database.read() as connection:
        read = read_results(connection, SERIES.series_id, viewer=None, course_id=None, now=course.now)
        own = own_counts(connection, series_id=SERIES.series_id, university_id=1, course_id=1, now=course.now)
    assert read.pooled is not None
    session = Block(session_id=course.over)
    older = Column(block=session, shown={}, group=None, total=30, as_of=datetime(2026, 11, 15, 23, 30, tzinfo=UTC))
    with course.tool.app.test_request_context():
        of_coordinator = replace(read, pooled=replace(read.pooled, sessions=(older,)))
        assert _head(of_coordinator, session).older == "as of 16 Nov"  # where the series is
        weeks = week_by_week(replace(of_coordinator, own=own))
        head = _head(replace(of_coordinator, own=own), session)
        assert head.older == "others as of 16 Nov"
        assert f"{head.title} ({head.day}, {head.older})" in rows_of(weeks)[0]


def _head(results: Results, block: Block) -> Head:
    (head,) = [one for one in week_by_week(results).heads if one.block == block]
    return head


def test_a_row_has_the_sum_of_the_month_that_is_asked_for(pooled: CourseUnderTest) -> None:
    page = pooled.get("series/")
    (month,) = re.findall(r'<option value="(\d{4}-\d\d)"', page)[:1]
    found = rows(pooled.get(f"series/?month={month}"))
    (zagreb,) = [cells for head, cells in found.items() if "Zagreb" in head]
    (kiel,) = [cells for head, cells in found.items() if "Kiel" in head]
    assert (zagreb[-1], kiel[-1]) == ("8", "– no sum, because a part of it is hidden")


def test_dpo_08_another_k_counts_from_the_next_step_on(pooled: CourseUnderTest) -> None:
    with pooled.database.write() as connection:
        set_smallest_group(connection, SERIES.series_id, 10, by="staff 1", now=pooled.now)
    assert "fewer than 5" in pooled.get("series/")


def test_dpo_15_who_looked_and_who_took_a_file_is_noted(pooled: CourseUnderTest) -> None:
    pooled.get("series/")
    download(pooled, "csv")
    assert pooled.audited("see_pooled")[-1][1] == f"series {SERIES.series_id}"
    assert len(pooled.audited("export_pooled")) == 1


def test_dpo_07_only_who_teaches_sees_the_whole_series(pooled: CourseUnderTest) -> None:
    for browser, path in (
        open_as(pooled.tool, pooled.tool.malta, roles=[LEARNER], sub="5"),
        as_test_user(pooled.tool, pooled.tool.malta),
    ):
        for page in ("series/", "series.csv", "series.xlsx"):
            assert browser.get(f"{path}course/{page}").status_code == 403


def download(course: CourseUnderTest, suffix: str, query: str = "") -> bytes:
    answer = course.browser.get(f"{course.path}course/series.{suffix}?{query}")
    assert answer.status_code == 200
    assert f'filename="autumn-results.{suffix}"' in answer.headers["Content-Disposition"]
    return answer.data


def file_rows(course: CourseUnderTest, suffix: str, query: str = "") -> dict[str, list[object]]:
    content = download(course, suffix, query)
    if suffix == "csv":
        read = [list(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content))["Results"]
        read = [[cell.value for cell in row] for row in sheet]
    return {str(row[0]): row[1:] for row in read if row}
