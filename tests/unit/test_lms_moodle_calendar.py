"""Reading, changing and deleting calendar events in Moodle, against the recorded exchanges with a real one."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import responses

from lms.errors import NotAllowed, NotFound, Refused
from lms.moodle import Moodle
from lms.moodle_events import EventDraft
from tests.unit.recordings import (
    MOODLE_SERVER,
    play_moodle,
    recording,
    sent_form,
)

START_AT = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
DRAFT = EventDraft(course_id=2, name="Week 1", description="<p>x</p>", start_at=START_AT, duration_minutes=90)
FROM_AT, TO_AT = START_AT - timedelta(days=30), START_AT + timedelta(days=90)


def answer_form(start_at: datetime) -> None:
    responses.post(
        MOODLE_SERVER, json={"event": {"id": 6, "timestart": int(start_at.timestamp())}, "validationerror": False}
    )


# Reading events


@responses.activate
def test_the_events_of_a_course_are_listed_with_their_names_as_people_read_them(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.all")
    events = moodle.calendar_events(2, from_at=FROM_AT, to_at=TO_AT)
    recorded = recording("core_calendar_get_calendar_events.all")["response"]["events"]
    assert [event.event_id for event in events] == [event["id"] for event in recorded if event["courseid"] == 2]
    assert events[1].name == "a < b and c > d"
    assert (events[1].start_at, events[1].duration_s, events[1].user_id) == (START_AT, 5400, 35)
    assert {key: value for key, value in sent_form().items() if "[" in key} == {
        "events[courseids][0]": "2",
        "options[userevents]": "0",
        "options[siteevents]": "0",
        "options[ignorehidden]": "0",
        "options[timestart]": str(int(FROM_AT.timestamp())),
        "options[timeend]": str(int(TO_AT.timestamp())),
    }


@responses.activate
def test_a_course_that_we_cannot_see_is_not_an_empty_course(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.bad-course")
    with pytest.raises(NotAllowed, match="cannot see this course"):
        moodle.calendar_events(999, from_at=FROM_AT, to_at=TO_AT)


@responses.activate
def test_events_of_other_courses_are_not_the_courses(moodle: Moodle) -> None:
    content = recording("core_calendar_get_calendar_events.bad-course")["response"]
    responses.post(MOODLE_SERVER, json={**content, "warnings": []})
    assert moodle.calendar_events(2, from_at=FROM_AT, to_at=TO_AT) == ()


@responses.activate
def test_events_of_a_subscription_that_we_may_not_see_do_not_hide_the_others(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.with-subscription")
    assert len(moodle.calendar_events(2, from_at=FROM_AT, to_at=TO_AT)) == 28


@responses.activate
def test_events_by_ids_are_those_that_are_still_there(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.byid", same_form=True)
    (event,) = moodle.calendar_events_by_ids([99999, 6])
    assert (event.event_id, event.name) == (6, 'Workshop 1 & intro "q" é')


@responses.activate
def test_events_by_ids_that_we_may_not_see_are_absent(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.subscription-byid", same_form=True)
    assert moodle.calendar_events_by_ids({35, 39}) == ()


@responses.activate
def test_the_link_in_a_description_survives_moodles_cleaning(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.marker", same_form=True)
    (event,) = moodle.calendar_events_by_ids([46])
    assert 'href="https://hub.example/s/uuid-123"' in event.description


@responses.activate
def test_hidden_events_are_listed_as_such(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.course-ignorehidden0")
    shown, hidden = moodle.calendar_events(2, from_at=FROM_AT, to_at=TO_AT)
    assert (shown.is_visible, hidden.is_visible) == (True, False)


@responses.activate
def test_events_by_ids_are_no_others_than_asked_for(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.all")
    assert [event.event_id for event in moodle.calendar_events_by_ids([6])] == [6]


# Changing an event


@responses.activate
def test_an_event_is_changed_by_the_whole_form_in_utc(moodle: Moodle) -> None:
    play_moodle("core_calendar_submit_create_update_form.update-full")
    recorded = parse_qs(
        recording("core_calendar_submit_create_update_form.update-full")["request_params_form"]["formdata"]
    )
    draft = EventDraft(
        course_id=2,
        name="Updated name",
        description=recorded["description[text]"][0],
        start_at=datetime(2026, 11, 25, 16, 7, tzinfo=UTC),
        duration_minutes=95,
    )
    moodle.update_calendar_event(6, draft)
    form = parse_qs(sent_form()["formdata"], keep_blank_values=True)
    kept = {"location", "userid", "sesskey"}  # Moodle keeps the first when it is omitted and needs none of the others
    assert {key: value for key, value in form.items() if value != [""]} == {
        key: value for key, value in recorded.items() if key not in kept
    }
    assert len(responses.calls) == 1


@responses.activate
def test_an_event_is_hidden_by_the_form(moodle: Moodle) -> None:
    name = "core_calendar_submit_create_update_form.visible0-on-visible"
    play_moodle(name)
    recorded = parse_qs(recording(name)["request_params_form"]["formdata"])
    draft = EventDraft(
        course_id=2,
        name="hidagain",
        description="<p>x</p>",
        start_at=datetime(2026, 11, 30, 12, 0, tzinfo=UTC),
        duration_minutes=60,
        is_hidden=True,
    )
    moodle.update_calendar_event(1, draft)
    form = parse_qs(sent_form()["formdata"])
    assert form == {key: value for key, value in recorded.items() if key != "userid"}


@responses.activate
@pytest.mark.parametrize("zone", ["99", "America/New_York"])
def test_an_account_in_another_time_zone_still_gets_the_right_time(moodle: Moodle, zone: str) -> None:
    # The first answer is what the recorded site made of 15:00 for an account in this zone.
    epoch, _ = recording("timezone-form-experiment")[f"form 2026-11-25 15:00 with user tz {zone}"]
    wrong_at = datetime.fromtimestamp(epoch, UTC)
    answer_form(wrong_at)
    answer_form(START_AT)
    moodle.update_calendar_event(6, DRAFT)
    second = parse_qs(sent_form()["formdata"])
    wall_clock = START_AT - (wrong_at - START_AT)
    assert (second["timestart[hour]"], second["timestart[day]"]) == ([str(wall_clock.hour)], [str(wall_clock.day)])


@responses.activate
def test_an_event_that_stays_at_the_wrong_time_is_not_taken_for_changed(moodle: Moodle) -> None:
    answer_form(START_AT + timedelta(hours=5))
    answer_form(START_AT + timedelta(hours=1))
    with pytest.raises(Refused, match="time zone to UTC"):
        moodle.update_calendar_event(6, DRAFT)


@responses.activate
def test_a_form_refused_without_a_reason_names_the_likely_one(moodle: Moodle) -> None:
    play_moodle("core_calendar_submit_create_update_form.before-course-start")
    with pytest.raises(Refused, match="start date of the course") as caught:
        moodle.update_calendar_event(6, DRAFT)
    assert caught.value.reason == "validationerror"


@responses.activate
def test_an_event_that_somebody_deleted_cannot_be_changed(moodle: Moodle) -> None:
    play_moodle("core_calendar_submit_create_update_form.notfound")
    with pytest.raises(NotFound):
        moodle.update_calendar_event(99999, DRAFT)


# Deleting events


@responses.activate
def test_only_events_that_are_still_there_are_deleted(moodle: Moodle) -> None:
    play_moodle("core_calendar_get_calendar_events.byid", same_form=True)
    responses.post(MOODLE_SERVER, body="null")
    moodle.delete_calendar_events([6, 99999])
    assert {key: value for key, value in sent_form().items() if key.startswith("events")} == {
        "events[0][eventid]": "6",
        "events[0][repeat]": "0",
    }


@responses.activate
def test_events_that_are_all_gone_need_no_deletion(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json={"events": [], "warnings": []})
    moodle.delete_calendar_events([7])
    assert len(responses.calls) == 1


@responses.activate
def test_the_recorded_deletion_is_the_one_that_we_send(moodle: Moodle) -> None:
    event = {"id": 7, "name": "x", "timestart": 0, "timeduration": 0, "userid": 35, "courseid": 2}
    responses.post(MOODLE_SERVER, json={"events": [event], "warnings": []})
    deletion = play_moodle("core_calendar_delete_calendar_events.ok", same_form=True)
    moodle.delete_calendar_events([7])
    assert deletion.call_count == 1


@responses.activate
def test_an_event_that_vanishes_between_the_look_and_the_deletion_is_not_found(moodle: Moodle) -> None:
    event = {"id": 6, "name": "x", "timestart": 0, "timeduration": 0, "userid": 35, "courseid": 2}
    responses.post(MOODLE_SERVER, json={"events": [event], "warnings": []})
    play_moodle("core_calendar_delete_calendar_events.one-missing")
    with pytest.raises(NotFound):
        moodle.delete_calendar_events([6])
