"""Serve the pretend universities alone: `python -m sandbox_lms.serve --help`."""

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import click

from config.clock import Clock
from sandbox_lms.campus import SAMPLE_CAMPUSES, Campus
from sandbox_lms.server import PortTaken, Sandbox


@click.command()
@click.option("--data", "data_dir", type=click.Path(path_type=Path), required=True, help="Folder for what is kept.")
@click.option("--tool-url", required=True, help="Where the tool is, such as http://localhost:8000.")
@click.option("--first-port", type=int, help="Use this port and the next ones in place of 8101 and 8102.")
@click.option("--clock-file", type=click.Path(path_type=Path), help="File with an offset of the clock in seconds.")
def main(data_dir: Path, tool_url: str, first_port: int | None, clock_file: Path | None) -> None:
    """Serve the pretend universities of Malta and Vilnius on 127.0.0.1 until Ctrl-C."""
    campuses: tuple[Campus, ...] = SAMPLE_CAMPUSES
    if first_port is not None:
        campuses = tuple(replace(campus, port=port) for port, campus in enumerate(SAMPLE_CAMPUSES, start=first_port))
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with Sandbox(data_dir, campuses, tool_url, Clock(offset_file=clock_file)) as sandbox:
            for campus in sandbox.campuses.values():
                click.echo(f"{campus.name}: {campus.url}/")
            ended.wait()
    except PortTaken as error:
        click.echo(f"{error} Choose others with --first-port.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
