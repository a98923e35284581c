"""What a Moodle course should show of a series, and which calls make it so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lms.moodle_events import CalendarEvent
from moodle_sync.plan_mirrors import (
    Plan,
    Target,
    Update,
    WantedEvent,
    find_marked,
    plan,
    wanted_event,
)
from series.mirrors import Mirror
from series.sessions import Session, Status

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TARGET = Target(course_id=2, public_url="https://sessions.example", installation_id="inst-7")
ID = UUID("6b3f1c1e-0000-4000-8000-000000000001")
OTHER_ID = UUID("6b3f1c1e-0000-4000-8000-000000000002")
SESSION = Session(
    session_id=ID,
    series_id=UUID("6b3f1c1e-0000-4000-8000-00000000000a"),
    description="",
    hosting_university_id=None,
    join_url=None,
    wall_start=datetime(2026, 11, 25, 16, 0),  # noqa: DTZ001 - a wall time
    sequence=0,
    title="Week 3: Teaching with a <b> & friends",
    hosting_university="Universität & Söhne",
    start_at=datetime(2026, 11, 25, 15, 0, tzinfo=UTC),
    end_at=datetime(2026, 11, 25, 16, 30, tzinfo=UTC),
    zone="Europe/Brussels",
    status=Status.PLANNED,
    moved_from_at=None,
)
NOTHING = Plan(create=(), look_for=(), update=(), delete=())
US = 35


def wanted(session: Session = SESSION) -> WantedEvent:
    return wanted_event(session, target=TARGET)


def mirror_of(session: Session = SESSION, *, event_id: int | None = 6) -> Mirror:
    return Mirror(session_id=session.session_id, event_id=event_id, fingerprint=wanted(session).fingerprint)


def planned(*sessions: Session, mirrors: tuple[Mirror, ...] = (), now: datetime = NOW) -> Plan:
    return plan(sessions, mirrors, target=TARGET, now=now)


def cancelled(session: Session = SESSION) -> Session:
    return replace(session, status=Status.CANCELLED)


def event(description: str, *, event_id: int = 6, user_id: int = US) -> CalendarEvent:
    return CalendarEvent(
        event_id=event_id,
        course_id=2,
        user_id=user_id,
        name="x",
        description=description,
        start_at=SESSION.start_at,
        duration_s=5400,
    )


# The calls


def test_a_session_that_is_not_in_the_course_is_created() -> None:
    assert planned(SESSION) == replace(NOTHING, create=(wanted(),))


def test_sessions_are_created_in_the_order_of_the_series() -> None:
    later = replace(
        SESSION, session_id=OTHER_ID, start_at=SESSION.start_at + timedelta(7), end_at=SESSION.end_at + timedelta(7)
    )
    assert [event.session_id for event in planned(later, SESSION).create] == [ID, OTHER_ID]


def test_nothing_changed_needs_no_call() -> None:
    result = planned(SESSION, mirrors=(mirror_of(),))
    assert result == NOTHING
    assert result.is_empty


def test_time_alone_changes_nothing() -> None:
    for days in (0, 2, 3, 400):
        assert planned(SESSION, mirrors=(mirror_of(),), now=NOW + timedelta(days)).is_empty


@pytest.mark.parametrize(
    "changed",
    [
        replace(SESSION, title="Another title"),
        replace(SESSION, hosting_university="Another university"),
        replace(SESSION, hosting_university=None),
        replace(SESSION, start_at=SESSION.start_at + timedelta(hours=1)),
        replace(SESSION, end_at=SESSION.end_at + timedelta(minutes=15)),
        replace(SESSION, moved_from_at=SESSION.start_at - timedelta(days=1)),
        replace(SESSION, zone="Europe/Lisbon"),
        replace(SESSION, status=Status.CANCELLED),
    ],
)
def test_a_changed_session_is_updated(changed: Session) -> None:
    update = Update(event_id=6, wanted=wanted(changed))
    assert planned(changed, mirrors=(mirror_of(),)) == replace(NOTHING, update=(update,))


def test_a_past_session_is_updated() -> None:
    assert planned(replace(SESSION, title="x"), mirrors=(mirror_of(),), now=SESSION.end_at).update


def test_a_session_over_or_cancelled_that_was_never_there_needs_no_event() -> None:
    assert planned(SESSION, now=SESSION.end_at).is_empty
    assert planned(cancelled()).is_empty


def test_a_running_session_is_still_created() -> None:
    assert planned(SESSION, now=SESSION.end_at - timedelta(minutes=1)).create


def test_a_cancelled_session_keeps_its_event_until_its_date_has_passed() -> None:
    mirror = mirror_of(cancelled())
    last_evening = datetime(2026, 11, 25, 22, 59, tzinfo=UTC)  # 23:59 in Brussels
    assert planned(cancelled(), mirrors=(mirror,), now=last_evening).is_empty
    assert planned(cancelled(), mirrors=(mirror,), now=last_evening + timedelta(minutes=1)).delete == (mirror,)


def test_a_session_that_is_taken_up_again_loses_its_mark() -> None:
    (update,) = planned(SESSION, mirrors=(mirror_of(cancelled()),)).update
    assert not update.wanted.draft.name.startswith("CANCELLED")


@pytest.mark.parametrize(("session", "now"), [(SESSION, NOW), (cancelled(), NOW), (SESSION, SESSION.end_at)])
def test_an_event_that_may_be_there_is_looked_for(session: Session, now: datetime) -> None:
    result = planned(session, mirrors=(mirror_of(event_id=None),), now=now)
    assert result == replace(NOTHING, look_for=(wanted(session),))


def test_the_event_of_a_session_that_is_no_longer_shown_goes() -> None:
    known, unknown = mirror_of(), replace(mirror_of(event_id=None), session_id=OTHER_ID)
    assert planned(mirrors=(known, unknown)) == replace(NOTHING, delete=(known, unknown))


# The event


def test_an_event_has_the_sessions_title_start_and_duration() -> None:
    draft = wanted().draft
    assert (draft.course_id, draft.name) == (2, SESSION.title)
    assert (draft.start_at, draft.duration_minutes) == (SESSION.start_at, 90)


def test_a_cancelled_session_says_so_first() -> None:
    draft = wanted(cancelled()).draft
    assert draft.name == f"CANCELLED: {SESSION.title}"
    assert draft.description.startswith("<p><strong>This session is cancelled.</strong></p>")


def test_a_moved_session_says_from_when_in_the_series_zone() -> None:
    moved = replace(SESSION, moved_from_at=datetime(2026, 10, 24, 22, 30, tzinfo=UTC))
    assert "<p>Moved from Sunday, 25 October 2026, 00:30 (Europe/Brussels)</p>" in wanted(moved).draft.description
    assert "Moved" not in wanted().draft.description


def test_the_description_says_when_in_the_series_zone() -> None:
    assert "<p>Wednesday, 25 November 2026, 16:00 to 17:30 (Europe/Brussels)</p>" in wanted().draft.description


def test_a_session_past_midnight_says_on_which_day_it_ends() -> None:
    late = replace(SESSION, end_at=datetime(2026, 11, 25, 23, 30, tzinfo=UTC))
    assert "16:00 to Thursday, 26 November 2026, 00:30" in wanted(late).draft.description


def test_the_hosting_university_is_named_if_known_and_cannot_break_the_page() -> None:
    assert "<p>Hosting university: Universität &amp; Söhne</p>" in wanted().draft.description
    assert "Hosting" not in wanted(replace(SESSION, hosting_university=None)).draft.description
    evil = replace(SESSION, hosting_university='<a href="https://evil.example">')
    assert "<a href=&quot;https://evil.example&quot;>" not in wanted(evil).draft.description
    assert wanted(evil).draft.description.count("<a ") == 1


def test_seconds_are_rounded_to_the_minutes_that_a_calendar_shows() -> None:
    odd = replace(
        SESSION, start_at=SESSION.start_at + timedelta(seconds=30), end_at=SESSION.end_at + timedelta(seconds=1)
    )
    draft = wanted(odd).draft
    assert (draft.start_at, draft.duration_minutes) == (SESSION.start_at, 91)


def test_the_same_instant_in_another_zone_is_the_same_event() -> None:
    local = replace(SESSION, start_at=SESSION.start_at.astimezone(), end_at=SESSION.end_at.astimezone())
    assert wanted(local) == wanted()


def test_a_fingerprint_fits_into_its_column() -> None:
    assert len(wanted().fingerprint) == 64


def test_another_address_of_the_tool_changes_the_event() -> None:
    elsewhere = replace(TARGET, public_url="https://new.example")
    assert wanted_event(SESSION, target=elsewhere).fingerprint != wanted().fingerprint


# Our marker


def test_the_event_that_we_make_carries_our_marker() -> None:
    ours = event(wanted().draft.description)
    assert 'href="https://sessions.example/s/6b3f1c1e-0000-4000-8000-000000000001?i=inst-7"' in ours.description
    assert find_marked([ours], installation_id="inst-7", own_user_ids={US}) == {ID: [ours]}


@pytest.mark.parametrize(
    "description",
    [
        f'<p><a href="https://sessions.example/s/{ID}?i=inst-8">x</a></p>',  # another installation
        f'<p><a href="https://sessions.example/s/{ID}?i=inst-77">x</a></p>',
        f'<p><a href="https://sessions.example/s/{ID}">x</a></p>',  # a teacher's link
        f"<p>https://sessions.example/s/{ID}?i=inst-7</p>",  # no link
        '<p><a href="https://sessions.example/s/not-a-uuid?i=inst-7">x</a></p>',
        f'<p><a href="https://sessions.example/calendar/{ID}?i=inst-7">x</a></p>',
        "",
    ],
)
def test_an_event_without_our_marker_is_not_ours(description: str) -> None:
    assert find_marked([event(description)], installation_id="inst-7", own_user_ids={US}) == {}


def test_a_copy_of_our_event_by_somebody_else_is_not_ours() -> None:
    assert (
        find_marked([event(wanted().draft.description, user_id=33)], installation_id="inst-7", own_user_ids={US}) == {}
    )


def test_events_stay_ours_when_the_tool_moves_to_another_address() -> None:
    moved = event(wanted().draft.description.replace("https://sessions.example", "https://old.example/tool"))
    assert find_marked([moved], installation_id="inst-7", own_user_ids={US}) == {ID: [moved]}


def test_two_events_for_one_session_are_both_found_the_older_first() -> None:
    younger, older = event(wanted().draft.description, event_id=9), event(wanted().draft.description, event_id=8)
    other = event(wanted(replace(SESSION, session_id=OTHER_ID)).draft.description, event_id=7)
    found = find_marked([younger, other, older], installation_id="inst-7", own_user_ids={US})
    assert found == {ID: [older, younger], OTHER_ID: [other]}
