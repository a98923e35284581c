"""The announcements forum of a Moodle course, whose posts Moodle mails to the course's people."""

import html
from dataclasses import dataclass

import msgspec

from lms.moodle_events import safe_event_name
from lms.moodle_protocol import Function
from lms.moodle_service import MoodleService, reader

DISCUSSIONS_PER_PAGE = 100
_NEWEST_FIRST = 3  # SORTORDER_CREATED_DESC; pinned ones come before all others
_ALL_PARTICIPANTS = -1  # left out, a forum with separate groups would show the post to nobody in a group


@dataclass(frozen=True, kw_only=True)
class Forum:
    """`cmid`: its number among the activities of the site. `may_post`: by Moodle's own word, which counts groups and
    capabilities."""

    forum_id: int
    cmid: int
    may_post: bool


@dataclass(frozen=True, kw_only=True)
class Discussion:
    """A discussion with its first post. `subject` without Moodle's HTML escapes; `message` is HTML as Moodle cleaned
    it: links survive. `user_id` is the account that posted; None if the forum hides who did."""

    discussion_id: int
    user_id: int | None
    subject: str
    message: str


class _ForumJson(msgspec.Struct):
    id: int
    type: str
    course: int
    cmid: int
    cancreatediscussions: bool = True


class _DiscussionJson(msgspec.Struct):
    discussion: int
    subject: str
    message: str
    userid: int | None = None


class _DiscussionsJson(msgspec.Struct):
    discussions: list[_DiscussionJson]


class _AddedJson(msgspec.Struct):
    discussionid: int


_FORUMS, _DISCUSSIONS, _ADDED = reader(list[_ForumJson]), reader(_DiscussionsJson), reader(_AddedJson)


class ForumCalls(MoodleService):
    """The part of Moodle that announces."""

    def announcements_forum(self, course_id: int) -> int | None:
        """The forum's id. None: the course has none (a teacher deleted it), or the account may not see it."""
        forum = self.find_announcements_forum(course_id)
        return None if forum is None else forum.forum_id

    def find_announcements_forum(self, course_id: int) -> Forum | None:
        """The same, with whether the account may post there."""
        forums = self.call(Function.GET_FORUMS_BY_COURSES, {"courseids": [course_id]}, _FORUMS)
        found = (
            Forum(forum_id=forum.id, cmid=forum.cmid, may_post=forum.cancreatediscussions)
            for forum in forums
            if forum.type == "news" and forum.course == course_id
        )
        return next(found, None)

    def discussions(self, forum_id: int) -> tuple[Discussion, ...]:
        """The newest 100 that the account may see. A forum that is not there is Refused without a code."""
        arguments = {"forumid": forum_id, "sortorder": _NEWEST_FIRST, "page": 0, "perpage": DISCUSSIONS_PER_PAGE}
        found = self.call(Function.GET_FORUM_DISCUSSIONS, arguments, _DISCUSSIONS)
        return tuple(_discussion(discussion) for discussion in found.discussions)

    def add_discussion(self, forum_id: int, *, subject: str, message: str) -> int:
        """Posts, and answers with the discussion's id. `message` is HTML, of which Moodle keeps what it keeps of an
        event's description.

        Not to be repeated blindly: Moodle posts and mails twice without complaint.
        """
        arguments = {
            "forumid": forum_id,
            "subject": safe_event_name(subject),  # of the same kind, and refused in the same cases
            "message": message,
            "groupid": _ALL_PARTICIPANTS,
        }
        return self.call(Function.ADD_DISCUSSION, arguments, _ADDED).discussionid


def _discussion(found: _DiscussionJson) -> Discussion:
    return Discussion(
        discussion_id=found.discussion,
        user_id=found.userid,
        subject=html.unescape(found.subject),
        message=found.message,
    )
