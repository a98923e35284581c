"""The reflection on a session: saved as a draft, handed in. What was typed is kept, or shown once more."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, abort, request

from lti_tool.pages.own_record import OwnSession, read_own_record
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student_forms import Fault, NotTaken, session_for, too_long, typed_text
from lti_tool.pages.student_session import render_session
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action
from series.reflections import MAX_REFLECTION_CHARS, ReflectionLocked, ReflectionTooShort, SavedMeanwhile
from series.rule import Kind
from series.store.reflections import expect_unchanged, hand_in, reflection_of, save_draft

gettext, ngettext = WORDS.gettext, WORDS.ngettext

blueprint = Blueprint("student_reflection", __name__, url_prefix="/visit/<visit_id>/sessions/<uuid:session_id>")


@blueprint.post("/reflection")
@with_visit
def write(visit: Visit, session_id: UUID) -> Response:
    """The draft is saved in any case, unless another text was saved meanwhile; `do` says whether it is handed in, too.
    The same text handed in twice is handed in once."""
    check_form(f"reflection {session_id}")
    session_for(visit, session_id, Action.SPEAK_FOR_ONESELF)
    text, do, seen_at = typed_text(), request.form.get("do", ""), _typed_seen_at()
    if do not in {"save", "hand_in"}:
        abort(400)
    try:
        saved = _take(visit, session_id, text, seen_at, do)
    except NotTaken as error:
        return render_session(visit, session_id, error.fault)
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/?saved={saved}#reflection")


def _take(visit: Visit, session_id: UUID, text: str, seen_at: datetime | None, do: str) -> str:
    """What became of it, as the page calls it. Raises NotTaken."""
    try:
        shown = _save(visit, session_id, text, seen_at)
        if do == "save":
            return "draft"
        the_tool().queue.enqueue_all("deliver", _hand_in(visit, shown, text))
    except SavedMeanwhile as error:
        words = gettext(
            "Another text of yours was saved since you opened this page, perhaps in another window. Nothing was"
            " overwritten: both texts are here. What stands in the field replaces the other when you send it now."
        )
        raise NotTaken(_fault(words, text, 409)) from error
    except ReflectionLocked as error:
        if do == "hand_in" and _is_kept(visit, session_id, text):
            return "handed-in"
        words = gettext("This reflection is handed in already and stays as it is. What you typed was not saved.")
        raise NotTaken(_fault(words, text, 409)) from error
    except ReflectionTooShort as error:
        raise NotTaken(_fault(_too_short(error), text, 422)) from error
    return "handed-in"


def _typed_seen_at() -> datetime | None:
    """When that was saved on which the text in the form was written; None: nothing was."""
    text = request.form.get("saved_at", "")
    if not text:
        return None
    try:
        seen_at = datetime.fromisoformat(text)
    except ValueError:
        abort(400)
    return seen_at.replace(tzinfo=UTC) if seen_at.tzinfo is None else seen_at


def _save(visit: Visit, session_id: UUID, text: str, seen_at: datetime | None) -> OwnSession:
    """In a transaction of its own, so that nothing that follows loses it; also when the time is over. Raises NotTaken,
    ReflectionLocked, SavedMeanwhile."""
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        shown = read_own_record(connection, visit, now=now).session(session_id)
    window = shown.window(Kind.REFLECTION)
    if window is None or now < window.opens_at:
        words = gettext("No reflection can be written about this session now. Nothing was saved.")
        raise NotTaken(_fault(words, text, 409))
    participant_id = visit.participant_id
    with the_tool().database.write() as connection:
        expect_unchanged(connection, participant_id=participant_id, session_id=session_id, text=text, saved_at=seen_at)
        if len(text) > MAX_REFLECTION_CHARS:
            raise too_long("reflection", text, MAX_REFLECTION_CHARS)
        save_draft(connection, participant_id=participant_id, session_id=session_id, text=text, now=now)
    return shown


def _is_kept(visit: Visit, session_id: UUID, text: str) -> bool:
    with the_tool().database.read() as connection:
        found = reflection_of(connection, participant_id=visit.participant_id, session_id=session_id)
    return found is not None and found.text == text


def _hand_in(visit: Visit, shown: OwnSession, text: str) -> list[int]:
    """Raises NotTaken, ReflectionLocked, ReflectionTooShort."""
    now = the_tool().clock.now()
    if not shown.can(Kind.REFLECTION, now):
        words = gettext("The time for handing in is over. Your text is kept as a draft; your teacher can be asked.")
        raise NotTaken(_fault(words, text, 409))
    with the_tool().database.write() as connection:
        return hand_in(
            connection,
            participant_id=visit.participant_id,
            session_id=shown.session.session_id,
            text=text,
            at_least=shown.words_demanded(now),
            now=now,
        )


def _too_short(error: ReflectionTooShort) -> str:
    has = ngettext("Your text has %(num)s word", "Your text has %(num)s words", error.words)
    return gettext(
        "%(has)s; at least %(least)s are needed. It is saved as a draft and was not handed in.",
        has=has,
        least=error.at_least,
    )


def _fault(words: str, text: str, status: int) -> Fault:
    return Fault(at="reflection", words=words, typed=text, status=status)
