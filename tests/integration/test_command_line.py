"""The commands as an operator types them: what they print, where, and with which exit status."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from config.sample_series import read_sample_series, shift_sample_series
from lms.tool_keys import ensure_tool_key
from lti_tool.cli import lti_tool
from moodle_sync.cli import moodle_sync
from sandbox_lms.campus import MALTA as CAMPUS
from series.store.database import Database
from tests.conftest import NOW, make_settings
from tests.databases import Databases
from tests.integration.sandbox_client import World
from tests.ports import free_port

BIN = Path(sys.executable).parent
CALENDARS = Path(__file__).parents[1] / "data" / "calendars"
PROGRAMS = {"lti-tool": lti_tool, "moodle-sync": moodle_sync}
MIGRATE_FIRST = "The database is not up to date. Run `lti-tool migrate` first."
NEW_SERIES = ("--series", "autumn", "--title", "Autumn series")
MALTA = ("--name", "University of Malta", "--country", "mt", "--time-zone", "Europe/Malta")


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Shell:
    """An operator's shell: its environment names a migrated database."""

    environment: dict[str, str]

    def run(self, *command: str, stdin: str = "") -> Done:
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return Done(status=done.returncode, out=done.stdout, err=done.stderr)

    def succeeds(self, *command: str, stdin: str = "") -> str:
        """What it prints; nothing on stderr."""
        done = self.run(*command, stdin=stdin)
        assert (done.status, done.err) == (0, ""), done
        return done.out

    def fails(self, *command: str) -> str:
        """The one line on stderr of a command that failed with status 1 and printed nothing else."""
        done = self.run(*command)
        assert (done.status, done.out) == (1, ""), done
        assert done.err.count("\n") == 1, done.err
        return done.err.strip()

    def json(self, *command: str) -> list[dict[str, object]]:
        rows = json.loads(self.succeeds(*command, "--json"))
        assert isinstance(rows, list)
        return rows

    def each_fails(self, *commands: tuple[str, ...]) -> list[str]:
        """`fails` of all of them, side by side."""
        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(lambda command: self.fails(*command), commands))

    def but_for(self, **changes: str) -> "Shell":
        return replace(self, environment=self.environment | {f"SHARED_SESSIONS_{k}": v for k, v in changes.items()})

    def without(self, *names: str) -> "Shell":
        left_out = {f"SHARED_SESSIONS_{name}" for name in names}
        return replace(self, environment={k: v for k, v in self.environment.items() if k not in left_out})


@pytest.fixture
def shell(databases: Databases, tmp_path: Path) -> Iterator[Shell]:
    """Its clock says NOW."""
    clock_file = tmp_path / "clock"
    clock_file.write_text(str((NOW - datetime.now(UTC)).total_seconds()))
    with databases.fresh("sqlite") as url:
        settings = make_settings(url)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SHARED_SESSIONS_")}
        yield Shell(environment=inherited).but_for(
            PUBLIC_URL=settings.public_url,
            DATABASE_URL=url,
            SECRET_KEY=settings.secret_key.decode(),
            ENCRYPTION_KEY=settings.encryption_key.decode(),
            CLOCK_FILE=str(clock_file),
        )


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    """The sample series, as it is in NOW's week."""
    path = tmp_path / "series.ics"
    path.write_bytes(shift_sample_series(read_sample_series(), this_week=NOW.date()))
    return path


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command below this one, and this one."""
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))


# Help and wrong use


@pytest.mark.parametrize("module", ["lti_tool.cli", "moodle_sync.cli"])
def test_a_short_command_does_not_wait_for_what_others_need(module: str) -> None:
    heavy = "{'alembic', 'flask', 'granian', 'icalendar', 'joserfc', 'requests', 'structlog'}"
    code = f"import sys, {module}; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_needs_no_settings(program: str, shell: Shell) -> None:
    bare = shell.without("PUBLIC_URL", "DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEY")
    assert f"Usage: {program} [OPTIONS] COMMAND" in bare.succeeds(program, "--help")


@pytest.mark.parametrize(
    ("program", "path"),
    [
        pytest.param(program, path, id=" ".join((program, *path)))
        for program, top in PROGRAMS.items()
        for path in commands(top)
    ],
)
def test_every_command_explains_itself(program: str, path: tuple[str, ...]) -> None:
    found = CliRunner().invoke(PROGRAMS[program], [*path, "--help"], prog_name=program)
    assert found.exit_code == 0
    usage, _, text = found.stdout.partition("\n\n")
    assert " ".join(usage.split()).startswith(f"Usage: {' '.join((program, *path))} [OPTIONS]")
    assert text.strip()[0].isupper(), "a command says what it does"


@pytest.mark.parametrize(
    "command",
    [
        ("moodle-sync", "dance"),
        ("moodle-sync", "series", "import", "x.ics"),
        ("moodle-sync", "series", "import", "x.ics", *NEW_SERIES, "--required", "0"),
        ("moodle-sync", "deliveries", "retry"),
        ("moodle-sync", "deliveries", "retry", "1", "--all"),
        ("lti-tool", "serve", "--port", "0"),
        ("lti-tool", "university", "add", "UPPER", *MALTA),
        ("lti-tool", "university", "add", "malta", *MALTA, "--country", "Malta"),
        ("lti-tool", "university", "add", "malta", *MALTA, "--time-zone", "Mars/Olympus"),
    ],
    ids=lambda command: " ".join(command)[:60],
)
def test_wrong_use_has_status_2_and_says_how(command: tuple[str, ...]) -> None:
    program, *arguments = command
    found = CliRunner().invoke(PROGRAMS[program], arguments, prog_name=program)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "--help' for help." in found.stderr
    assert "Error: " in found.stderr


def test_wrong_use_that_shows_later_has_status_2_too(shell: Shell, calendar: Path) -> None:
    wrong = [("--series", "untitled"), ("--series", "../..", "--title", "x"), (*NEW_SERIES, "--time-zone", "Mars")]
    with ThreadPoolExecutor(4) as threads:
        ends = threads.map(lambda options: shell.run("moodle-sync", "series", "import", str(calendar), *options), wrong)
    for done in ends:
        assert (done.status, done.out) == (2, "")
        assert "Error: " in done.err
        assert "Traceback" not in done.err


# Settings and database


@pytest.mark.parametrize("command", [("lti-tool", "migrate"), ("moodle-sync", "series", "list")])
def test_missing_settings_are_all_named(command: tuple[str, ...], shell: Shell) -> None:
    done = shell.without("PUBLIC_URL", "SECRET_KEY", "ENCRYPTION_KEY").run(*command)
    assert (done.status, done.out) == (2, "")
    *problems, advice = done.err.splitlines()
    assert [problem.split()[0] for problem in problems] == [
        "SHARED_SESSIONS_PUBLIC_URL",
        "SHARED_SESSIONS_SECRET_KEY",
        "SHARED_SESSIONS_ENCRYPTION_KEY",
    ]
    assert "_FILE" in advice


def test_an_unmigrated_database_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    new = shell.but_for(DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    said = new.each_fails(("moodle-sync", "worker"), ("lti-tool", "university", "list"), ("lti-tool", "serve"))
    assert said == [MIGRATE_FIRST] * 3
    assert new.succeeds("lti-tool", "migrate") == "The database is up to date.\n"
    assert new.succeeds("lti-tool", "migrate") == "The database is up to date.\n"
    assert len(new.json("lti-tool", "keys", "list")) == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{folder}/nowhere/x.db", "unable to open database file"),
        ("sqlite:///{folder}/text.db", "file is not a database"),
        ("postgresql://me:the-password@127.0.0.1:{port}/x", "Connection refused"),
    ],
    ids=["in no folder", "no database", "nobody there"],
)
def test_a_database_that_cannot_be_used_says_why(url: str, sentence: str, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("This is a letter and not a database. " * 100)
    there = shell.but_for(DATABASE_URL=url.format(folder=tmp_path, port=free_port()))
    for said in there.each_fails(("lti-tool", "migrate"), ("moodle-sync", "series", "list")):
        assert said.startswith("The database cannot be used: ")
        assert sentence in said
        assert "the-password" not in said


def test_a_locked_database_says_so_and_keeps_nothing(shell: Shell, calendar: Path) -> None:
    path = shell.environment["SHARED_SESSIONS_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        said = shell.each_fails(
            ("moodle-sync", "series", "import", str(calendar), *NEW_SERIES),
            ("lti-tool", "university", "add", "malta", *MALTA),
            ("lti-tool", "migrate"),
        )
        holder.execute("ROLLBACK")
    assert said == ["The database is busy. Nothing was written; please try again."] * 3
    assert shell.json("moodle-sync", "series", "list") == []


def test_another_encryption_key_says_so(shell: Shell) -> None:
    settings = make_settings(shell.environment["SHARED_SESSIONS_DATABASE_URL"])
    database = Database(settings.database_url)
    ensure_tool_key(database, encryption_key=settings.encryption_key, now=NOW)
    database.dispose()
    other = shell.but_for(ENCRYPTION_KEY="b" * 42 + "8=")
    for said in other.each_fails(("lti-tool", "keys", "list"), ("lti-tool", "migrate")):
        assert said.startswith("ENCRYPTION_KEY is not the one")


# Calendars


def test_a_calendar_is_imported_once(shell: Shell, calendar: Path) -> None:
    first = shell.run("moodle-sync", "series", "import", str(calendar), *NEW_SERIES)
    assert (first.status, first.out) == (0, "14 new, 0 changed, 0 as before.\n")
    assert "unknown hosting university" in first.err, "nobody has added the universities yet"
    again = shell.run("moodle-sync", "series", "import", str(calendar), "--series", "autumn")
    assert again.out == "0 new, 0 changed, 14 as before.\n"
    assert len(shell.json("moodle-sync", "series", "show", "autumn")) == 14
    shown = shell.succeeds("moodle-sync", "series", "show", "autumn").splitlines()
    assert len(shown) == 15
    assert shell.run("moodle-sync", "run", "calendar").out == "autumn: 0 new, 0 changed, 14 as before.\n"


def test_a_preview_shows_everything_and_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    table = tmp_path / "plan.csv"
    rows = ["date,start,end,title,hosting university,room", "2026-12-01,16:00,18:00,Waves,University of Malta,12"]
    rows += ["2026-12-08,16:00,18:00,Energy,,", "2026-12-15,16:00,18:00,Careers,,", "soon,16:00,18:00,Closing,,"]
    table.write_text("\n".join(rows))
    shell.succeeds("lti-tool", "university", "add", "malta", *MALTA)
    at_first = shell.succeeds("moodle-sync", "series", "import", str(table), "--series", "autumn", "--preview")
    assert at_first.splitlines() == [
        "Preview of autumn (Europe/Berlin). Nothing was changed.",
        "3 new:",
        "  Tue 01 Dec 2026 16:00–18:00  Waves · University of Malta",
        "  Tue 08 Dec 2026 16:00–18:00  Energy · no hosting university",
        "  Tue 15 Dec 2026 16:00–18:00  Careers · no hosting university",
        "0 changed",
        "0 unchanged",
        "0 not in the source, kept",
        "2 to look at:",
        "  “column room” (line 1) is a column that we do not know: left out",
        "  “Closing” (line 5) has a date that cannot be read, soon: left out",
    ]
    assert shell.json("moodle-sync", "series", "list") == []

    assert shell.run("moodle-sync", "series", "import", str(table), *NEW_SERIES).status == 0
    before = shell.json("moodle-sync", "series", "show", "autumn")
    table.write_text("\n".join([rows[0], rows[1].replace("2026-12-01,16", "2026-12-02,17"), rows[2]]))
    then = shell.succeeds("moodle-sync", "series", "import", str(table), "--series", "autumn", "--preview")
    assert then.splitlines()[:-1] == [
        "Preview of Autumn series (Europe/Berlin). Nothing was changed.",
        "0 new",
        "2 changed:",
        "  Wed 02 Dec 2026 17:00–18:00  Waves · University of Malta",
        "    time: Tue 01 Dec 2026 16:00–18:00 → Wed 02 Dec 2026 17:00–18:00",
        "  Tue 15 Dec 2026 16:00–18:00  Careers · no hosting university  CANCELLED",
        "    status: planned → cancelled",
        "1 unchanged:",
        "  Tue 08 Dec 2026 16:00–18:00  Energy · no hosting university",
        "0 not in the source, kept",
        "1 to look at:",
    ]
    assert shell.json("moodle-sync", "series", "show", "autumn") == before

    again = shell.run("moodle-sync", "series", "import", str(table), "--series", "autumn")
    assert again.out == "0 new, 2 changed, 1 as before.\n"
    after = shell.json("moodle-sync", "series", "show", "autumn")
    assert {session["session_id"] for session in after} == {session["session_id"] for session in before}


def test_a_preview_of_what_cannot_be_read_says_why(shell: Shell, tmp_path: Path) -> None:
    table = tmp_path / "plan.csv"
    table.write_text("date,start,end,title\nsoon,16:00,18:00,Closing\n")
    shown = shell.succeeds("moodle-sync", "series", "import", str(table), *NEW_SERIES, "--preview")
    assert "No session can be read: the import would be refused." in shown
    assert "“Closing” (line 2) has a date that cannot be read, soon: left out" in shown
    table.write_text("date,title\nsoon,Closing\n")
    said = shell.fails("moodle-sync", "series", "import", str(table), *NEW_SERIES, "--preview")
    assert said.startswith("The table has no column for start. ")


def test_the_help_of_the_import_teaches_the_columns(shell: Shell) -> None:
    help_text = shell.succeeds("moodle-sync", "series", "import", "--help")
    assert "date,start,end,title,hosting university,join link\n" in help_text


def test_a_calendar_that_cannot_be_read_is_one_line_and_makes_no_series(shell: Shell, tmp_path: Path) -> None:
    sources = {
        f"{CALENDARS}/cal_27_web_page.ics": "This is a web page, not a calendar",
        f"{CALENDARS}/cal_27_empty.ics": "The file is empty.",
        f"{tmp_path}/missing.ics": "No such file or directory",
        f"http://127.0.0.1:{free_port()}/series.ics?token=secret": "did not accept the connection",
    }
    all_said = shell.each_fails(*(("moodle-sync", "series", "import", source, *NEW_SERIES) for source in sources))
    for said, sentence in zip(all_said, sources.values(), strict=True):
        assert sentence in said
        assert "secret" not in said
    assert shell.json("moodle-sync", "series", "list") == []


def test_one_broken_calendar_does_not_hold_up_the_others(shell: Shell, calendar: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ics"
    other.write_bytes(calendar.read_bytes())
    for slug, path in (("first", calendar), ("second", other)):
        assert shell.run("moodle-sync", "series", "import", str(path), "--series", slug, "--title", slug).status == 0
    calendar.unlink()
    done = shell.run("moodle-sync", "run", "calendar")
    assert done.status == 1
    assert done.out == "second: 0 new, 0 changed, 14 as before.\n"
    assert done.err.splitlines()[-1].startswith("first: The calendar file")


# Lists, and a university from nothing to its course calendar


def test_every_list_is_an_empty_json_list_at_first(shell: Shell) -> None:
    lists = [
        (program, *path) for program, top in PROGRAMS.items() for path in commands(top) if path and path[-1] == "list"
    ]
    assert len(lists) == 9
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda command: shell.json(*command), lists)) == [[]] * 9


def test_an_empty_list_says_how_to_begin(shell: Shell) -> None:
    assert shell.succeeds("moodle-sync", "series", "list").startswith("No series yet; ")


def test_a_university_is_set_up_by_commands_alone(shell: Shell, calendar: Path, tmp_path: Path) -> None:
    with World(tmp_path, [CAMPUS]) as world:
        world.advance((NOW - world.clock.now()).total_seconds())
        set_up = shell.but_for(CLOCK_FILE=str(world.clock.offset_file))
        registration = world.campus.registration()
        add_malta(set_up, registration.issuer, registration.client_id)
        assert set_up.run("moodle-sync", "series", "import", str(calendar), *NEW_SERIES).status == 0
        hosting = set_up.succeeds("moodle-sync", "series", "host", "autumn", "--university", "malta", "--sub", "8")
        assert hosting == "Named as host of 1 session(s) of University of Malta.\n"
        connect = ("moodle-sync", "connect", "malta", "--url", registration.moodle_base_url, "--series", "autumn")
        course = ("--course", str(registration.course_id))
        connected = set_up.succeeds(*connect, *course, "--token-file", "-", stdin=registration.moodle_token)
        assert "is mirrored into" in connected

        world.sandbox.sites["malta"].journal.clear()
        planned = set_up.succeeds("moodle-sync", "run", "mirror", "--dry-run")
        assert planned.count("  create  ") == 7  # the other six are over, or cancelled
        assert world.sandbox.sites["malta"].journal.entries() == []
        assert world.events() == []
        assert (
            set_up.succeeds("moodle-sync", "run", "mirror", "--university", "malta") == "malta: 7 created (2 calls)\n"
        )
        assert set_up.succeeds("moodle-sync", "run", "mirror") == "malta: nothing to do (0 calls)\n"
        assert len(world.events()) == 7
        assert [row["outcome"] for row in set_up.json("moodle-sync", "runs", "list")] == ["done", "done"]


def add_malta(shell: Shell, issuer: str, client_id: str) -> None:
    assert shell.succeeds("lti-tool", "university", "add", "malta", *MALTA) == "Added University of Malta.\n"
    platform = (
        "--university", "malta", "--issuer", issuer, "--client-id", client_id, "--deployment", "1",
        "--authorization-endpoint", f"{issuer}/auth", "--token-endpoint", f"{issuer}/token",
        "--jwks-uri", f"{issuer}/certs",
    )  # fmt: skip
    assert "/lti/login/malta" in shell.succeeds("lti-tool", "platform", "add", "malta", *platform)
    said = shell.each_fails(
        ("lti-tool", "university", "add", "malta", *MALTA), ("lti-tool", "platform", "add", "malta", *platform)
    )
    assert all(sentence.startswith("There is already a ") for sentence in said)
    assert [row["country"] for row in shell.json("lti-tool", "university", "list")] == ["MT"]
    assert [row["issuer"] for row in shell.json("lti-tool", "platform", "list")] == [issuer]


def test_what_is_not_there_says_where_to_look(shell: Shell) -> None:
    advice = {
        ("moodle-sync", "series", "show", "nothing"): "moodle-sync series list",
        ("moodle-sync", "run", "mirror"): "moodle-sync connect --help",
        ("moodle-sync", "deliveries", "retry", "1"): "moodle-sync deliveries list",
        ("lti-tool", "platform", "show", "nothing"): "lti-tool platform list",
    }
    for said, wanted in zip(shell.each_fails(*advice), advice.values(), strict=True):
        assert f"`{wanted}`" in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"--time-zone": "Europe"}, "is not an IANA time zone"),  # a folder of names
        ({"--time-zone": "../etc/passwd"}, "is not an IANA time zone"),
        ({"--name": "  "}, "--name must be 1 to 255"),
        ({"--country": "ÄÖ"}, "A country has two letters"),
    ],
    ids=str,
)
def test_a_university_that_cannot_be_is_wrong_use(changes: dict[str, str], sentence: str) -> None:
    options = {"--name": "Malta", "--country": "MT", "--time-zone": "Europe/Malta"} | changes
    arguments = ["university", "add", "malta", *(part for option in options.items() for part in option)]
    done = CliRunner().invoke(lti_tool, arguments, standalone_mode=True)
    assert (done.exit_code, "Traceback" in done.output) == (2, False)
    assert sentence in done.output


@pytest.mark.parametrize("option", ["--issuer", "--client-id", "--deployment"])
def test_a_platform_without_a_name_of_its_own_is_wrong_use(option: str) -> None:
    address = "https://lms.example/x"
    options = {"--university": "malta", "--issuer": address, "--client-id": "c", "--deployment": "1", option: " "}
    options |= dict.fromkeys(("--authorization-endpoint", "--token-endpoint", "--jwks-uri"), address)
    arguments = ["platform", "add", "malta", *(part for pair in options.items() for part in pair)]
    done = CliRunner().invoke(lti_tool, arguments)
    assert done.exit_code == 2
    assert f"{option} must be 1 to 255" in done.output


def test_a_port_that_somebody_has_is_said_so(shell: Shell) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        assert "choose another: --port" in shell.fails("lti-tool", "serve", "--port", port)


def test_a_token_file_that_is_no_text_is_one_line(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfe\x00")
    options = ("--url", "https://moodle.example", "--course", "2", "--series", "x", "--token-file", str(path))
    assert "something else than a token" in shell.fails("moodle-sync", "connect", "malta", *options)
