"""What Moodle says of who has completed what."""

from typing import Any

import msgspec

from sandbox_lms.completion import PASSED, Completion, all_completions
from sandbox_lms.course_modules import AUTOMATIC, NONE, CourseModule
from sandbox_lms.moodle_access import check_capability, check_entered, visible_modules
from sandbox_lms.moodle_errors import MoodleError
from sandbox_lms.site import Site


class OfOneUser(msgspec.Struct, forbid_unknown_fields=True):
    courseid: int
    userid: int


def activities_completion(site: Site, wanted: OfOneUser) -> dict[str, Any]:
    """The states of one person in all activities that track them; of anybody who has an account, enrolled or not."""
    user_id = str(wanted.userid)
    check_entered(site, wanted.courseid)
    if site.campus.person(user_id) is None and wanted.userid != site.campus.moodle_user_id:
        raise MoodleError("dml_missing_record_exception", "invaliduser", "Invalid user")
    check_capability(site, "report/progress:view", "View activity completion reports")
    is_tracked = _is_tracked(site, user_id)
    stored = all_completions(site, user_id)
    statuses = []
    for module in visible_modules(site):
        if module.tracking != NONE:
            state = stored.get((module.cmid, user_id)) if is_tracked else None
            kept = state or Completion(cmid=module.cmid, user_id=user_id)
            statuses.append(_status(module, kept, is_tracked=is_tracked))
    return {"statuses": statuses, "warnings": []}


def completion_data(module: CourseModule, completion: Completion, *, is_tracked: bool) -> dict[str, Any]:
    return {
        "state": completion.state,
        "timecompleted": completion.timecompleted,
        "overrideby": completion.overrideby,
        "valueused": False,
        "hascompletion": module.tracking != NONE,
        "isautomatic": module.tracking == AUTOMATIC,
        "istrackeduser": is_tracked,
        "uservisible": True,
        "details": _details(module, completion),
        "isoverallcomplete": completion.is_done,
    }


def _is_tracked(site: Site, user_id: str) -> bool:
    settings = site.switches.settings
    is_out = user_id in settings.left or user_id in settings.suspended
    return not is_out and any(person.user_id == user_id for person in site.campus.students)


def _status(module: CourseModule, completion: Completion, *, is_tracked: bool) -> dict[str, Any]:
    data = completion_data(module, completion, is_tracked=is_tracked)
    return {
        "cmid": module.cmid,
        "modname": module.modname,
        "instance": module.instance,
        "state": data.pop("state"),
        "timecompleted": data.pop("timecompleted"),
        "tracking": module.tracking,
        **data,
    }


def _details(module: CourseModule, completion: Completion) -> list[dict[str, Any]]:
    """The rules of an automatic activity, each with what became of it."""
    if module.tracking != AUTOMATIC:
        return []
    if not module.is_graded:
        return [_rule("completionview", min(completion.state, 1), "View")]
    done = PASSED if completion.state == PASSED else min(completion.state, 1)
    rules = [_rule("completionusegrade", done, "Receive a grade")]
    if module.needs_pass:  # a teacher's word changes the state, and not what the grade is
        rules.append(_rule("completionpassgrade", completion.grade_state, "Receive a passing grade"))
    return rules


def _rule(name: str, status: int, description: str) -> dict[str, Any]:
    return {"rulename": name, "rulevalue": {"status": status, "description": description}}
