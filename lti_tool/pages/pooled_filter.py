"""Which of the published rows and columns are shown. Nothing is counted for it: what is left out is only left out."""

import re
from dataclasses import dataclass

from flask import request

from lti_tool.pages.pooled_cells import Filter
from lti_tool.pages.pooled_reading import Results
from lti_tool.pages.pooled_table import country_name, heads_of, month_name


@dataclass(frozen=True, kw_only=True)
class Choices:
    """(value, words) of each."""

    countries: list[tuple[str, str]]
    months: list[tuple[str, str]]


def wanted_filter() -> Filter:
    """Of the address; what is not understood is not asked."""
    country, month = request.args.get("country", ""), request.args.get("month", "")
    return Filter(
        country=country if re.fullmatch(r"[A-Z]{2}", country) else "",
        month=month if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month) else "",
        is_without_hidden=request.args.get("rows") == "shown",
    )


def filter_choices(results: Results) -> Choices:
    columns = results.pooled.columns if results.pooled else ()
    ids = {one for column in columns for one in (*column.shown, *(column.group.university_ids if column.group else ()))}
    countries = {results.universities[one].country for one in ids}
    months = sorted({head.month for head in heads_of(results)})
    return Choices(
        countries=sorted(((code, country_name(code)) for code in countries), key=lambda pair: pair[1]),
        months=[(month, month_name(month)) for month in months],
    )
