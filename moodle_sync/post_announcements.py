"""Moved and cancelled sessions into the announcements forums of one university's Moodle courses, each once.

The intention is noted before the call, and the message carries our marker: when nobody knows how a posting ended, it is
looked for, and made again only once it can no longer appear by itself.
"""

import html
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from lms.errors import LmsError, NotAllowed, Refused
from lms.moodle_forum import Discussion
from moodle_sync.moodle_access import MoodleAccess
from moodle_sync.services import Services
from series.announcement_texts.writing import Written, write
from series.announcements import Announcement, State, is_perhaps_told, is_settled
from series.check_words import check_line
from series.checks import Check, Code, Outcome
from series.feed import session_url
from series.moodle_jobs import LATE_EFFECT
from series.people import University
from series.store.announcement_postings import claim, drop_outdated, note_not_posted, note_posted, put_off
from series.store.announcements import (
    AnnouncingCourse,
    ToTell,
    announced_coming,
    announcements_of,
    announcing_courses,
    make_due,
    to_tell,
)
from series.store.database import Connection
from series.store.schema import installation_id
from series.store.universities import find_university

MOST_TRIES = 5
FIRST_DELAY = timedelta(minutes=5)  # after the first no; doubled by each
LOOK_AGAIN = timedelta(minutes=1)  # after a call that nobody answered
NO_FORUM = check_line(Check(code=Code.FORUM, outcome=Outcome.GAP))


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One row that is due. `wanted` None: it is no longer true, or nobody wants it posted any more, and is only looked
    for."""

    course: AnnouncingCourse
    row: Announcement
    wanted: ToTell | None


@dataclass(frozen=True, kw_only=True)
class Writer:
    """In whose words, and with which marker."""

    university: University
    public_url: str
    installation_id: str

    def write(self, wanted: ToTell, token: str) -> Written:
        url = f"{session_url(wanted.session, self.public_url)}?i={self.installation_id}&a={token}"
        return write(wanted.change, wanted.session, university=self.university, url=url)


def announce(services: Services, access: MoodleAccess) -> None:
    """No call where nothing is due. One course's trouble leaves the others alone. Raises an LmsError of the whole
    site."""
    known = _read(services, access)
    if _plan(access, known):
        known = _read(services, access)
    postings = _due(known)
    if not postings:
        return
    with services.database.read() as connection:
        writer = _writer(services, access, connection)
    for course in dict.fromkeys(posting.course for posting in postings):
        own = [posting for posting in postings if posting.course == course]
        _Course(services=services, access=access, writer=writer, course=course).work(own)


def planned(services: Services, access: MoodleAccess) -> list[tuple[AnnouncingCourse, Written]]:
    """What would be posted now, for who only looks."""
    known = _read(services, access)
    with services.database.read() as connection:
        writer = _writer(services, access, connection)
    return [
        (known.courses[one.course_id], writer.write(one, one.row.token if one.row else ""))
        for one in known.wanted
        if (one.row is not None and one.row.state is State.DUE and _may_post(one.row, known.courses[one.course_id]))
        or _is_fresh(known, one)
    ]


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What there is to tell, and what became of it so far. `courses` by id; `coming`: announced sessions to come."""

    courses: Mapping[int, AnnouncingCourse]
    wanted: Sequence[ToTell]
    rows: Sequence[Announcement]
    coming: Collection[UUID]
    now: datetime

    @property
    def wanted_of_rows(self) -> dict[int, ToTell]:
        """By the row's id: what is still true."""
        return {one.row.announcement_id: one for one in self.wanted if one.row is not None}


def _read(services: Services, access: MoodleAccess) -> _Known:
    now = services.clock.now()
    with services.database.read() as connection:
        courses = announcing_courses(connection, access.connection.university_id)
        ids = [course.course_id for course in courses]
        return _Known(
            courses={course.course_id: course for course in courses},
            wanted=to_tell(connection, ids, now=now),
            rows=announcements_of(connection, ids),
            coming=announced_coming(connection, ids, now=now),
            now=now,
        )


def _due(known: _Known) -> list[Posting]:
    wanted, postings = known.wanted_of_rows, []
    for row in known.rows:
        course, change = known.courses[row.course_id], wanted.get(row.announcement_id)
        is_doubtful = is_perhaps_told(row) and change is None and row.session_id in known.coming
        if (row.state is State.DUE or is_doubtful) and (row.next_at is None or row.next_at <= known.now):
            postings.append(Posting(course=course, row=row, wanted=change if _may_post(row, course) else None))
    return postings


def _is_fresh(known: _Known, one: ToTell) -> bool:
    """There is no row of it yet, the course wants it by itself, and it has settled."""
    is_wanted = known.courses[one.course_id].announces
    return one.row is None and is_wanted and is_settled(one.replanned, now=known.now)


def _may_post(row: Announcement, course: AnnouncingCourse) -> bool:
    return course.announces or row.set_by is not None


def _plan(access: MoodleAccess, known: _Known) -> bool:
    """New rows for what the courses want to be told and has settled; none any more for what is no longer true. Whether
    there was anything to write."""
    true = known.wanted_of_rows
    on_their_way = {
        (row.course_id, row.session_id)
        for row in known.rows
        if _may_be_there(row) and (row.state is State.DUE or row.announcement_id not in true)
    }
    fresh = [
        one
        for one in known.wanted
        if _is_fresh(known, one)
        and (one.course_id, one.session.session_id) not in on_their_way  # what is true then depends on it
    ]
    outdated = [
        row
        for row in known.rows
        if row.announcement_id not in true and _is_over(row, is_coming=row.session_id in known.coming)
    ]
    if not fresh and not outdated:
        return False
    with access.write() as connection:
        drop_outdated(connection, outdated)
        make_due(connection, fresh, now=known.now)
    return True


def _is_over(row: Announcement, *, is_coming: bool) -> bool:
    """What may be in the forum is looked for first; what was given up, only for a session to come."""
    if row.state is State.FAILED:
        return row.began_at is None or not is_coming
    return row.state is State.DUE and row.began_at is None


def _may_be_there(row: Announcement) -> bool:
    return is_perhaps_told(row) or (row.state is State.DUE and row.began_at is not None)


def _writer(services: Services, access: MoodleAccess, connection: Connection) -> Writer:
    return Writer(
        university=find_university(connection, access.connection.university_slug),
        public_url=services.settings.public_url,
        installation_id=installation_id(connection),
    )


@dataclass(kw_only=True)
class _Course:
    """One course's forum."""

    services: Services
    access: MoodleAccess
    writer: Writer
    course: AnnouncingCourse
    _forum_id: int | None = field(default=None, init=False)
    _found: Mapping[str, int] | None = field(default=None, init=False)

    def work(self, postings: Sequence[Posting]) -> None:
        """Raises an LmsError of the whole site."""
        for posting in postings:
            try:
                self._one(posting)
            except LmsError as error:
                self._note_failure(posting, error)
                if error.of_platform:
                    raise
                self.access.problems.append(f"Course {self.course.moodle_course_id}: {error}")

    def _one(self, posting: Posting) -> None:
        row, now = posting.row, self.services.clock.now()
        if row.began_at is not None:
            discussion_id = self._marked().get(row.token)
            if discussion_id is not None:
                self._posted(row, discussion_id, "found")
                return
            if now < row.began_at + LATE_EFFECT:
                with self.access.write() as connection:
                    put_off(connection, row.announcement_id, next_at=row.began_at + LATE_EFFECT)
                return
        if posting.wanted is None:
            with self.access.write() as connection:
                drop_outdated(connection, [row])
            return
        self._post(row, posting.wanted)

    def _post(self, row: Announcement, wanted: ToTell) -> None:
        forum_id = self._forum()
        written = self.writer.write(wanted, row.token)
        now = self.services.clock.now()
        with self.access.write() as connection:
            true = to_tell(connection, [self.course.course_id], now=now)
            is_true = any(one.row is not None and one.row.announcement_id == row.announcement_id for one in true)
            if not is_true or not claim(connection, row, now=now):
                return  # changed once more a moment ago, or somebody else has it
        discussion_id = self.access.moodle.add_discussion(forum_id, subject=written.subject, message=written.message)
        self._posted(row, discussion_id, "posted")

    def _posted(self, row: Announcement, discussion_id: int, what: str) -> None:
        with self.access.write() as connection:
            note_posted(connection, row.announcement_id, discussion_id, now=self.services.clock.now())
        self.access.counts[what] += 1

    def _note_failure(self, posting: Posting, error: LmsError) -> None:
        """What the whole site did says nothing about this announcement: it waits as long as the site does not answer.
        After a clear no there is nothing to be looked for; after anything else there may be."""
        now, row = self.services.clock.now(), posting.row
        is_sure = isinstance(error, NotAllowed | Refused) and row.began_at is None
        attempts = row.attempts + (not error.of_platform)
        gives_up = attempts >= MOST_TRIES and row.state is State.DUE
        delay = LOOK_AGAIN if error.of_platform else FIRST_DELAY * (1 << min(attempts - 1, 8))
        with self.access.write() as connection:
            note_not_posted(
                connection,
                row.announcement_id,
                problem=str(error),
                attempts=attempts,
                next_at=None if gives_up else now + delay,
                is_sure=is_sure,
            )

    def _forum(self) -> int:
        """Raises LmsError."""
        if self._forum_id is None:
            self._forum_id = self.access.moodle.announcements_forum(self.course.moodle_course_id)
        if self._forum_id is None:
            raise NotAllowed(NO_FORUM, status=200)
        return self._forum_id

    def _marked(self) -> Mapping[str, int]:
        """Our announcements that are there: discussion by the announcement's token."""
        if self._found is None:
            discussions = self.access.moodle.discussions(self._forum())
            self._found = find_posted(
                discussions,
                installation_id=self.writer.installation_id,
                user_ids=self.access.connection.own_user_ids,
            )
        return self._found


def find_posted(discussions: Iterable[Discussion], *, installation_id: str, user_ids: frozenset[int]) -> dict[str, int]:
    """Discussions by the announcement's token: those that carry our marker, and were not written by somebody else; the
    oldest where there are two."""
    marker = re.compile(
        rf"""href=["'][^"'\s]*/s/[0-9a-f-]{{36}}\?i={re.escape(installation_id)}&a=([0-9a-f]{{16}})["']""",
        re.IGNORECASE,
    )
    found: dict[str, int] = {}
    for one in sorted(discussions, key=lambda one: -one.discussion_id):
        if one.user_id is None or one.user_id in user_ids:
            for token in marker.findall(html.unescape(one.message)):
                found[token.lower()] = one.discussion_id
    return found
