"""A WSGI server in processes of its own on loopback, and the CPU time that they use."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.waiting import until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROC = Path("/proc")
CAN_COUNT_CPU = sys.platform == "linux"
CAN_PIN = hasattr(os, "sched_setaffinity")


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def cpu_s(self) -> float:
        """CPU seconds used so far by all threads of all its processes: utime and stime of proc(5).
        https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
        ticks = 0
        for stat in PROC.glob("[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):  # somebody else's, which has just ended
                fields = stat.read_text().rpartition(")")[2].split()  # from field 3 on; a name may hold blanks
                if int(fields[5 - 3]) == self.process.pid:
                    ticks += int(fields[14 - 3]) + int(fields[15 - 3])
        return ticks / os.sysconf("SC_CLK_TCK")


def granian(app: str, *, port: int) -> list[str]:
    """One worker with one thread for Python. A function `make_app` is called for its app."""
    options = "--interface wsgi --workers 1 --blocking-threads 1 --backpressure 64 --log-level warning"
    factory = ["--factory"] if app.endswith(":make_app") else []
    return [sys.executable, "-m", "granian", *options.split(), *factory, "--port", str(port), app]


@contextmanager
def serve(command: list[str], environment: Mapping[str, str], *, port: int, log: Path) -> Iterator[Server]:
    """Run `command` until the end of the block, on the last core where the system can pin."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHARED_SESSIONS_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=inherited | dict(environment), stdout=output, stderr=output, start_new_session=True
        )
    try:
        if CAN_PIN:
            os.sched_setaffinity(process.pid, {_servers_core()})
        until(lambda: _listens(process, port, log), f"{command} listens", within_s=30)
        yield Server(port=port, process=process, log=log)
    finally:
        _end(process)


@contextmanager
def beside_the_servers() -> Iterator[None]:
    """Keep this process off the servers' core, where there is another one and the system can pin."""
    if not CAN_PIN:
        yield
        return
    core, before = _servers_core(), os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {core} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@cache
def _servers_core() -> int:
    """The last of the cores that this process had at first."""
    return max(os.sched_getaffinity(0))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"The server has ended:\n{log.read_text()}")
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
