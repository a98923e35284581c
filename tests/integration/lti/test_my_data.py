"""“My data”: a participant sees, takes along and has erased what is held about them (GDPR 15, 17, 20, 21)."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from series.collecting import Said, Source
from series.own_data import Part
from series.store.held_completions import reject_held, weigh
from series.store.reflections import save_draft
from series.store.tables import audit, course, delivery, metadata, participant
from tests.examples import SERIES, SESSION
from tests.integration.lti.tool import Browser, Login, ToolUnderTest
from tests.integration.lti.workshop import CODE, OF_SESSION, Workshop, open_workshop, text_of


@pytest.fixture
def workshop(tool: ToolUnderTest, browser: Browser, login: Login) -> Workshop:
    opened = open_workshop(tool, browser, login)
    opened.open_check_in()
    assert opened.send(f"{OF_SESSION}check-in", at="", code=CODE).status_code == 303
    return opened


def document(workshop: Workshop) -> dict[str, Any]:
    answer = workshop.browser.get(f"{workshop.path}my-data.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    found: dict[str, Any] = json.loads(answer.text)
    return found


def part(workshop: Workshop, name: Part) -> list[dict[str, Any]]:
    (found,) = [one for one in document(workshop)["parts"] if one["name"] == name]
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def test_dpo_10_the_page_says_what_is_held_what_for_from_where_and_how_long(workshop: Workshop) -> None:
    page = workshop.page("my-data/")
    facts = text_of(page, "part-facts")
    assert SESSION.title in facts
    assert "Checked in with the code" in facts
    assert "Kept: 12 months after the end of the series." in facts
    assert "From: " in facts
    assert "Nothing is held of this" in page
    assert 'href="' + workshop.path + 'my-data/"' in workshop.page()


def test_dpo_10_the_file_has_every_part_with_its_words(workshop: Workshop) -> None:
    found = document(workshop)
    assert [one["name"] for one in found["parts"]] == [one.value for one in Part]
    assert all(one["title"] and one["purpose"] and one["source"] and one["kept"] for one in found["parts"])
    (fact,) = part(workshop, Part.FACTS)
    assert (fact["session"], fact["kind"], fact["source"]) == (SESSION.title, "code", "check-in")


def test_dpo_10_it_can_be_taken_along_as_a_pdf(workshop: Workshop) -> None:
    answer = workshop.browser.get(f"{workshop.path}my-data.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")  # how it is tagged: tests/unit/test_printing.py


def test_dpo_10_who_looked_is_said_by_role_and_never_by_name(workshop: Workshop) -> None:
    with workshop.tool.database.write() as connection:
        (course_id,) = connection.execute(sa.select(course.c.id)).scalars()
        who = connection.execute(sa.select(participant)).one()._mapping
        teacher = {**who, "id": 77, "sub": "the teacher"}
        abroad = {**who, "id": 78, "university_id": 2, "sub": "the host"}
        connection.execute(sa.insert(participant), [dict(teacher), dict(abroad)])
        me, at = f"participant {workshop.participant_id}", workshop.began_at
        lines = [
            ("participant 77", "see_course", f"course {course_id}"),
            ("participant 77", "see_person", me),
            ("participant 78", "confirm", me),
            ("staff 9", "see_person", "participant 77"),  # somebody else
            ("participant 77", "see_announcements", f"course {course_id}"),  # shows nobody
            ("operator", "list_affected", "university 1"),
            ("staff 9", "export_report", f"series {SERIES.series_id}"),  # shows nobody
            ("participant 78", "export_pooled", f"series {SERIES.series_id}"),
            ("operator", "export_person", me),
        ]
        rows = [{"at": at, "actor": one[0], "action": one[1], "object": one[2], "detail": "{}"} for one in lines]
        connection.execute(sa.update(participant).values(created_at=at))
        connection.execute(sa.insert(audit), rows)
    looked = text_of(workshop.page("my-data/"), "part-looked_at")
    assert looked.count("a teacher of your course What: looked at the list of your course") == 1
    assert looked.count("looked at what is recorded for you") == 1
    assert "a host of a session What: confirmed that you took part" in looked
    assert "the operators of this tool What: exported these data for you" in looked
    assert "listed whom a breach of security touches" in looked
    assert "export report" not in looked
    assert "export pooled" not in looked
    assert "77" not in looked
    assert next(row["by"] for row in part(workshop, Part.LOOKED_AT)) == "the operators of this tool"


def test_dpo_10_a_teachers_number_in_moodle_is_not_shown(workshop: Workshop) -> None:
    with workshop.tool.database.write() as connection:
        (course_id,) = connection.execute(sa.select(course.c.id)).scalars()
        key = {"course_id": course_id, "cmid": 3, "source": "override", "session_id": SESSION.session_id}
        said = {"sub": "student-5", "said_by": "teacher-77", "is_complete": True, "changed_at": workshop.began_at}
        connection.execute(sa.insert(metadata.tables["activity_state"]).values(**key, **said))
    assert [row["by"] for row in part(workshop, Part.MOODLE)] == ["your LMS"]


def test_dpo_10_what_moodle_takes_back_says_that_it_waits_or_stays(workshop: Workshop) -> None:
    now = workshop.began_at
    said = Said(key=(3, Source.ACTIVITY), session_id=SESSION.session_id, is_complete=False, changed_at=now)
    taken = {f"student-{number}": [said] for number in range(1, 40)}
    with workshop.tool.database.write() as connection:
        (course_id,) = connection.execute(sa.select(course.c.id)).scalars()
        state = {"course_id": course_id, "cmid": 3, "source": "activity", "session_id": SESSION.session_id}
        state |= {"is_complete": True, "changed_at": now}
        connection.execute(sa.insert(metadata.tables["activity_state"]), [state | {"sub": sub} for sub in taken])
        assert not weigh(connection, course_id, taken, {}, now=now)
    assert [row["taken_back"] for row in part(workshop, Part.MOODLE)] == ["waits"]
    assert "a teacher of your course decides" in text_of(workshop.page("my-data/"), "part-moodle")
    with workshop.tool.database.write() as connection:
        assert reject_held(connection, course_id, held_at=now, by="participant 77", now=now) == []
    words = text_of(workshop.page("my-data/"), "part-moodle")
    assert "Your Moodle takes it back: yes; a teacher of your course has said that it stays" in words


def test_dpo_10_taking_a_file_along_is_written_down(workshop: Workshop) -> None:
    document(workshop)
    assert [row["action"] for row in part(workshop, Part.DONE)] == ["export_own_data"] * 2


def test_dpo_12_erasure_asks_first_and_says_what_goes_and_what_stays(workshop: Workshop) -> None:
    page = workshop.page("my-data/erase")
    assert "What goes, at once and for good" in page
    assert "grades that your course already has" in page
    assert "an account for the pages of staff" in page
    before = workshop.tool.rows()
    answer = workshop.send("my-data/erase", at="my-data/erase")
    assert answer.status_code == 422
    assert "Nothing was erased" in answer.text
    assert workshop.nothing_written(before)


def test_dpo_12_nothing_of_the_person_is_left_in_any_table(workshop: Workshop) -> None:
    with workshop.tool.database.write() as connection:
        who = {"participant_id": workshop.participant_id, "session_id": SESSION.session_id}
        save_draft(connection, **who, text="mine alone", now=workshop.began_at)
    assert everywhere(workshop.tool, "student-5") == ["participant.sub"]
    assert pointing_to(workshop.tool, workshop.participant_id)
    answer = workshop.send("my-data/erase", at="my-data/erase", sure="yes")
    assert answer.status_code == 200
    assert "Everything is erased" in answer.text
    assert everywhere(workshop.tool, "student-5") == []
    assert everywhere(workshop.tool, "mine alone") == []
    assert pointing_to(workshop.tool, workshop.participant_id) == {}
    assert workshop.browser.get(workshop.path).status_code == 401  # signed out


def test_dpo_12_the_next_launch_asks_whether_to_start_again(workshop: Workshop) -> None:
    workshop.send("my-data/erase", at="my-data/erase", sure="yes")
    before = workshop.tool.rows()
    login = workshop.browser.begin_login(workshop.tool.malta)
    asked = workshop.browser.launch(login)
    assert asked.status_code == 200
    assert "Start again?" in asked.text
    assert workshop.tool.rows() == before
    form = {"state": login.state, "id_token": form_field(asked.text, "id_token"), "start_again": "yes"}
    foreign = workshop.browser.post("/lti/launch", data=form, headers={"Origin": "https://evil.example"})
    assert "Start again?" in foreign.text
    begun = workshop.browser.post("/lti/launch", data=form, headers={"Origin": "http://localhost:8999"})
    assert begun.status_code == 303
    fresh = workshop.browser.get(begun.location).text
    assert "0 of 1" in text_of(fresh, "own-standing")
    login = workshop.browser.begin_login(workshop.tool.malta)
    assert workshop.browser.launch(login).status_code == 303  # and is never asked again


def test_dpo_25_erasure_makes_the_calendar_address_worthless(workshop: Workshop) -> None:
    page = workshop.page()
    address = page.partition("/calendar/")[2].partition('"')[0]
    assert workshop.browser.get(f"/calendar/{address}").status_code == 200
    workshop.send("my-data/erase", at="my-data/erase", sure="yes")
    assert workshop.browser.get(f"/calendar/{address}").status_code == 404


def test_dpo_25_a_new_calendar_address_makes_the_old_one_worthless(workshop: Workshop) -> None:
    page = workshop.page()
    address = page.partition("/calendar/")[2].partition('"')[0]
    assert workshop.send("calendar/0/new-address", at="").status_code == 303
    assert workshop.browser.get(f"/calendar/{address}").status_code == 404


def test_dpo_11_what_is_wrong_goes_to_the_teachers_with_the_deadline_of_one_month(workshop: Workshop) -> None:
    page = workshop.page("my-data/")
    assert f'href="{workshop.path}#objection"' in page
    assert "within one month" in page


def test_dpo_13_who_objects_sees_it_and_takes_it_back(workshop: Workshop) -> None:
    assert workshop.send("my-data/object", at="my-data/").status_code == 303
    page = workshop.page("my-data/?saved=object")
    assert "You have objected on" in page
    assert "no grade is sent" in page
    assert states(workshop) == ["superseded"]
    assert workshop.send("my-data/object-no-more", at="my-data/").status_code == 303
    assert states(workshop) == ["due", "superseded"]
    assert "You have objected on" not in workshop.page("my-data/")


def states(workshop: Workshop) -> list[str]:
    """Of the grades, the newest first."""
    with workshop.tool.database.read() as connection:
        query = sa.select(delivery.c.state).order_by(delivery.c.version.desc())
        return list(connection.execute(query).scalars())


def test_dpo_14_what_counts_is_shown_with_its_reasons_and_a_person_can_change_it(workshop: Workshop) -> None:
    page = workshop.page()
    assert "Checked in with the code</span>, typed in by you" in page
    assert "A session is completed by" in page
    assert "This is wrong" in page


def form_field(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


def everywhere(tool: ToolUnderTest, text: str) -> list[str]:
    """Columns in which the text stands, in all tables."""
    found = []
    with tool.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)).mappings():
                found += [f"{table.name}.{name}" for name, value in row.items() if text in str(value)]
    return found


def pointing_to(tool: ToolUnderTest, participant_id: int) -> dict[str, int]:
    """Rows by column that name this participant."""
    found = {}
    with tool.database.read() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if any(key.column is participant.c.id for key in column.foreign_keys):
                    query = sa.select(sa.func.count()).select_from(table).where(column == participant_id)
                    if number := connection.execute(query).scalar_one():
                        found[f"{table.name}.{column.name}"] = number
    return found
