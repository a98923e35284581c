"""Which change a course is to be told, and in which words."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from babel.dates import get_day_names

from series.announcement_texts.languages import LANGUAGES, texts_of
from series.announcement_texts.writing import MAX_SUBJECT_CHARS, Written, write
from series.announcements import (
    SETTLE,
    Announcement,
    Change,
    ChangeKind,
    ReplannedSession,
    Seen,
    State,
    change_to_tell,
    is_settled,
)
from series.sessions import Session, Status
from tests.conftest import NOW
from tests.examples import MALTA, SESSION, moved

WEEK, DAY = timedelta(weeks=1), timedelta(days=1)
PLANNED = moved(SESSION, WEEK)
MOVED = replace(moved(PLANNED, DAY), moved_from_at=PLANNED.start_at)
CANCELLED = replace(PLANNED, status=Status.CANCELLED)
URL = "https://sessions.example/s/1"


SEEN = Seen(is_cancelled=False, start_at=PLANNED.start_at)


def replanned(session: Session, seen: Seen | None = SEEN) -> ReplannedSession:
    return ReplannedSession(session=session, replanned_at=NOW - DAY, seen=seen)


def told(about: str, number: int = 1, state: State = State.POSTED, began_at: datetime | None = None) -> Announcement:
    return Announcement(
        announcement_id=number,
        course_id=1,
        session_id=PLANNED.session_id,
        about=about,
        token="0" * 16,
        state=state,
        attempts=0,
        began_at=began_at,
        next_at=None,
        discussion_id=None,
        problem=None,
        set_by=None,
        made_at=NOW,
        done_at=NOW,
    )


def change_of(session: Session, *rows: Announcement, now: datetime = NOW) -> Change | None:
    return change_to_tell(replanned(session), rows, now=now)


def kind_of(session: Session, *rows: Announcement) -> ChangeKind | None:
    change = change_of(session, *rows)
    return change.kind if change else None


ABOUT_MOVED = "moved 2026-12-02T15:00Z"
ABOUT_CANCELLED = "cancelled 2026-12-01T15:00Z"


def test_a_moved_session_is_told_with_both_times() -> None:
    assert change_of(MOVED) == Change(kind=ChangeKind.MOVED, was_at=PLANNED.start_at, corrects=False, about=ABOUT_MOVED)


def test_a_cancelled_session_is_told() -> None:
    assert change_of(CANCELLED) == Change(kind=ChangeKind.CANCELLED, was_at=None, corrects=False, about=ABOUT_CANCELLED)


@pytest.mark.parametrize(("session", "about"), [(MOVED, ABOUT_MOVED), (CANCELLED, ABOUT_CANCELLED)])
@pytest.mark.parametrize("state", [State.POSTED, State.SET_ASIDE])
def test_what_was_told_is_not_told_again(session: Session, about: str, state: State) -> None:
    assert change_of(session, told(about, state=state)) is None


@pytest.mark.parametrize("state", [State.DUE, State.FAILED, State.LEFT])
def test_what_was_not_told_is_still_to_be_told(state: State) -> None:
    assert kind_of(MOVED, told(ABOUT_MOVED, state=state)) is ChangeKind.MOVED


def test_a_session_as_it_was_needs_no_word() -> None:
    assert change_of(PLANNED) is None


def test_nothing_is_told_of_a_session_that_has_begun() -> None:
    assert change_of(MOVED, now=MOVED.start_at) is None


def test_a_change_from_before_the_course_came_is_not_told() -> None:
    assert change_to_tell(replanned(MOVED, seen=None), [], now=NOW) is None


def test_moved_before_the_course_came_and_again_is_told_with_the_time_that_it_saw() -> None:
    again = replace(moved(MOVED, DAY), moved_from_at=PLANNED.start_at)
    change = change_to_tell(replanned(again, replace(SEEN, start_at=MOVED.start_at)), [], now=NOW)
    assert change is not None
    assert change.was_at == MOVED.start_at


def test_moved_untold_and_then_cancelled_names_the_time_that_is_known() -> None:
    change = change_of(replace(MOVED, status=Status.CANCELLED))
    assert change is not None
    assert (change.kind, change.was_at) == (ChangeKind.CANCELLED, PLANNED.start_at)


def test_one_that_takes_place_after_all_is_told_to_who_was_told_or_has_seen_the_contrary() -> None:
    change = change_of(PLANNED, told(ABOUT_CANCELLED))
    assert change == Change(kind=ChangeKind.RESTORED, was_at=None, corrects=True, about="restored 2026-12-01T15:00Z")
    assert change_of(PLANNED, told(ABOUT_CANCELLED, state=State.LEFT)) == replace(change, corrects=False)
    assert change_of(PLANNED, told(ABOUT_CANCELLED, state=State.FAILED, began_at=NOW)) == change, "perhaps it is there"
    assert change_of(PLANNED, told(ABOUT_CANCELLED, state=State.FAILED)) is None
    assert change_of(PLANNED, told(ABOUT_CANCELLED, state=State.DUE)) is None


def test_moved_back_is_told_to_who_has_seen_it_elsewhere() -> None:
    change = change_of(PLANNED, told(ABOUT_MOVED, state=State.LEFT))
    assert change is not None
    assert (change.kind, change.was_at, change.corrects) == (ChangeKind.MOVED, MOVED.start_at, False)


def test_moved_again_is_told_with_the_time_that_was_told() -> None:
    again = replace(moved(MOVED, DAY), moved_from_at=PLANNED.start_at)
    change = change_of(again, told(ABOUT_MOVED))
    assert change is not None
    assert (change.kind, change.was_at, change.corrects) == (ChangeKind.MOVED, MOVED.start_at, True)


def test_moved_back_is_told_though_it_is_where_it_was_at_first() -> None:
    change = change_of(PLANNED, told(ABOUT_MOVED))
    assert change is not None
    assert (change.kind, change.was_at) == (ChangeKind.MOVED, MOVED.start_at)


def test_there_and_back_and_there_again_are_three_changes() -> None:
    back = "moved 2026-12-01T15:00Z"
    change = change_of(MOVED, told(ABOUT_MOVED, 1), told(back, 2))
    assert change is not None
    assert change.about == f"{ABOUT_MOVED} #2"
    assert change_of(MOVED, told(ABOUT_MOVED, 1), told(back, 2), told(change.about, 3)) is None


def test_a_cancelled_one_says_also_the_time_that_was_told() -> None:
    change = change_of(replace(moved(MOVED, DAY), status=Status.CANCELLED), told(ABOUT_MOVED))
    assert change is not None
    assert (change.kind, change.was_at) == (ChangeKind.CANCELLED, MOVED.start_at)


def test_a_change_settles_before_it_is_posted_by_itself() -> None:
    assert not is_settled(replanned(MOVED), now=NOW - DAY + SETTLE - timedelta(seconds=1))
    assert is_settled(replanned(MOVED), now=NOW - DAY + SETTLE)


def test_a_time_that_has_not_changed_is_not_called_new() -> None:
    """The word for it in each language."""
    labels = {
        language: written(language, ChangeKind.RESTORED).text.split("\n\n")[2].partition(":")[0]
        for language in sorted({texts.locale.partition("_")[0] for texts in LANGUAGES.values()})
    }
    assert labels == {
        "cs": "Termín",
        "de": "Zeit",
        "el": "Ώρα",
        "en": "Time",
        "es": "Horario",
        "lt": "Laikas",
        "mt": "Il-ħin",
        "nb": "Tid",
        "nl": "Tijd",
        "sk": "Termín",
        "sv": "Tid",
        "tr": "Zaman",
    }


def test_one_that_takes_place_after_all_at_another_time_says_both() -> None:
    change = Change(kind=ChangeKind.RESTORED, was_at=PLANNED.start_at, corrects=True, about="")
    text = write(change, MOVED, university=replace(MALTA, language="en"), url=URL).text
    assert re.search(r"Until now: Tuesday.*\nNew time: Wednesday", text)


def written(language: str, kind: ChangeKind = ChangeKind.MOVED, zone: str = "Europe/Athens") -> Written:
    session = {ChangeKind.MOVED: MOVED, ChangeKind.CANCELLED: CANCELLED, ChangeKind.RESTORED: PLANNED}[kind]
    was_at = PLANNED.start_at if kind is ChangeKind.MOVED else None
    change = Change(kind=kind, was_at=was_at, corrects=kind is ChangeKind.RESTORED, about="")
    return write(change, session, university=replace(MALTA, language=language, time_zone=zone), url=URL)


def test_a_moved_session_in_greek_and_athens() -> None:
    assert written("el").text == (
        "Η συνάντηση «Inquiry at the beach» μεταφέρθηκε σε άλλη ημέρα ή ώρα.\n\n"
        "Μέχρι τώρα: Τρίτη 1 Δεκεμβρίου 2026, 17:00–19:00 (Αθήνα)\n"
        "Νέα ώρα: Τετάρτη 2 Δεκεμβρίου 2026, 17:00–19:00 (Αθήνα)\n"
        "Πανεπιστήμιο που φιλοξενεί: University of Malta\n\n"
        "Όλα για τη συνάντηση: https://sessions.example/s/1\n"
    )


def test_a_cancelled_session_in_german_as_html() -> None:
    message = written("de", ChangeKind.CANCELLED, "Europe/Berlin")
    assert message.subject == "Termin abgesagt: Inquiry at the beach"
    assert message.message == (
        '<p lang="de">Der Termin „<span lang="en">Inquiry at the beach</span>“ ist abgesagt. Er findet nicht statt.</p>'
        '<p lang="de">Abgesagt: <strong>Dienstag, 1. Dezember 2026, 16:00–18:00 (Berlin)</strong></p>'
        '<p lang="de">Gastgebende Universität: <strong>University of Malta</strong></p>'
        '<p lang="de"><a href="https://sessions.example/s/1">Alles zu diesem Termin</a></p>'
    )


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("kind", list(ChangeKind))
def test_each_language_says_all_of_it(language: str, kind: ChangeKind) -> None:
    found, texts = written(language, kind), texts_of(language)
    day = get_day_names("wide", locale=texts.locale)[2 if kind is ChangeKind.MOVED else 1]
    for part in ("Inquiry at the beach", "17:00–19:00", "University of Malta", URL, "2026"):
        assert part in found.text
    assert day.casefold() in found.text.casefold()
    assert "Inquiry at the beach" in found.subject
    assert not re.search(r"[{}]", found.subject + found.text + found.message)
    assert len({texts.moved, texts.cancelled, texts.restored, texts.moved_subject, texts.cancelled_subject}) == 5


def test_partners_speak_their_own_language_and_others_english() -> None:
    own = {"en", "de", "el", "cs", "es", "lt", "mt", "nl", "nb", "sv", "sk", "tr"}
    assert len({texts_of(language).moved for language in own}) == len(own)
    assert texts_of("nn") == texts_of("nb")
    assert texts_of("de-AT") == texts_of("de") == texts_of("DE_de")
    assert texts_of("fi") == texts_of("") == texts_of("en")


def test_a_title_stays_text_and_a_subject_fits() -> None:
    session = replace(MOVED, title=f"<b>{{title}}</b> &amp; {'x' * 255}")
    change = Change(kind=ChangeKind.MOVED, was_at=None, corrects=False, about="")
    found = write(change, session, university=MALTA, url=f"{URL}?i=1&a=2")
    assert len(found.subject) == MAX_SUBJECT_CHARS
    assert "&lt;b&gt;{title}&lt;/b&gt; &amp;amp; xxx" in found.message
    assert 'href="https://sessions.example/s/1?i=1&amp;a=2"' in found.message
