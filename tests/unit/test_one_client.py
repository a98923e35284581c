"""Addresses that others supply are called by the guarded client alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("config", "series", "lms", "lti_tool", "moodle_sync")
SPEAK = {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "socket", "urllib.request", "urllib3"}
MAY = {
    "lms/addresses.py": {"socket"},
    "lms/connections.py": {"http.client", "requests", "socket", "urllib3"},
    "lms/guarded.py": {"requests", "urllib3"},
    "lms/paging.py": {"requests"},  # only to read a Link header
    "lti_tool/cli.py": {"socket"},  # only to see whether our own port is free
    "moodle_sync/send_mail.py": {"smtplib"},  # to the operator's own mail server
}


def test_only_the_guarded_client_speaks_to_the_network() -> None:
    speaks = {
        str(path.relative_to(ROOT)): found
        for package in PRODUCT
        for path in (ROOT / package).rglob("*.py")
        if (found := {name for module in _imported(path) for name in SPEAK if f"{module}.".startswith(f"{name}.")})
    }
    assert speaks == MAY


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
