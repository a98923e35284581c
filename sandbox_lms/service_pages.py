"""One page of a service's list, and where the next one is."""

from typing import Any
from urllib.parse import urlencode

from flask import request

from sandbox_lms.products.habits import Link


def one_page(items: list[Any], *, own_size: int | None, link: Link) -> tuple[list[Any], dict[str, str]]:
    """The items that `page` and `limit` of the query ask for, with the header that they need. `own_size`: how many
    there are on a page without a limit; None: all. Raises ValueError."""
    page = positive(request.args.get("page", "1"))
    size = positive(request.args["limit"]) if "limit" in request.args else own_size
    if size is None or len(items) <= page * size:
        return items if size is None else items[(page - 1) * size :], {}
    following = urlencode({**request.args.to_dict(), "page": page + 1})
    return items[(page - 1) * size : page * size], {"Link": link(request.url, f"{request.base_url}?{following}")}


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)
