"""The product as the demo runs it: its real commands, its real processes, settings of the demo's own."""

import base64
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN_S = 60
STOP_WITHIN_S = 20


class DemoFailure(Exception):
    """Why the demo cannot go on, and what to do, in one line."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One child process with a log file of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises DemoFailure when it has ended by itself."""
        if self.process.poll() is not None:
            last = self.log.read_text(errors="replace").strip().splitlines()[-1:] or ["(no word)"]
            raise DemoFailure(f"The {self.name} has ended: {last[0][:300]} (see {self.log})")

    def stop(self) -> None:
        """SIGTERM, so that the work in hand is finished; SIGKILL for what does not end."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Runs lti-tool and moodle-sync with the demo's settings, in the demo's folder."""

    folder: Path
    environment: dict[str, str]

    def run(self, program: str, *arguments: str, stdin: str = "") -> str:
        """One command to its end; what it printed. Raises DemoFailure with its own words."""
        done = subprocess.run(
            [_command(program), *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoFailure(f"`{program} {' '.join(arguments[:2])}` failed: {done.stderr.strip()[-500:]}")
        return done.stdout

    def start(self, name: str, program: str, *arguments: str) -> Program:
        """A process in a group of its own: Ctrl-C reaches us alone, and we stop it in order."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [_command(program), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        return Program(name=name, process=process, log=log)


def make_environment(folder: Path, public_url: str) -> dict[str, str]:
    """Settings for both programs, with secrets that are made once and kept in the folder. Settings of the person's own
    shell are left out: the demo must not write into a real database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHARED_SESSIONS_")}
    return kept | {
        "SHARED_SESSIONS_PUBLIC_URL": public_url,
        "SHARED_SESSIONS_DATABASE_URL": f"sqlite:///{folder / 'shared-sessions.db'}",
        "SHARED_SESSIONS_SECRET_KEY_FILE": str(_secret(folder / "secret-key")),
        "SHARED_SESSIONS_ENCRYPTION_KEY_FILE": str(_secret(folder / "encryption-key")),
        "SHARED_SESSIONS_CLOCK_FILE": str(folder / "clock"),
        "SHARED_SESSIONS_OPERATOR": "Nobody: this is a demo, and its people are invented",
        "SHARED_SESSIONS_PRIVACY_CONTACT": "privacy@example.org",
        "SHARED_SESSIONS_HOSTING": "the computer on which this demo runs",
        "SHARED_SESSIONS_COUNTRY": "DE",
        "SHARED_SESSIONS_CALENDAR_INTERVAL_S": "5",
        "SHARED_SESSIONS_MIRROR_INTERVAL_S": "30",
        "SHARED_SESSIONS_COLLECT_INTERVAL_S": "10",
        "SHARED_SESSIONS_RECOLLECT_INTERVAL_S": "60",
        "SHARED_SESSIONS_SWEEP_INTERVAL_S": "120",
    }


def wait_until_ready(url: str, program: Program) -> None:
    """Until the address answers with 200. Raises DemoFailure when the program ends, or takes too long."""
    give_up_at = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < give_up_at:
        program.check()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address on loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DemoFailure(f"The {program.name} did not get ready within {READY_WITHIN_S} s (see {program.log})")


def _command(program: str) -> str:
    """The installed command beside this Python."""
    return str(Path(sys.executable).parent / program)


def _secret(path: Path) -> Path:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return path
