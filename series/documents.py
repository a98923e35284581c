"""A document of a few kinds of blocks, so that one text makes the page, the Markdown and the HTML file."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape


@dataclass(frozen=True, kw_only=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table. `rows`: as many cells as `heads`; the first cell of a row names it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_STACKED_AT_MOST = 4  # columns
Block = str | Bullets | Grid  # a text is a paragraph


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Document:
    """`name`: in addresses and of files. `about`: one sentence."""

    name: str
    title: str
    about: str
    sections: tuple[Section, ...]


def fingerprint(document: Document) -> str:
    """Eight signs that change with any word of it: two copies with the same ones say the same."""
    return sha256(as_markdown(document).encode()).hexdigest()[:8]


def as_markdown(document: Document) -> str:
    """CommonMark with tables: https://github.github.com/gfm/#tables-extension-"""
    parts = [f"# {_plain(document.title)}", _plain(document.about)]
    for section in document.sections:
        parts.append(f"## {_plain(section.title)}")
        parts += [_block_as_markdown(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def as_html(document: Document) -> str:
    """The sections alone, for the body of a page. Every text is escaped."""
    return "\n".join(_section_as_html(section) for section in document.sections)


def _block_as_markdown(block: Block) -> str:
    if isinstance(block, str):
        return _plain(block)
    if isinstance(block, Bullets):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    lines = [_row(block.heads), _row("---" for _ in block.heads), *(_row(row) for row in block.rows)]
    return f"{_plain(block.caption)}\n\n" + "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in cells) + " |"


def _plain(text: str) -> str:
    """On one line, and with nothing that Markdown would take for its own: names come from elsewhere."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("<", "&lt;").replace("*", "\\*").replace("`", "\\`")


def _section_as_html(section: Section) -> str:
    blocks = "\n".join(_block_as_html(block) for block in section.blocks)
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>"


def _block_as_html(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    heads = "".join(f'<th scope="col" role="columnheader">{escape(head)}</th>' for head in block.heads)
    rows = "\n".join(_html_row(row, block.heads) for row in block.rows)
    narrow = "board" if len(block.heads) > _STACKED_AT_MOST else "stacked"  # becomes cards earlier, or on a phone
    return (
        f'<table class="table {narrow}" role="table"><caption class="caption-top">{escape(block.caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>\n<tbody role="rowgroup">{rows}</tbody></table>'
    )


def _html_row(row: tuple[str, ...], heads: tuple[str, ...]) -> str:
    first, *others = row
    cells = "".join(
        f'<td role="cell" data-label="{escape(head)}">{escape(cell)}</td>'
        for head, cell in zip(heads[1:], others, strict=True)
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{escape(first)}</th>{cells}</tr>'
