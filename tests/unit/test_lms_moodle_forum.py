"""The announcements forum of a Moodle course, against the recorded exchanges with a real one."""

import pytest
import responses

from lms.errors import NotAllowed, NotFound, Refused
from lms.moodle import Moodle
from lms.moodle_forum import Discussion
from tests.unit.recordings import (
    MOODLE_SERVER,
    play_moodle,
    recording,
    sent_form,
)


def post(moodle: Moodle, subject: str = "x") -> int:
    return moodle.add_discussion(1, subject=subject, message="<p>x</p>")


@responses.activate
def test_the_announcements_forum_of_a_course_is_found(moodle: Moodle) -> None:
    play_moodle("mod_forum_get_forums_by_courses", same_form=True)
    assert moodle.announcements_forum(2) == 1


@responses.activate
@pytest.mark.parametrize("course_id", [3, 999])
def test_the_forum_of_another_course_is_not_the_courses(moodle: Moodle, course_id: int) -> None:
    play_moodle("mod_forum_get_forums_by_courses.bad-course")
    assert moodle.announcements_forum(course_id) is None


@responses.activate
def test_a_forum_of_another_kind_is_none_for_announcements(moodle: Moodle) -> None:
    general = {"id": 4, "cmid": 14, "course": 2, "type": "general"}
    responses.post(MOODLE_SERVER, json=[general, {**general, "id": 7, "type": "news"}, {**general, "type": "news"}])
    assert moodle.announcements_forum(2) == 7


@responses.activate
def test_a_course_that_the_account_may_not_open_shows_no_forum(moodle: Moodle) -> None:
    play_moodle("mod_forum_get_forums_by_courses.without-moodle-course-view")
    assert moodle.announcements_forum(2) is None


@responses.activate
def test_discussions_are_listed_newest_first(moodle: Moodle) -> None:
    play_moodle("mod_forum_get_forum_discussions.paged")
    found = moodle.discussions(1)
    assert [discussion.discussion_id for discussion in found] == [2, 1]
    assert found[1] == Discussion(discussion_id=1, user_id=35, subject="Pinned wanted", message="<p>x</p>")
    recorded = recording("mod_forum_get_forum_discussions.paged")["request_params_form"]
    assert {key: sent_form()[key] for key in recorded} == {
        **{key: str(value) for key, value in recorded.items()},
        "perpage": "100",
    }


@responses.activate
def test_the_link_in_an_announcement_survives_moodles_cleaning(moodle: Moodle) -> None:
    play_moodle("mod_forum_get_forum_discussions")
    found = {discussion.discussion_id: discussion for discussion in moodle.discussions(1)}
    assert 'href="https://sessions.example/s/7?course=2&amp;k=v%20w#top"' in found[17].message
    assert "<script" not in found[17].message
    assert found[8].subject == "1 < 2"


@responses.activate
def test_a_subject_is_as_people_read_it_and_its_author_may_be_hidden(moodle: Moodle) -> None:
    discussion = {"discussion": 3, "subject": "Q &amp; A", "message": "", "userid": None}
    responses.post(MOODLE_SERVER, json={"discussions": [discussion], "warnings": []})
    assert moodle.discussions(1) == (Discussion(discussion_id=3, user_id=None, subject="Q & A", message=""),)


@responses.activate
def test_a_forum_that_the_account_may_not_read_names_the_capability(moodle: Moodle) -> None:
    play_moodle("mod_forum_get_forum_discussions.without-mod-forum-viewdiscussion")
    with pytest.raises(NotAllowed, match="mod/forum:viewdiscussion"):
        moodle.discussions(1)


@responses.activate
def test_an_announcement_is_posted_to_all_groups(moodle: Moodle) -> None:
    play_moodle("mod_forum_add_discussion.separate-groups-groupid-minus1", same_form=True)
    assert moodle.add_discussion(1, subject="G: groupid -1", message="m") == 22


@responses.activate
@pytest.mark.parametrize("name", ["subject-tag", "subject-256"])
def test_a_subject_that_moodle_was_seen_to_refuse_is_not_sent(moodle: Moodle, name: str) -> None:
    exchange = recording(f"mod_forum_add_discussion.{name}")
    assert "errorcode" in exchange["response"]
    responses.post(MOODLE_SERVER, json={"discussionid": 1, "warnings": []})
    post(moodle, exchange["request_params_form"]["subject"])
    assert "<" not in sent_form()["subject"]
    assert len(sent_form()["subject"]) <= 255


@responses.activate
@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("without-mod-forum-addnews", NotAllowed, "mod/forum:addnews"),
        ("separate-groups-without-accessallgroups", NotAllowed, "moodle/site:accessallgroups"),
        ("without-moodle-course-view", NotAllowed, "moodle/course:view"),
        ("nonexistent-forum", NotFound, "not there"),
        ("subject-tag", Refused, "the values"),
    ],
)
def test_an_announcement_that_moodle_refuses_says_what_is_missing(
    moodle: Moodle, name: str, error: type[NotAllowed | Refused], sentence: str
) -> None:
    play_moodle(f"mod_forum_add_discussion.{name}")
    with pytest.raises(error, match=sentence) as caught:
        post(moodle)
    assert not caught.value.of_platform


@responses.activate
def test_a_forum_with_a_limit_on_posts_is_not_a_mystery(moodle: Moodle) -> None:
    responses.post(MOODLE_SERVER, json={"exception": "x", "errorcode": "forumblockingtoomanyposts", "message": ""})
    with pytest.raises(NotAllowed, match="post threshold"):
        post(moodle)
