"""The form of a university's facts, and what may be chosen in it."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from flask import request
from flask_babel import get_locale

from series.partner_typed import TypedUniversity, clean_university

MAX_KEPT_CHARS = 300


def typed_university() -> TypedUniversity:
    fields = ("name", "country", "time_zone", "language")
    return clean_university(**{name: request.form.get(name, "")[:MAX_KEPT_CHARS] for name in fields})


def countries() -> list[tuple[str, str]]:
    """(letters, name) in the language of the page, by name."""
    return _countries(str(get_locale() or "en"))


@cache
def time_zones() -> list[str]:
    """Those of a place; the others are older names for the same, or for no place."""
    return sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
    )


@cache
def _countries(language: str) -> list[tuple[str, str]]:
    names = Locale.parse(language).territories.items()
    real = [(code, name) for code, name in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY]
    return sorted(real, key=lambda pair: pair[1])


_NO_COUNTRY = {"ZZ", "EU", "EZ", "UN", "QO", "XA", "XB"}
