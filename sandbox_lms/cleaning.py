"""Text as Moodle cleans it: names without tags, descriptions without what could run or be hidden."""

import re
from html import escape
from html.parser import HTMLParser

_KEPT_TAG = re.compile(
    "a|abbr|b|blockquote|br|caption|code|dd|del|div|dl|dt|em|h[1-6]|hr|i|img|ins|li|ol|p|pre|q|s|small|span|strong|sub"
    "|sup|table|tbody|td|tfoot|th|thead|tr|u|ul"
)
_KEPT_ATTRIBUTE = re.compile("alt|class|colspan|dir|height|href|id|lang|rowspan|scope|src|title|width")
_DROPPED_WITH_CONTENT = frozenset(("script", "style", "iframe", "object", "template", "noscript", "textarea", "select"))
_NEVER_CLOSED = frozenset(("br", "hr", "img"))
_SAFE_ADDRESS = re.compile(r"(https?:|mailto:|/|#|\?|[^:/?#]*([/?#]|$))", re.IGNORECASE)


def strip_tags(text: str) -> str:
    """PHP's strip_tags: a `<` begins a tag unless white space follows it; a tag that never ends takes the rest."""
    return re.sub(r"<(?!\s)[^>]*(>|$)", "", text)


def escaped_name(name: str) -> str:
    """A name as Moodle's format_string gives it: `<`, `>` and `&` escaped, entities that are there already kept."""
    ampersands = re.sub(r"&(?!(#\d+|#x[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);)", "&amp;", name)
    return ampersands.replace("<", "&lt;").replace(">", "&gt;")


def clean_html(text: str) -> str:
    """Scripts, comments, form fields, `data-*`, `style` and `rel` removed; `class`, `id`, `title` and `href` kept."""
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._dropping: str | None = None

    def result(self) -> str:
        """What has been read, with every open tag closed."""
        return "".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping:
            return
        if tag in _DROPPED_WITH_CONTENT:
            self._dropping = tag
        elif _KEPT_TAG.fullmatch(tag):
            kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if _is_kept(name, value))
            self._parts.append(f"<{tag}{kept} />" if tag in _NEVER_CLOSED else f"<{tag}{kept}>")
            if tag not in _NEVER_CLOSED:
                self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._dropping:
            self._dropping = None
        elif not self._dropping and tag in self._open:
            while (last := self._open.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._parts.append(escape(data, quote=False))


def _is_kept(name: str, value: str | None) -> bool:
    if name in {"href", "src"}:
        return bool(_SAFE_ADDRESS.match(re.sub(r"[\x00-\x20]", "", value or "")))
    return bool(_KEPT_ATTRIBUTE.fullmatch(name))
