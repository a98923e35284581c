"""Logs as one line of JSON a record on stderr (or plain words on a terminal), without personal data."""

import json
import logging
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, TextIO

import structlog


def quiet_logging() -> None:
    """For commands that a person types: what they print is enough, only errors of ours are shown."""
    configure_logging(level=logging.ERROR)


def configure_logging(*, level: int = logging.INFO, stream: TextIO | None = None, for_good: bool = False) -> None:
    """Send our records and the libraries' through one renderer, to stderr or another stream.

    May be called again, unless it was `for_good`: loggers then keep what they were given at their first record.

    Ours go there directly: the way through the standard library costs a launch as much as its signature.
    """
    out = stream or sys.stderr
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True)
        if out.isatty()
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        logger_factory=structlog.WriteLoggerFactory(file=out),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=for_good,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("huey").setLevel(max(level, logging.WARNING))  # our own records say what ran


def _to_json(record: Any, *, default: Callable[[Any], Any]) -> str:
    """As `json.dumps`, which makes an encoder of its own for each record."""
    return _encoder(default).encode(record)


@cache
def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(default=default)
