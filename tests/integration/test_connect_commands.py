"""`moodle-sync connect` and `doctor` as an operator types them."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from moodle_sync.cli import main
from series.moodle_jobs import Level
from series.store.moodle_connections import MoodleConnection, disconnect, find_connection
from series.store.tables import audit, course, moodle_connection
from tests.databases import Databases
from tests.examples import MALTA, SERIES
from tests.integration.partner import Partner, open_partner
from tests.seeds import ENCRYPTION_KEY

Run = Callable[..., str]


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with databases.fresh("sqlite") as url, open_partner(tmp_path_factory.mktemp("connected"), url) as partner:
        yield partner


@pytest.fixture
def partner(shared: Partner) -> Iterator[Partner]:
    """Not connected."""
    yield shared
    shared.world.sandbox.sites["malta"].switches.reset()
    with shared.services.database.write() as connection:
        disconnect(connection, MALTA.university_id)
        connection.execute(sa.delete(audit))
        connection.execute(sa.update(course).values(moodle_course_id=None))


@pytest.fixture
def run(partner: Partner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs moodle-sync in this process; gives what it printed, or what it said when it failed."""
    settings = partner.services.settings
    environment = {
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.decode(),
        "ENCRYPTION_KEY": settings.encryption_key.decode(),
        "CLOCK_FILE": str(settings.clock_file),
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"SHARED_SESSIONS_{name}", value)

    def run(*command: str, status: int = 0, stdin: str = "") -> str:
        monkeypatch.setattr(sys, "argv", ["moodle-sync", *command])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == status, (out, err)
        return str(out + err)

    return run


def connect(partner: Partner, *more: str) -> tuple[str, ...]:
    return ("connect", "malta", "--url", partner.world.campus.url, "--token-file", "-", *more)


def connection(partner: Partner) -> MoodleConnection | None:
    with partner.services.database.read() as reading:
        return find_connection(reading, "malta", encryption_key=ENCRYPTION_KEY)


def actions(partner: Partner) -> list[tuple[str, str]]:
    with partner.services.database.read() as reading:
        rows = reading.execute(sa.select(audit.c.actor, audit.c.action).order_by(audit.c.id)).all()
    return [(row.actor, row.action) for row in rows]


COURSE = ("--course", "2", "--series", SERIES.slug)


def test_without_a_course_those_that_the_token_may_see_are_listed_and_nothing_is_stored(
    partner: Partner, run: Run
) -> None:
    said = run(*connect(partner), stdin=partner.world.campus.moodle_token)
    assert said.startswith(f"2  {partner.world.campus.course_label}  {partner.world.campus.course_title}\n")
    assert "--course NUMBER" in said
    assert connection(partner) is None


def test_a_moodle_is_connected_its_token_replaced_and_disconnected(partner: Partner, run: Run) -> None:
    token = partner.world.campus.moodle_token
    said = run(*connect(partner, *COURSE, "--level", "completions"), stdin=token)
    assert "is mirrored into" in said
    known = connection(partner)
    assert known is not None
    assert (known.level, known.token) == (Level.COMPLETIONS, token)
    assert "Connected" in run(*connect(partner, "--level", "calendar"), stdin=token)  # it has its course already
    changed = connection(partner)
    assert changed is not None
    assert changed.level is Level.CALENDAR
    assert "choose each course anew" not in run(*connect(partner), stdin=token)
    with partner.services.database.write() as writing:
        writing.execute(sa.update(moodle_connection).values(base_url="https://before.example"))
        writing.execute(sa.update(course).values(moodle_course_id=7))  # as it is called there
    assert "choose each course anew" in run(*connect(partner), stdin=token)
    assert "Nothing was changed" in run("connect", "malta", "--disconnect", stdin="n\n", status=1)
    assert "Disconnected" in run("connect", "malta", "--disconnect", "--yes")
    assert connection(partner) is None
    assert "is not connected" in run("connect", "malta", "--disconnect", "--yes", status=1)
    done = ["connect_moodle", "choose_moodle_course", *["connect_moodle"] * 3, "disconnect_moodle"]
    assert actions(partner) == [("operator", action) for action in done]


def test_a_token_that_lacks_functions_of_the_level_is_refused_with_the_list(partner: Partner, run: Run) -> None:
    lacking = "core_enrol_get_enrolled_users"
    partner.world.sandbox.sites["malta"].switches.set(lacks_functions=[lacking])
    token = partner.world.campus.moodle_token
    said = run(*connect(partner, *COURSE, "--level", "completions"), stdin=token, status=1)
    assert lacking in said
    assert "External services > Functions" in said
    assert "--level calendar" in said
    assert connection(partner) is None
    run(*connect(partner, *COURSE, "--level", "calendar"), stdin=token)
    assert connection(partner) is not None


@pytest.mark.parametrize(
    ("address", "token", "sentence"),
    [
        ("https://moodle.example/login/index.php", "x" * 32, "probably https://moodle.example"),
        ("http://moodle.example", "x" * 32, "must begin with https://"),
        ("{url}/elsewhere", "x" * 32, "no Moodle web service at this address"),
        ("{url}", "Token: abcdefabcdef", "without the words around it"),
        ("{url}", "abcdefabcdef abcdef", "blanks or several lines"),
        ("{url}", "x" * 32, "does not know our web service token"),
        ("{url}", "", "Please enter the token"),
    ],
)
def test_what_will_not_do_is_one_line_and_stores_nothing(
    partner: Partner, run: Run, address: str, token: str, sentence: str
) -> None:
    url = address.format(url=partner.world.campus.url)
    said = run("connect", "malta", "--url", url, "--token-file", "-", *COURSE, stdin=token, status=1)
    assert sentence in said
    assert said.count("\n") == 1
    assert connection(partner) is None


def test_a_course_that_is_not_shown_is_refused(partner: Partner, run: Run) -> None:
    token = partner.world.campus.moodle_token
    assert "no course 99" in run(*connect(partner, "--course", "99", *COURSE[2:]), stdin=token, status=1)
    assert connection(partner) is None


@pytest.mark.parametrize(
    "command",
    [
        ("connect",),
        ("connect", "malta"),
        ("connect", "malta", "--url", "https://moodle.example"),
        ("connect", "malta", "--url", "https://moodle.example", "--token-file", "-", "--course", "2"),
        ("connect", "malta", "--system"),
    ],
)
def test_half_a_command_is_wrong_use(run: Run, command: tuple[str, ...]) -> None:
    assert "Error: " in run(*command, status=2)


@pytest.mark.parametrize("more", [(), ("--system",), ("--announcements",)])
def test_a_role_file_is_printed(run: Run, more: tuple[str, ...]) -> None:
    role = ElementTree.fromstring(run("connect", "--role-file", "completions", *more))
    allowed = {one.text for one in role.iterfind("permissions/allow")}
    assert ("webservice/rest:use" in allowed) == ("--system" in more)
    assert ("mod/forum:addnews" in allowed) == ("--announcements" in more)


def test_the_doctor_says_what_works_and_what_to_change(partner: Partner, run: Run) -> None:
    partner.connect(Level.COMPLETIONS)
    assert "✓ The account's time zone is UTC." in run("doctor", "malta")
    partner.world.sandbox.sites["malta"].switches.set(lacks=["moodle/user:viewdetails"])
    said = run("doctor", status=1)
    assert "Of these, the account does not see 1.\n      → Allow moodle/user" in said
    (as_json,) = json.loads(run("doctor", "malta", "--json", status=1))
    (gap,) = [check for check in as_json["checks"] if check["outcome"] == "gap"]
    assert (as_json["university"], gap["code"], gap["course"]) == ("malta", "people", 2)
    assert "moodle/user:viewdetails" in gap["remedy"]


def test_the_doctor_says_when_nobody_answers_or_is_connected(partner: Partner, run: Run) -> None:
    assert "moodle-sync connect --help" in run("doctor", status=1)
    partner.connect()
    partner.world.sandbox.sites["malta"].switches.set(down=True)
    assert "✗ " in (said := run("doctor", "malta", status=1))
    assert "cannot answer at the moment" in said
