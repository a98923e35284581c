"""Mail for staff: what newly waits for them, and a summary of the week. Off where no mail server is set."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from moodle_sync.send_mail import MailNotSent, make_message, send
from moodle_sync.services import Services
from series.staff_mail import Letter, digest_is_due, letter_of_news, letter_of_the_week
from series.store import runs
from series.store.database import Connection, DatabaseBusy, DatabaseUnreachable
from series.store.staff_notices import (
    MailReader,
    drop_outdated,
    has_outdated,
    mail_readers,
    note_digest,
    note_mailed,
    unmailed,
    week_around,
)
from series.store.waiting import waiting_for_coordinator, waiting_for_university
from series.waiting import Waiting

log = structlog.get_logger()
LOOK_S = 60.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
SERVER = 0  # among those whose failures are counted; no account has this id


@dataclass(frozen=True, kw_only=True)
class Due:
    """What one person is to be told now. `week`: a summary of it is due; `waiting`: all that waits for them."""

    reader: MailReader
    waiting: tuple[Waiting, ...]
    news: tuple[Waiting, ...]
    week: bool

    @property
    def is_empty(self) -> bool:
        return not (self.news or self.week)


class StaffMail:
    """Called about once a minute. Harmless when several workers do it: one of them has the run. A mail that was sent
    when its worker was killed may come twice; none is lost."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._failures: dict[int, int] = {}  # in a row, by account or SERVER
        self._not_before: dict[int, datetime] = {}

    def __call__(self) -> None:
        """Raises DatabaseBusy, DatabaseUnreachable."""
        services = self._services
        now = services.clock.now()
        if services.settings.smtp_url is None or not self._may_try(SERVER, now):
            return
        if not any(self._may_try(due.reader.staff_id, now) for due in self._all_due(now)):
            return
        with services.database.write() as connection:
            run_id = runs.begin_run(connection, job="mail", scope="staff", slot=runs.slot_by_hand(), now=now)
        if run_id is None:
            return  # another worker is at it
        sent = 0
        problems: list[str] = []
        try:
            for due in self._all_due(now):  # once more, by what the last one has noted
                if self._may_try(due.reader.staff_id, now):
                    sent += self._tell(run_id, due, problems)
                    self._failures.pop(SERVER, None)
        except MailNotSent as error:
            problems.append(str(error))
        finally:
            self._end(run_id, sent, problems)

    def _end(self, run_id: int, sent: int, problems: list[str]) -> None:
        outcome = "failed" if problems and not sent else "done"
        with self._services.database.write() as connection:
            if not sent and not problems:
                runs.drop_run(connection, run_id)
                return
            now = self._services.clock.now()
            reason = "\n".join(dict.fromkeys(problems)) or None
            runs.end_run(connection, run_id, outcome=outcome, counts={"sent": sent}, reason=reason, now=now)

    def _all_due(self, now: datetime) -> list[Due]:
        with self._services.database.read() as connection:
            readers = mail_readers(connection)
            at = {reader.university_id for reader in readers}
            waiting = {university_id: _waiting(connection, university_id, now) for university_id in at}
            found = [_due(connection, reader, waiting[reader.university_id], now) for reader in readers]
            over = [one for one in found if has_outdated(connection, one.reader.staff_id, one.waiting)]
        if over:
            with self._services.database.write() as connection:
                for one in over:
                    drop_outdated(connection, one.reader.staff_id, one.waiting)
        return [one for one in found if not one.is_empty]

    def _tell(self, run_id: int, due: Due, problems: list[str]) -> int:
        """How many mails were sent; why one was not. Raises MailNotSent of the whole server."""
        staff_id, now = due.reader.staff_id, self._services.clock.now()
        with self._services.database.write() as connection:
            runs.still_alive(connection, run_id, now=now)
        try:
            sent = self._send_news(due, now) + self._send_week(due, now)
        except MailNotSent as error:
            log.warning("mail_not_sent", staff_id=staff_id, error=str(error))
            self._put_off(SERVER if error.of_server else staff_id, now)
            if error.of_server:
                raise
            problems.append(str(error))
            return 0
        self._failures.pop(staff_id, None)
        return sent

    def _send_news(self, due: Due, now: datetime) -> int:
        if not due.news or due.week:  # the summary has all of it
            return 0
        public_url = self._services.settings.public_url
        self._send(due.reader, letter_of_news(due.news, zone=due.reader.zone, public_url=public_url), now)
        with self._services.database.write() as connection:
            note_mailed(connection, due.reader.staff_id, due.news, now=now)
        return 1

    def _send_week(self, due: Due, now: datetime) -> int:
        if not due.week:
            return 0
        with self._services.database.read() as connection:
            week = week_around(connection, due.reader, now=now)
        has_content = bool(due.waiting) or not week.is_empty
        if has_content:
            public_url = self._services.settings.public_url
            letter = letter_of_the_week(due.waiting, week, zone=due.reader.zone, public_url=public_url)
            self._send(due.reader, letter, now)
        with self._services.database.write() as connection:
            note_digest(connection, due.reader.staff_id, now=now)
            note_mailed(connection, due.reader.staff_id, due.waiting, now=now)
        return int(has_content)

    def _send(self, reader: MailReader, letter: Letter, now: datetime) -> None:
        """Raises MailNotSent."""
        settings = self._services.settings
        assert settings.smtp_url is not None
        host = urlsplit(settings.public_url).hostname or "localhost"
        try:
            message = make_message(letter, to=reader.email, sender=settings.mail_from or "", host=host, now=now)
        except (ValueError, IndexError) as error:  # an address that mail has no form for
            raise MailNotSent("An account has an e-mail address that no mail can go to.", of_server=False) from error
        send(settings.smtp_url, message, own_host=host)

    def _may_try(self, whose: int, now: datetime) -> bool:
        return whose not in self._failures or self._not_before[whose] <= now

    def _put_off(self, whose: int, now: datetime) -> None:
        failures = self._failures.get(whose, 0) + 1
        self._failures[whose] = failures
        self._not_before[whose] = now + min(FIRST_PAUSE * (1 << min(failures - 1, 10)), LONGEST_PAUSE)


def _waiting(connection: Connection, university_id: int | None, now: datetime) -> tuple[Waiting, ...]:
    if university_id is None:
        return tuple(waiting_for_coordinator(connection, now=now))
    return tuple(waiting_for_university(connection, university_id, now=now))


def _due(connection: Connection, reader: MailReader, waiting: Sequence[Waiting], now: datetime) -> Due:
    return Due(
        reader=reader,
        waiting=tuple(waiting),
        news=tuple(unmailed(connection, reader.staff_id, waiting, now=now)),
        week=digest_is_due(reader.last_digest_at, zone=reader.zone, now=now),
    )


def mail_until(services: Services, stop: threading.Event) -> None:
    """In a thread of its own: a slow mail server slows nothing else down."""
    mail = StaffMail(services)
    while not stop.wait(LOOK_S):
        try:
            mail()
        except (DatabaseBusy, DatabaseUnreachable) as error:
            log.warning("mail_skipped", error=str(error))
        except Exception:
            log.exception("mail_broke")
