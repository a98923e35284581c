"""A course's healing on its way into Moodle. What each call did is noted before the next one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from lms.errors import LmsError, NotAllowed, NotFound
from lms.moodle import MAX_EVENTS_PER_CALL
from lms.moodle_events import EventProblem
from moodle_sync.compare_events import fingerprint_of, is_of_text
from moodle_sync.heal_calendar import Healing, Repair, Why
from moodle_sync.late_effects import NOTHING_HAPPENED, LateEffects
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.plan_mirrors import WantedEvent
from moodle_sync.services import Services
from series.mirrors import Mirror
from series.store.mirrors import drop_mirrors, save_mirrors


def apply_healing(
    services: Services,
    access: MoodleAccess,
    course_id: int,
    healing: Healing,
    effects: LateEffects,
    *,
    is_quiet_there: bool = False,
) -> None:
    """Trouble with one event leaves the others alone. Raises an LmsError of the course or the site.

    `is_quiet_there`: no call of ours may still take effect, so that what we see after a repair is what Moodle makes
    of it.
    """
    applying = _Applying(services, access, course_id, effects)
    applying.note(healing.right)
    repaired = [repair for repair in healing.repair if applying.make_right(repair)]
    if applying.delete(healing):
        applying.drop(healing.forget)
    applying.create(healing.create)
    access.counts += Counter({Why.ADOPTED.value: len(healing.right), "waiting": len(healing.waiting)})
    for event in healing.rewritten:
        access.notes.append(
            f"“{event.name}” was rewritten by hand and no longer carries our link; delete it in Moodle"
            " if it is not wanted any more. We leave it alone."
        )
    _report(access, applying, repaired, is_quiet_there=is_quiet_there)


def _report(access: MoodleAccess, applying: "_Applying", repaired: list[Repair], *, is_quiet_there: bool) -> None:
    """What somebody has changed in Moodle; not what Moodle's own filters make of our text."""
    by_hand = [repair for repair in repaired if repair.why is Why.REPAIRED]
    filtered = applying.note_filtered(by_hand) if is_quiet_there else frozenset()
    for repair in by_hand:
        if repair.event.event_id not in filtered:
            access.counts[Why.REPAIRED.value] += 1
            access.notes.append(
                f"“{repair.wanted.draft.name}” was changed in Moodle ({', '.join(repair.differences)});"
                " it has been put right. Please make changes in the series itself."
            )


class _Applying:
    def __init__(self, services: Services, access: MoodleAccess, course_id: int, effects: LateEffects) -> None:
        self._services = services
        self._access = access
        self._course_id = course_id
        self._effects = effects

    def note(self, mirrors: Sequence[Mirror], *, wait_for_disk: bool = True) -> None:
        if mirrors:
            now = self._services.clock.now()
            with self._access.write(wait_for_disk=wait_for_disk) as connection:
                save_mirrors(connection, self._course_id, mirrors, now=now)

    def drop(self, session_ids: list[UUID]) -> None:
        if session_ids:
            with self._access.write() as connection:
                drop_mirrors(connection, self._course_id, session_ids)

    def make_right(self, repair: Repair) -> bool:
        """Whether it was done."""
        self._effects.before_write()
        name, event_id = repair.wanted.draft.name, repair.event.event_id
        try:
            self._access.moodle.update_calendar_event(event_id, repair.wanted.draft)
        except NotFound:  # somebody has deleted it just now
            self.note([_unknown(repair.wanted)])
            return False
        except LmsError as error:
            is_of_another = repair.event.user_id != self._access.connection.moodle_user_id
            if error.of_platform or (isinstance(error, NotAllowed) and not is_of_another):
                raise
            self._effects.after(error)
            self._access.problems.append(f"“{name}”: {error}")
            return False
        self.note([repair.mirror], wait_for_disk=False)  # done again, it does no harm
        if repair.why is not Why.REPAIRED:
            self._access.counts[repair.why.value] += 1
        return True

    def delete(self, healing: Healing) -> bool:
        """Whether all are gone."""
        doomed = [*healing.doubles, *healing.delete]
        if not doomed:
            return True
        self._effects.before_write()
        try:
            self._access.moodle.delete_calendar_events(doomed)
        except LmsError as error:
            if error.of_platform:
                raise
            self._effects.after(error)
            self._access.problems.append(f"Events could not be deleted: {error}")
            return False
        self._access.counts += Counter({"doubles": len(healing.doubles), "deleted": len(healing.delete)})
        return True

    def create(self, wanted: list[WantedEvent]) -> None:
        for start in range(0, len(wanted), MAX_EVENTS_PER_CALL):
            self._create(wanted[start : start + MAX_EVENTS_PER_CALL])

    def _create(self, batch: list[WantedEvent]) -> None:
        """The intention is noted first: if we are stopped between the call and the note of its answer, the next run
        looks for our marker before it makes anything."""
        self._effects.before_write()
        began_at = self._services.clock.now()
        self.note([_unknown(one, began_at=began_at) for one in batch])
        try:
            outcomes = list(self._access.moodle.create_calendar_events([one.draft for one in batch]))
        except NOTHING_HAPPENED:
            self.note([_unknown(one) for one in batch])
            raise
        answered = zip(batch, outcomes, strict=True)
        self.note([self._came_of(one, outcome) for one, outcome in answered])

    def _came_of(self, wanted: WantedEvent, outcome: int | EventProblem) -> Mirror:
        if isinstance(outcome, EventProblem):
            self._access.problems.append(f"“{wanted.draft.name}”: {outcome.sentence}")
            return _unknown(wanted)
        self._access.counts["created"] += 1
        return Mirror(session_id=wanted.session_id, event_id=outcome, fingerprint=wanted.fingerprint)

    def note_filtered(self, repaired: Iterable[Repair]) -> frozenset[int]:
        """The events that Moodle still shows as it did before the repair."""
        of_text = {one.event.event_id: one for one in repaired if is_of_text(one.wanted.draft, one.event)}
        if not of_text:
            return frozenset()
        shown = self._access.moodle.calendar_events_by_ids(of_text)
        same = [event for event in shown if fingerprint_of(event) == fingerprint_of(of_text[event.event_id].event)]
        self.note([_let_be(of_text[event.event_id], fingerprint_of(event)) for event in same])
        return frozenset(event.event_id for event in same)


def _unknown(wanted: WantedEvent, *, began_at: datetime | None = None) -> Mirror:
    """Looked for before it is made (again); while a call may still make it, not made."""
    return Mirror(session_id=wanted.session_id, event_id=None, fingerprint=wanted.fingerprint, began_at=began_at)


def _let_be(repair: Repair, shown_as: str) -> Mirror:
    return replace(repair.mirror, shown_as=shown_as)
