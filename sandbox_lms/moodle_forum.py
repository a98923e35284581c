"""The announcements forum in Moodle's web services. It sends no notice of what is there already: twice is twice."""

from typing import Any

import msgspec

from sandbox_lms.announcements import Discussion, add_discussion, all_discussions
from sandbox_lms.cleaning import clean_html, escaped_name, strip_tags
from sandbox_lms.course_modules import CourseModule
from sandbox_lms.moodle_access import check_entered, lacks, visible_modules
from sandbox_lms.moodle_course import Option
from sandbox_lms.moodle_errors import invalid_parameter, missing_record, moodle_exception
from sandbox_lms.site import Site

_FIRST_POST = 500  # posts have other ids than the discussions that they begin
_BY_LAST_POST, _SORT_ORDERS = 1, frozenset(range(1, 7))
_OPTIONS = frozenset(("discussionsubscribe", "discussionpinned", "inlineattachmentsid", "attachmentsid"))
_NO_LIMITS = dict.fromkeys(
    (
        *("duedate", "cutoffdate", "assessed", "assesstimestart", "assesstimefinish", "scale", "grade_forum"),
        *("grade_forum_notify", "maxbytes", "rsstype", "rssarticles", "timemodified", "warnafter", "blockafter"),
        *("blockperiod", "completiondiscussions", "completionreplies", "completionposts", "lockdiscussionafter"),
    ),
    0,
)


class OfCourses(msgspec.Struct, forbid_unknown_fields=True):
    courseids: list[int] = []


class OfForum(msgspec.Struct, forbid_unknown_fields=True):
    forumid: int
    sortorder: int = -1
    page: int = -1
    perpage: int = 10
    groupid: int = 0


class NewDiscussion(msgspec.Struct, forbid_unknown_fields=True):
    forumid: int
    subject: str
    message: str
    groupid: int = 0
    options: list[Option] = []


def forums_by_courses(site: Site, wanted: OfCourses) -> list[dict[str, Any]]:
    """A course that is not there or may not be entered has none; without ids: of the account's own courses, of which
    it has none."""
    if site.campus.course_id not in wanted.courseids or lacks(site, "moodle/course:view"):
        return []
    if lacks(site, "mod/forum:viewdiscussion"):
        return []
    return [_forum(site, module) for module in visible_modules(site) if module.modname == "forum"]


def forum_discussions(site: Site, wanted: OfForum) -> dict[str, Any]:
    if wanted.sortorder not in _SORT_ORDERS | {-1}:
        raise invalid_parameter()
    if _find_forum(site, wanted.forumid) is None:
        text = f"Unable to find forum with id {wanted.forumid}"
        raise moodle_exception(text, f"error/{text}")
    check_entered(site, site.campus.course_id)
    if lacks(site, "mod/forum:viewdiscussion"):
        raise moodle_exception("noviewdiscussionspermission", "You do not have permission to view discussions here")
    discussions = all_discussions(site)
    if wanted.sortorder not in {-1, _BY_LAST_POST} and wanted.sortorder % 2 == 0:  # the even ones: oldest first
        discussions.sort(key=lambda one: (not one.pinned, one.created_at_s, one.discussion_id))
    if wanted.page >= 0:
        discussions = discussions[wanted.page * wanted.perpage : (wanted.page + 1) * wanted.perpage]
    return {"discussions": [_discussion(site, one) for one in discussions], "warnings": []}


def add_forum_discussion(site: Site, new: NewDiscussion) -> dict[str, Any]:
    """Needs a capability that lets the account write news. A subject with tags refuses the call."""
    if strip_tags(new.subject) != new.subject:
        raise invalid_parameter()
    if _find_forum(site, new.forumid) is None:
        raise missing_record("forum")
    check_entered(site, site.campus.course_id)
    options = {option.name.strip(): option.text for option in new.options}
    for name in options.keys() - _OPTIONS:
        raise moodle_exception("errorinvalidparam", f'The param "{name}" is invalid.')
    if lacks(site, "mod/forum:addnews"):
        raise moodle_exception("cannotcreatediscussion", "Could not create new discussion")
    is_pinned = options.get("discussionpinned") == "1" and not lacks(site, "mod/forum:pindiscussions")
    number = add_discussion(site, subject=new.subject, message=new.message, pinned=is_pinned)
    return {"discussionid": number, "warnings": []}


def _find_forum(site: Site, instance: int) -> CourseModule | None:
    forums = (module for module in visible_modules(site) if module.modname == "forum")
    return next((module for module in forums if module.instance == instance), None)


def _forum(site: Site, module: CourseModule) -> dict[str, Any]:
    return {
        "id": module.instance,
        "course": site.campus.course_id,
        "type": "news",
        "name": escaped_name(module.name),
        "intro": "General news and announcements",
        "introformat": 1,
        "introfiles": [],
        "lang": "",
        **_NO_LIMITS,
        "maxattachments": 1,
        "forcesubscribe": 1,
        "trackingtype": 1,
        "cmid": module.cmid,
        "numdiscussions": len(all_discussions(site)),
        "cancreatediscussions": not lacks(site, "mod/forum:addnews"),
        "istracked": False,
    }


def _discussion(site: Site, one: Discussion) -> dict[str, Any]:
    picture = f"{site.campus.url}/theme/image.php/boost/core/1/u/f2"
    return {
        "id": _FIRST_POST + one.discussion_id,
        "name": escaped_name(one.subject),
        "groupid": -1,
        "timemodified": one.created_at_s,
        "usermodified": one.user_id,
        "timestart": 0,
        "timeend": 0,
        "discussion": one.discussion_id,
        "parent": 0,
        "userid": one.user_id,
        "created": one.created_at_s,
        "modified": one.created_at_s,
        "mailed": 0,
        "subject": escaped_name(one.subject),
        "message": clean_html(one.message),
        "messageformat": 1,
        "messagetrust": 0,
        "attachment": "",
        "totalscore": 0,
        "mailnow": 0,
        "userfullname": "WS Sync",
        "usermodifiedfullname": "WS Sync",
        "userpictureurl": picture,
        "usermodifiedpictureurl": picture,
        "numreplies": 0,
        "numunread": 0,
        "pinned": bool(one.pinned),
        "locked": False,
        "starred": False,
        "canreply": True,
        "canlock": False,
        "canfavourite": False,
    }
