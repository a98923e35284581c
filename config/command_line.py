"""What both programs' command lines share: settings, one-line errors, exit status."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any
from unicodedata import category

import click

from config.settings import Settings, SettingsError, read_settings
from config.slugs import MAX_SLUG_CHARS, RESERVED_SLUGS
from config.time_zones import is_time_zone

FAILED = 1
WRONG_USE = 2
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, formats, surrogates, and separators of lines


class Failure(Exception):
    """What went wrong and what to do next, in one line for stderr."""


def settings_or_exit() -> Settings:
    """The settings, or every problem on stderr and the end."""
    try:
        return read_settings(os.environ)
    except SettingsError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        click.echo("Set these variables, each also as …_FILE; README.md lists them.", err=True)
        sys.exit(WRONG_USE)


def run_program(command: click.Command, known: tuple[type[Exception], ...]) -> None:
    """Run a command line. `known` errors, and Failure, become one line on stderr and status 1."""
    known = (Failure, *known)
    try:
        command(standalone_mode=True)
    except known as error:
        click.echo(" ".join(str(error).split()), err=True)
        sys.exit(FAILED)


def check_slug(slug: str) -> None:
    """Slugs stand in commands and addresses. Raises click.BadParameter."""
    if not slug.isascii() or not slug.replace("-", "").isalnum() or slug != slug.lower() or len(slug) > MAX_SLUG_CHARS:
        raise click.BadParameter(f"{slug!r} must be made of a-z, 0-9 and -, at most {MAX_SLUG_CHARS} of them.")
    if slug in RESERVED_SLUGS:
        raise click.BadParameter(f"{slug!r} stands in an address of our own. Please take another one.")


def check_text(name: str, text: str, *, max_chars: int = 255) -> str:
    """`text` without spaces around it. Raises click.BadParameter when nothing is left, or too much."""
    stripped = text.strip()
    if not 0 < len(stripped) <= max_chars or not stripped.isprintable():
        raise click.BadParameter(f"--{name.replace('_', '-')} must be 1 to {max_chars} printable characters.")
    return stripped


def check_time_zone(name: str) -> str:
    """Raises click.BadParameter for a name that is not IANA's."""
    if not is_time_zone(name):
        raise click.BadParameter(f"{name!r} is not an IANA time zone such as Europe/Malta.")
    return name


def json_option(function: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for other programs.")(function)


def print_rows(rows: list[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    """A list for people, one line each, or JSON; `empty` is a sentence that says how to begin."""
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo(empty)
    else:
        for row in rows:
            click.echo(printable("  ".join("-" if value is None else str(value) for value in row.values())))


def printable(text: str) -> str:
    """For a terminal: titles come from elsewhere, and could move its cursor or turn its text round."""
    return "".join("\N{REPLACEMENT CHARACTER}" if category(sign) in UNPRINTABLE else sign for sign in text)
