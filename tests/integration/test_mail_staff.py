"""Mail for staff: once for what newly waits, a summary on Mondays, nothing lost when the mail server is down."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.mail_server import Encryption, read_mail_server
from moodle_sync.mail_staff import StaffMail
from moodle_sync.send_mail import MailNotSent, send
from moodle_sync.services import Services, make_services
from series.checks import Check, Code, Outcome, encode_checks
from series.staff import Role
from series.staff_mail import digest_is_due, last_digest_time
from series.store.mirrors import tie_course
from series.store.moodle_connections import NewConnection, save_checks, save_connection
from series.store.runs import begin_run, end_run, list_runs
from series.store.staff import add_link, add_staff, choose_mail, spend_link
from series.store.staff_notices import mail_readers, week_around
from series.store.tables import course_series, gradebook_pause, staff
from tests.conftest import NOW, make_settings
from tests.examples import SERIES
from tests.integration.mail_server import MailServer
from tests.seeds import ENCRYPTION_KEY, seed

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MARIA, MARK, JONAS = "maria@example.org", "mark@example.org", "jonas@example.org"


@dataclass(kw_only=True)
class Post:
    """Maria coordinates, Mark is the LMS admin of Malta, Jonas that of Vilnius. It is Tuesday, 15:10 UTC."""

    services: Services
    server: MailServer
    clock_file: Path
    platform_id: int
    mail: StaffMail

    def wait(self, until: datetime) -> None:
        ahead = until - datetime.now(UTC)
        self.clock_file.write_text(str(ahead.total_seconds()))

    def break_down(self, at: datetime) -> None:
        """Malta's gradebook."""
        values = {"failures": 1, "failing_since": at, "until": at, "reason": "It does not answer."}
        with self.services.database.write() as connection:
            connection.execute(sa.insert(gradebook_pause).values(platform_id=self.platform_id, **values))

    def mend(self) -> None:
        with self.services.database.write() as connection:
            connection.execute(sa.delete(gradebook_pause))

    def sent(self) -> list[str]:
        """To whom, since the last look."""
        self.mail()
        found = [message["To"] for message in self.server.messages]
        self.server.messages.clear()
        return found


@pytest.fixture
def post(sqlite_url: str, tmp_path: Path) -> Iterator[Post]:
    with MailServer() as server:
        settings = replace(
            make_settings(sqlite_url),
            clock_file=tmp_path / "clock",
            smtp_url=read_mail_server(f"smtp://127.0.0.1:{server.port}"),
            mail_from="sessions@example.org",
        )
        services = make_services(settings)
        seeded = seed(services.database)
        with services.database.write() as connection:
            for university_id in (1, 2):
                tie_course(
                    connection,
                    university_id=university_id,
                    moodle_course_id=2,
                    title="",
                    series_id=SERIES.series_id,
                    now=NOW,
                )
            for email, role, university_id in (
                (MARIA, Role.COORDINATOR, None),
                (MARK, Role.LMS_ADMIN, 1),
                (JONAS, Role.LMS_ADMIN, 2),
            ):
                own = add_staff(connection, email=email, name="", role=role, university_id=university_id, now=NOW)
                add_link(connection, own, email, now=NOW)
                spend_link(connection, email, password_hash="a hash", now=NOW)
        opened = Post(
            services=services,
            server=server,
            clock_file=tmp_path / "clock",
            platform_id=seeded.platform_id,
            mail=StaffMail(services),
        )
        opened.wait(NOW)
        yield opened
        services.database.dispose()
        services.http.close()


def test_what_newly_waits_is_mailed_once_to_whom_it_concerns(post: Post) -> None:
    assert post.sent() == []
    post.break_down(NOW - HOUR)
    assert post.sent() == [MARIA, MARK]
    post.wait(NOW + timedelta(days=1))
    assert post.sent() == []
    post.mend()
    assert post.sent() == []
    post.break_down(NOW)
    assert post.sent() == [MARIA, MARK], "it waits once more"


def test_a_mail_says_what_it_is_and_where_to_go(post: Post) -> None:
    post.break_down(NOW - HOUR)
    post.mail()
    message = post.server.messages[1]
    assert message["Subject"].startswith("University of Malta: the gradebook of its LMS does not answer (malta).")
    assert message["From"] == "Shared Sessions <sessions@example.org>"
    assert (message["Auto-Submitted"], message.get_content_type()) == ("auto-generated", "text/plain")
    text = message.get_content()
    assert "Since Tuesday, 24 November 2026, 15:10 (Europe/Malta)." in text
    assert "It does not answer." in text
    assert "http://localhost:8999/admin/" in text


def test_several_new_things_are_one_mail(post: Post) -> None:
    post.break_down(NOW - HOUR)
    with post.services.database.write() as connection:
        connection.execute(
            sa.text("UPDATE deployment SET state = 'pending', first_seen_at = '2026-11-24 13:00:00.000000'")
        )
    post.mail()
    assert [message["Subject"] for message in post.server.messages] == ["2 things wait for you"] * 2


def test_what_is_over_in_ten_minutes_is_not_mailed(post: Post) -> None:
    with post.services.database.write() as connection:
        connection.execute(
            sa.text("UPDATE deployment SET state = 'pending', first_seen_at = '2026-11-24 15:01:00.000000'")
        )
    assert post.sent() == []
    post.wait(NOW + 2 * MINUTE)
    assert post.sent() == [MARIA, MARK]


def test_who_wants_no_mail_or_has_no_account_any_more_gets_none(post: Post) -> None:
    with post.services.database.write() as connection:
        choose_mail(connection, 1, is_wanted=False)
        connection.execute(sa.update(staff).where(staff.c.id == 2).values(state="disabled"))
    post.break_down(NOW - HOUR)
    assert post.sent() == []


def test_two_workers_do_not_send_twice(post: Post) -> None:
    post.break_down(NOW - HOUR)
    StaffMail(post.services)()
    assert post.sent() == [MARIA, MARK]


def test_a_server_that_is_down_is_left_alone_for_longer_each_time_and_nothing_is_lost(post: Post) -> None:
    post.break_down(NOW - HOUR)
    post.server.is_busy = True
    assert post.sent() == []
    with post.services.database.read() as connection:
        (run,) = list_runs(connection, limit=9)
    assert (run.job, run.outcome) == ("mail", "failed")
    assert "cannot be reached or refuses us" in str(run.reason)
    post.server.is_busy = False
    assert post.sent() == [], "a minute has not passed"
    post.wait(NOW + 2 * MINUTE)
    assert post.sent() == [MARIA, MARK]


def test_one_address_that_is_refused_keeps_no_mail_from_the_others(post: Post) -> None:
    post.server.refused = {MARIA}
    post.break_down(NOW - HOUR)
    assert post.sent() == [MARK]
    post.server.refused = set()
    post.wait(NOW + 2 * MINUTE)
    assert post.sent() == [MARIA]


def test_a_server_that_takes_no_mail_for_anybody_is_seen_in_the_runs(post: Post) -> None:
    """Of each one, that may be their address alone."""
    post.server.refused = {MARIA, MARK}
    post.break_down(NOW - HOUR)
    assert post.sent() == []
    with post.services.database.read() as connection:
        (run,) = list_runs(connection, limit=5)
    assert (run.job, run.outcome) == ("mail", "failed")
    assert run.reason == "127.0.0.1 does not take a mail to one of the staff."


def test_a_mail_that_was_taken_is_not_sent_again_however_the_server_says_goodbye(post: Post) -> None:
    post.server.farewell = "421 busy"
    post.break_down(NOW - HOUR)
    assert post.sent() == [MARIA, MARK]
    post.wait(NOW + 2 * HOUR)
    assert post.sent() == []


def save_gaps(post: Post, *codes: Code, at: datetime) -> None:
    with post.services.database.write() as connection:
        gaps = [Check(code=code, outcome=Outcome.GAP, facts={"course": "C", "course_id": 2}) for code in codes]
        save_checks(connection, 1, encode_checks(gaps), now=at)


def test_a_new_gap_is_mailed_where_an_old_one_stands(post: Post) -> None:
    new = NewConnection(university_id=1, base_url="https://m.example", token="t", moodle_user_id=5)
    with post.services.database.write() as connection:
        save_connection(connection, new, encryption_key=ENCRYPTION_KEY, now=NOW - HOUR)
    save_gaps(post, Code.FORUM, at=NOW - HOUR)
    save_gaps(post, Code.FORUM, at=NOW)
    assert post.sent() == [MARIA, MARK], "it has waited since it was first found"
    save_gaps(post, Code.FORUM, Code.COURSE_OPEN, at=NOW)
    post.wait(NOW + HOUR)
    post.mail()
    (message, _) = post.server.messages
    text = message.get_content()
    assert "The account may not open the course." in text
    assert "forum" not in text
    post.server.messages.clear()
    save_gaps(post, Code.COURSE_OPEN, at=NOW + HOUR)
    assert post.sent() == [], "one of two that is mended is no news"


MONDAY = datetime(2026, 11, 30, 6, 30, tzinfo=UTC)  # 7:30 in Malta, 8:30 in Vilnius, and not yet seven in UTC


def test_the_summary_comes_on_monday_at_seven_where_its_reader_is(post: Post) -> None:
    post.wait(MONDAY - HOUR)
    assert post.sent() == [JONAS]
    post.wait(MONDAY)
    assert post.sent() == [MARK]
    post.wait(MONDAY + HOUR)
    assert post.sent() == [MARIA]
    post.wait(MONDAY + 2 * HOUR)
    assert post.sent() == []


def test_the_summary_says_what_waits_and_what_was_done(post: Post) -> None:
    post.break_down(NOW)
    post.wait(MONDAY + HOUR)
    post.mail()
    summary = post.server.messages[0]
    assert len(post.server.messages) == 3, "what is new stands in it, and in no mail of its own"
    assert summary["Subject"] == "Your week with Shared Sessions: 1 thing waits for you"
    text = summary.get_content().replace("\r\n", "\n")
    for part in (
        "University of Malta: the gradebook of its LMS does not answer",
        "Sessions of last week:\n- Tuesday, 24 November 2026, 15:00 (UTC)  Inquiry at the beach",
        "Sessions of this week:\n- Tuesday, 1 December 2026, 15:00 (UTC)  Inquiry at the beach",
        "Passes of our jobs that failed last week:\n- none",
    ):
        assert part in text


def test_an_lms_admin_reads_of_the_series_and_runs_of_their_own_university(post: Post) -> None:
    with post.services.database.write() as connection:
        connection.execute(sa.delete(course_series).where(course_series.c.course_id == 2))
        for job, scope in (("calendar", "malta"), ("mirror", "malta")):  # a series of the same name
            run_id = begin_run(connection, job=job, scope=scope, slot="1", now=MONDAY - HOUR)
            assert run_id is not None
            end_run(connection, run_id, outcome="failed", counts={}, reason="No.", now=MONDAY - HOUR)
    post.wait(MONDAY)
    assert post.sent() == [MARK], "nothing that Jonas's courses show"
    post.wait(MONDAY + HOUR)
    post.mail()
    assert "- calendar: 1\n- mirror: 1" in post.server.messages[0].get_content().replace("\r\n", "\n")
    with post.services.database.read() as connection:
        mark = next(reader for reader in mail_readers(connection) if reader.email == MARK)
        assert week_around(connection, mark, now=MONDAY).failed_runs == (("mirror", 1),)


def test_a_summary_that_is_long_overdue_is_left_out() -> None:
    seven = datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert last_digest_time(MONDAY, "Europe/Malta") == seven
    assert digest_is_due(NOW, zone="Europe/Malta", now=MONDAY)
    assert not digest_is_due(NOW, zone="Europe/Malta", now=seven - MINUTE)
    assert not digest_is_due(NOW, zone="Europe/Malta", now=seven + timedelta(days=3))
    assert not digest_is_due(seven, zone="Europe/Malta", now=MONDAY)


def test_a_server_elsewhere_must_offer_encryption(post: Post) -> None:
    """The one here does not, and nothing is said to it in the clear."""
    server = read_mail_server(f"smtp://user:secret@127.0.0.1:{post.server.port}")
    assert server is not None
    with pytest.raises(MailNotSent) as refused:
        send(replace(server, encryption=Encryption.STARTTLS), EmailMessage(), own_host="sessions.example")
    assert not post.server.messages
    assert str(refused.value) == "127.0.0.1 offers no encryption, and nothing is sent without: correct SMTP_URL."
    assert refused.value.of_server
