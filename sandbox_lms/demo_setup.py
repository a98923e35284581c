"""The demo's first start: what an operator types, typed by us. Each step is skipped when it is done already."""

import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from config.sample_series import SampleUniversity, read_sample_series, shift_sample_series
from sandbox_lms.campus import Campus
from sandbox_lms.demo_programs import Programs

SERIES = "sample"
AT_ONCE = 2  # commands, each of which keeps a core busy
COORDINATOR = "coordinator@example.org"
RULE = {  # of the sessions to come; those that are over keep the one they had: the code, or a person's word
    "ways": [
        [{"kind": "code"}],
        [
            {"kind": "recording", "at_least": 80, "within_days": 14},
            {"kind": "reflection", "at_least": 20, "within_days": 14},
        ],
        [{"kind": "lms"}],
        [{"kind": "approval"}],
    ]
}
TITLE = "European STEM Workshop Series (sample data)"


def write_calendar(calendar: Path, *, today: date) -> None:
    """The coordinator's, with a session in this week, where there is none yet."""
    if not calendar.exists():
        calendar.write_bytes(shift_sample_series(read_sample_series(), this_week=today))


def set_up(programs: Programs, campuses: tuple[Campus, ...], calendar: Path, *, hosting: Collection[str]) -> None:
    """Universities, LMSs, the series and its mirrors. The campuses must be running. The teachers of those in `hosting`
    host the sessions of their university."""
    known = {row["slug"] for row in _rows(programs, "lti-tool", "university", "list")}
    registered = {row["slug"] for row in _rows(programs, "lti-tool", "platform", "list")}

    def join(campus: Campus) -> None:
        if campus.slug not in known:
            add_university(programs, campus)
        if campus.slug not in registered:
            register(programs, campus)

    def connect(campus: Campus) -> None:
        _connect(programs, campus)
        if campus.slug in hosting:
            _host(programs, campus)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(join, campuses))
        _import_series(programs, calendar)  # which names hosting universities that must be known by then
        list(threads.map(connect, campuses))


def _import_series(programs: Programs, calendar: Path) -> None:
    if any(row["slug"] == SERIES for row in _rows(programs, "moodle-sync", "series", "list")):
        return
    programs.run(
        "moodle-sync", "series", "import", str(calendar), "--series", SERIES, "--title", TITLE, "--required", "5"
    )
    programs.run("moodle-sync", "series", "rule", SERIES, "--set", "-", stdin=json.dumps(RULE))


def add_university(programs: Programs, university: SampleUniversity | Campus) -> None:
    programs.run(
        "lti-tool", "university", "add", university.slug,
        "--name", university.name, "--country", university.country,
        "--time-zone", university.time_zone, "--language", university.language,
    )  # fmt: skip


def register(programs: Programs, campus: Campus) -> None:
    """The LMS of a university that the tool knows already. The university's slug is the campus's."""
    registration = campus.registration()
    programs.run(
        "lti-tool", "platform", "add", campus.slug, "--university", campus.slug,
        "--issuer", registration.issuer, "--client-id", registration.client_id,
        "--authorization-endpoint", registration.authorization_endpoint,
        "--token-endpoint", registration.token_endpoint, "--jwks-uri", registration.jwks_uri,
        "--deployment", registration.deployment_id,
    )  # fmt: skip


def _connect(programs: Programs, campus: Campus) -> None:
    """May be repeated."""
    registration = campus.registration()
    if campus.product == "moodle":
        programs.run(
            "moodle-sync", "connect", campus.slug, "--url", registration.moodle_base_url, "--level", "completions",
            "--course", str(registration.course_id), "--series", SERIES, "--token-file", "-",
            stdin=registration.moodle_token,
        )  # fmt: skip


def _host(programs: Programs, campus: Campus) -> None:
    """May be repeated."""
    for person in campus.people:
        if person.role == "teacher":
            programs.run(
                "moodle-sync", "series", "host", SERIES, "--university", campus.slug,
                "--sub", campus.sub(person.user_id),
            )  # fmt: skip


def invite_coordinator(programs: Programs) -> str | None:
    """The link by which the coordinator chooses a password, while there is none."""
    account = next((row for row in _rows(programs, "lti-tool", "admin", "list") if row["email"] == COORDINATOR), None)
    if account is None:
        said = programs.run(
            "lti-tool", "admin", "create", COORDINATOR, "--name", "Maria Rossi", "--role", "coordinator"
        )
    elif account["password"] == "set":
        return None
    else:
        said = programs.run("lti-tool", "admin", "reset", COORDINATOR)  # a link is good for a day
    return next(word for word in said.split() if "/admin/set-up/" in word)


def _rows(programs: Programs, program: str, *command: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(programs.run(program, *command, "--json"))
    return rows
