"""One university's course calendars compared with the plan, whole, and put right: after crashes, calls that took effect
late, and changes by hand."""

from lms.errors import LmsError
from moodle_sync.apply_healing import apply_healing
from moodle_sync.heal_calendar import Healing, heal
from moodle_sync.late_effects import late_effects
from moodle_sync.mirror_sessions import CoursePlan, go_on, list_events, plan_university, wait
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.services import Services


def sweep(services: Services, access: MoodleAccess) -> None:
    """One listing for each course, and what it shows to be needed. One course's trouble leaves the others alone. Raises
    an LmsError of the whole site."""
    with late_effects(services, access, is_sweep=True) as effects:
        is_quiet_there = not effects.are_expected()
        for course_plan in plan_university(services, access.connection):
            try:
                healing = look_at(services, access, course_plan)
                course_id = course_plan.course.course_id
                apply_healing(services, access, course_id, healing, effects, is_quiet_there=is_quiet_there)
                wait(services, access, healing)
            except LmsError as error:
                go_on(access, course_plan, error, effects)


def look_at(services: Services, access: MoodleAccess, course_plan: CoursePlan) -> Healing:
    """Only reads. Raises LmsError."""
    listed = list_events(access, course_plan)
    known_ids = {mirror.event_id for mirror in course_plan.known.mirrors if mirror.event_id is not None}
    elsewhere = known_ids - {event.event_id for event in listed}  # years away, perhaps
    return heal(
        course_plan.known,
        (*listed, *(access.moodle.calendar_events_by_ids(elsewhere) if elsewhere else ())),
        own_user_ids=access.connection.own_user_ids,
        now=services.clock.now(),
    )
