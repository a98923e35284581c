"""All documents together, and the two that other programs read as well."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from html import escape

from series.data_map import map_rows
from series.documents import Document, as_html, as_markdown, fingerprint
from series.privacy.arrangement import arrangement, essence
from series.privacy.assessment import assessment
from series.privacy.facts import VERSIONS, Facts
from series.privacy.maps import data_map, transfers
from series.privacy.notice import notice
from series.privacy.record import record, record_rows
from series.privacy.retention_words import retention
from series.privacy.security import processors, security

DOCUMENTS: Mapping[str, Callable[[Facts], Document]] = {
    "notice": notice,
    "essence": essence,
    "arrangement": arrangement,
    "assessment": assessment,
    "record": record,
    "data-map": data_map,
    "retention": retention,
    "security": security,
    "processors": processors,
    "transfers": transfers,
}


def bundle_files(facts: Facts) -> dict[str, str]:
    """Contents by file name: each document twice, the machine-readable ones, and an index."""
    documents = [make(facts) for make in DOCUMENTS.values()]
    files = {f"{one.name}.md": _dated(one, facts) for one in documents}
    files |= {f"{one.name}.html": html_page(one, facts) for one in documents}
    return files | data_files(facts) | {"README.md": _index(documents, facts)}


def data_files(facts: Facts) -> dict[str, str]:
    """The record and the data map for programs: JSON, and CSV for a table."""
    tables = {
        "record": [asdict(row) for row in record_rows(facts)],
        "data-map": [asdict(row) for row in map_rows(facts.words)],
    }
    return {
        f"{name}.{ending}": write(rows)
        for name, rows in tables.items()
        for ending, write in (("json", _json), ("csv", _csv))
    }


def version_line(document: Document, facts: Facts) -> str:
    newest = VERSIONS[0]
    return facts.words.gettext(
        "Version %(number)s of %(day)s, fingerprint %(fingerprint)s, made on %(today)s at %(address)s",
        number=newest.number,
        day=newest.of.isoformat(),
        fingerprint=fingerprint(document),
        today=facts.today.isoformat(),
        address=facts.public_url,
    )


def html_page(document: Document, facts: Facts) -> str:
    """A file of its own, that loads nothing."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(document.title)}</title></head>\n'
        f"<body><main><h1>{escape(document.title)}</h1>\n<p>{escape(document.about)}</p>\n"
        f"<p>{escape(version_line(document, facts))}</p>\n{as_html(document)}\n</main></body></html>\n"
    )


def _dated(document: Document, facts: Facts) -> str:
    return f"{as_markdown(document)}\n{version_line(document, facts)}\n"


def _index(documents: list[Document], facts: Facts) -> str:
    said = facts.words.gettext
    lines = [f"- [{one.title}]({one.name}.md): {one.about}" for one in documents]
    changes = [f"- {one.number} ({one.of.isoformat()}): {one.changes}" for one in VERSIONS]
    return "\n".join(
        [f"# {said('For data-protection officers')}", "", *lines, "", f"## {said('Versions')}", "", *changes, ""]
    )


def _json(rows: list[dict[str, str]]) -> str:
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _csv(rows: list[dict[str, str]]) -> str:
    """With a byte order mark, by which Excel knows UTF-8; a cell that would be a formula is made a text."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({name: _no_formula(cell) for name, cell in row.items()} for row in rows)
    return "\N{BYTE ORDER MARK}" + file.getvalue()


def _no_formula(cell: str) -> str:
    """https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
