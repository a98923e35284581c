"""A host changes where people meet: what is taken, who sees it, and who must not."""

import re
from dataclasses import replace
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from series.store.join_links import set_join_hosts
from series.store.lms_tables import join_link_change
from series.store.sessions import change_session
from tests.examples import SERIES
from tests.integration.lti.course import CourseUnderTest
from tests.integration.lti.hosting.hosts import STAFF, become_host, code_page, made_token, session_now, teacher_of
from tests.integration.lti.tool import Browser, form_token


def change_link(course: CourseUnderTest, join_url: str, session_id: UUID | None = None) -> TestResponse:
    page = f"{course.path}sessions/{session_id or course.running}/code/"
    shown = course.browser.get(page).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    data = {"form_token": form_token(shown, "code/join-link"), "version": version[1], "join_url": join_url}
    return course.browser.post(f"{page}join-link", data=data)


def test_a_host_changes_the_link_and_everybody_sees_that(
    host: CourseUnderTest, learner: tuple[Browser, str], of_vilnius: tuple[Browser, str]
) -> None:
    assert change_link(host, "https://zoom.us/j/1?pwd=x").status_code == 303
    assert session_now(host, host.running).join_url == "https://zoom.us/j/1?pwd=x"
    words = re.compile(r"The meeting link was changed on [^<]* by the host\.")
    for browser, path in (learner, of_vilnius, teacher_of(host)):
        assert words.search(browser.get(path).text)
        assert words.search(browser.get(f"{path}sessions/{host.running}/").text)
    assert words.search(host.get())
    log = re.sub(r"\s+", " ", code_page(teacher_of(host), host.running).text)
    assert "by the host: from meet.example to zoom.us" in log
    assert len(host.audited("change_join_link")) == 1


def test_the_link_of_another_session_is_not_the_hosts_to_change(host: CourseUnderTest) -> None:
    page = f"{host.path}sessions/{host.ahead}/code/join-link"
    token = made_token(host.browser, f"join-link {host.ahead}")
    refused = host.browser.post(page, data={"form_token": token, "join_url": "https://evil.example/", "version": "x"})
    assert refused.status_code == 403
    assert host.tool.rows_of(join_link_change) == 0


def test_a_student_cannot_change_a_link(course: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    browser, path = learner
    token = made_token(browser, f"join-link {course.running}")
    page = f"{path}sessions/{course.running}/code/join-link"
    assert browser.post(page, data={"form_token": token, "join_url": "https://evil.example/"}).status_code == 403
    assert course.tool.rows_of(join_link_change) == 0


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "http://zoom.us/j/1",
        "https://zoom.us.evil.example/",
        "https://evilzoom.us/",
        "https://zoom.us@evil.example/",
        "https://zoom.us\\@evil.example/",
        "https://zoom.us:8443/",
        "https://z\u043e\u043em.us/",
        "https://xn--zm-bmaa.us/",
    ],
)
def test_a_hosts_link_to_where_no_meeting_may_be_is_refused_in_words(host: CourseUnderTest, link: str) -> None:
    with host.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by=STAFF, now=host.now)
    refused = change_link(host, link)
    assert refused.status_code == 422
    assert "Meetings of this series are at" in refused.text
    assert session_now(host, host.running).join_url == "https://meet.example/beach"
    assert host.tool.rows_of(join_link_change) == 0


def test_what_was_changed_meanwhile_is_not_overwritten(host: CourseUnderTest) -> None:
    page = f"{host.path}sessions/{host.running}/code/"
    shown = host.browser.get(page).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    changed = replace(session_now(host, host.running), join_url="https://zoom.us/j/2")
    with host.database.write() as connection:
        change_session(connection, changed, by=STAFF, now=host.now)
    data = {"form_token": form_token(shown, "code/join-link"), "version": version[1], "join_url": "https://a.example/"}
    refused = host.browser.post(f"{page}join-link", data=data)
    assert (refused.status_code, "was changed meanwhile" in refused.text) == (409, True)
    assert 'value="https://a.example/"' in refused.text
    assert session_now(host, host.running).join_url == "https://zoom.us/j/2"


def test_a_link_that_was_taken_away_is_told_so(host: CourseUnderTest, learner: tuple[Browser, str]) -> None:
    assert change_link(host, "").status_code == 303
    assert "The meeting link was taken away on" in learner[0].get(learner[1]).text


def test_after_the_end_the_link_is_nobodys_to_change(host: CourseUnderTest) -> None:
    become_host(host, host.over)
    shown = code_page(teacher_of(host), host.over).text
    assert "code/join-link" not in shown
