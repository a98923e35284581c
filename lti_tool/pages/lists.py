"""Long lists on pages of staff: what is searched for, and which page of it is shown."""

from flask import request

PER_PAGE = 50
MOST_PAGES = 10_000
MAX_SEARCH_CHARS = 100


def wanted_search() -> str:
    return request.args.get("q", "").replace("\0", "").strip()[:MAX_SEARCH_CHARS]


def wanted_page() -> int:
    """From 1."""
    return min(max(1, request.args.get("page", 1, type=int)), MOST_PAGES)


def count_pages(total: int) -> int:
    return max(1, -(-total // PER_PAGE))
