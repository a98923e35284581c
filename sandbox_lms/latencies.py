"""What an answer costs at a real site: measured at Moodle 4.5.6 on two cores, in milliseconds."""

import json
from typing import Any

START_MS = 13.0  # before a function has done anything; calls that come together pay it once
# What a function costs by itself, and for each thing that it gives, makes or removes.
_FUNCTIONS = {
    "core_webservice_get_site_info": (2.0, 0.0),
    "core_course_get_courses_by_field": (4.0, 0.0),
    "core_course_get_contents": (10.0, 0.0),
    "core_enrol_get_enrolled_users": (9.0, 1.0),
    "core_completion_get_activities_completion_status": (8.7, 0.0),
    "core_calendar_create_calendar_events": (1.0, 0.5),
    "core_calendar_get_calendar_events": (7.0, 0.085),
    "core_calendar_delete_calendar_events": (2.0, 0.8),
    "core_calendar_get_calendar_event_by_id": (67.0, 0.0),
    "core_calendar_submit_create_update_form": (21.0, 0.0),
    "mod_forum_get_forums_by_courses": (10.0, 0.0),
    "mod_forum_get_forum_discussions": (10.0, 0.5),
    "mod_forum_add_discussion": (20.0, 0.0),
}
ALONE_MS = {"core_completion_get_activities_completion_status": 4.3}  # beside START_MS, what calls together pay once
SCORE_MS, LINE_ITEMS_MS, TOKEN_MS = 54.0, 11.0, 10.0  # LINE_ITEMS_MS: their results too, of 300 people
ROSTER_MS, ROSTER_MEMBER_MS = 5.0, 0.41


def cost_ms(function: str, sent: Any, answer: Any) -> float:
    """Without START_MS. `sent` are the arguments as they came."""
    if function == "tool_mobile_call_external_functions":
        return sum(_cost_of_one(request) for request in _things(sent, "requests")[: len(answer["responses"])])
    own, each = _FUNCTIONS[function]
    made = max(len(_things(answer, "events")), len(_things(answer, "discussions")), len(_things(sent, "events")))
    return own + each * (len(answer) if isinstance(answer, list) else made)


def _cost_of_one(request: Any) -> float:
    """Of one that came together with others: what it sent is JSON. Functions that list things are not called so."""
    name = request.get("function")
    if name not in _FUNCTIONS:
        return 0.0
    try:
        return cost_ms(name, json.loads(request.get("arguments", "{}")), None)
    except ValueError:
        return cost_ms(name, None, None)


def _things(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []
