"""`make demo`: the whole system on this computer, with pretend universities, ended by Ctrl-C."""

import argparse
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from werkzeug.serving import make_server

from config.clock import Clock
from config.sample_series import read_sample_universities
from sandbox_lms.campus import SAMPLE_CAMPUSES, Campus
from sandbox_lms.demo_page import SERIES_ZONE, DemoState, create_demo_page
from sandbox_lms.demo_programs import DemoFailure, Program, Programs, make_environment, wait_until_ready
from sandbox_lms.demo_setup import invite_coordinator, set_up, write_calendar
from sandbox_lms.demo_term import Term
from sandbox_lms.partner_campuses import partner_campuses
from sandbox_lms.products.table import HABITS, Product
from sandbox_lms.server import Sandbox

FIRST_PORT = 8400
PORTS = 15  # the page, the tool, and thirteen universities
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last one: somebody closes the terminal


def main() -> None:
    arguments = _arguments()
    for ending in ENDINGS:
        signal.signal(ending, _end)
    try:
        _run(arguments.data, arguments.port, arguments.products)
    except DemoFailure as failure:
        sys.exit(str(failure))
    except _Ended:
        print(f"\nStopped. Everything is kept in {arguments.data}/ and goes on with the next `make demo`.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo", description=__doc__, epilog="With make: make demo DEMO='--port 9400'"
    )
    parser.add_argument("--data", type=Path, default=Path("demo-data"), help="folder for all that the demo keeps")
    parser.add_argument(
        "--port", type=_port, default=FIRST_PORT, help=f"first of {PORTS} ports in a row (default {FIRST_PORT})"
    )
    parser.add_argument(
        "--products",
        type=_products,
        default=(),
        metavar="PRODUCT,PRODUCT",
        help="which LMS each of the two universities runs, in the order of the page: of "
        + ", ".join(HABITS)
        + " (default moodle,moodle). What is not Moodle is played as its vendor documents it, and has no web services:"
        " launches, rosters and grades work, the calendar of its courses stays empty",
    )
    return parser.parse_args()


def _products(text: str) -> tuple[Product, ...]:
    by_name = {str(product): product for product in HABITS}
    names = [name.strip() for name in text.split(",")]
    if len(names) > len(SAMPLE_CAMPUSES) or not set(names) <= set(by_name):
        raise argparse.ArgumentTypeError(f"must be one or two of {', '.join(HABITS)}, with a comma between them")
    return tuple(by_name[name] for name in names)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65_500:
        raise argparse.ArgumentTypeError("must be a number from 1024 to 65500")
    return int(text)


def _run(data: Path, port: int, products: tuple[Product, ...]) -> None:
    """Start one after the other; whatever was started is stopped in the opposite order, however this ends."""
    today = Clock().now().astimezone(SERIES_ZONE).date()
    year, week, _ = today.isocalendar()
    # Each week a fresh series with a session this week; other ports and LMSs are other universities, with other
    # addresses.
    name = (
        f"{year}-W{week:02d}" + ("" if port == FIRST_PORT else f"-port-{port}") + "".join(f"-{one}" for one in products)
    )
    folder = (data / name).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoFailure(f"The folder {folder} cannot be made: {error.strerror}. Choose another: --data.") from error
    tool_url = f"http://localhost:{port + 1}"
    campuses = _campuses(port, products)
    shown = campuses[: len(SAMPLE_CAMPUSES)]
    state = DemoState(
        campuses=shown,
        others=campuses[len(shown) :],
        tool_url=tool_url,
        calendar=folder / "series.ics",
        clock_file=folder / "clock",
    )
    programs = Programs(folder=folder, environment=make_environment(folder, tool_url))
    _check_ports(port, 2 + len(campuses))
    write_calendar(state.calendar, today=today)
    with ExitStack() as stack:
        sandbox = Sandbox(folder / "sandbox", campuses, tool_url, state.clock)
        term = Term(programs=programs, state=state, sites=sandbox.sites, progress=folder / "weeks-lived")
        if not term.has_begun():
            term.go_to_its_beginning()
        _say("Preparing the database …")
        programs.run("lti-tool", "migrate")
        _say("Opening thirteen pretend universities …")
        sandbox.start()
        stack.callback(sandbox.stop)
        if not term.is_over():
            _say("Reading the sample series, connecting the universities …")
            set_up(programs, campuses, state.calendar, hosting={campus.slug for campus in shown})
        _say("Starting the tool …")
        tool = programs.start("tool", "lti-tool", "serve", "--port", str(port + 1))
        stack.callback(tool.stop)
        wait_until_ready(f"http://127.0.0.1:{port + 1}/readyz", tool)
        if not term.is_over():
            term.live(_say)
        state = replace(state, coordinator_link=invite_coordinator(programs))
        _say("Starting the worker …")
        worker = programs.start("worker", "moodle-sync", "worker")
        stack.callback(worker.stop)
        stack.enter_context(_serve_page(state, port))
        _say(f"\n  Open  http://127.0.0.1:{port}/\n\nCtrl-C stops the demo. Logs: {data}/{folder.name}/*.log")
        _watch(tool, worker)


def _campuses(port: int, products: tuple[Product, ...]) -> tuple[Campus, ...]:
    """The two of the page first."""
    running = zip(SAMPLE_CAMPUSES, (*products, "moodle", "moodle"), strict=False)
    shown = tuple(replace(campus, port=port + 2 + n, product=product) for n, (campus, product) in enumerate(running))
    known = [campus.slug for campus in shown]
    first_port = port + 2 + len(shown)
    return shown + partner_campuses(read_sample_universities(), known=known, first_port=first_port)


def _check_ports(first: int, count: int) -> None:
    for port in range(first, first + count):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise DemoFailure(
                    f"Port {port} cannot be had ({error.strerror}). If another program has it, stop that, or choose"
                    f" other ports: make demo DEMO='--port {first + 1000 if first < 60_000 else 9400}'"
                ) from error


@contextmanager
def _serve_page(state: DemoState, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, create_demo_page(state), threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="demo page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _watch(*programs: Program) -> None:
    while True:
        for program in programs:
            program.check()
        time.sleep(0.5)


class _Ended(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal."""


def _end(_signal: int, _frame: FrameType | None) -> None:
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)  # once is enough: what was started is being stopped in order
    raise _Ended


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    main()
