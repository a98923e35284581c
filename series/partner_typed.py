"""A university and an account as a coordinator types them. All that does not do is said at once, field by field."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count

from config.slugs import MAX_SLUG_CHARS, RESERVED_SLUGS
from config.time_zones import is_time_zone
from series.rule_words import ENGLISH, Words
from series.staff import is_email, normal_email

MAX_NAME_CHARS = 255
MAX_PROPOSED_CHARS = 32
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
# https://www.rfc-editor.org/rfc/rfc5646#section-2.1
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?", re.ASCII)
_SAYS_NOTHING = {
    *("university", "universitat", "universiteit", "universitet", "universite", "universita", "universidad"),
    *("universidade", "univerzita", "univerzitet", "universitatea", "universitas"),
    *("of", "the", "de", "des", "di", "da", "do", "du", "la", "le", "der", "die", "van", "in", "for", "and"),
}


@dataclass(frozen=True, kw_only=True)
class TypedUniversity:
    """Cleaned, not checked."""

    name: str
    country: str
    time_zone: str
    language: str


def clean_university(*, name: str, country: str, time_zone: str, language: str) -> TypedUniversity:
    return TypedUniversity(
        name=" ".join(name.split()),
        country=country.strip().upper(),
        time_zone=time_zone.strip(),
        language=language.strip(),
    )


def faults_of_university(typed: TypedUniversity, words: Words = ENGLISH) -> dict[str, str]:
    """By field, a sentence that says what to type instead; empty when all may be taken."""
    faults = {}
    if not is_name(typed.name):
        faults["name"] = words.gettext("Please enter the name, in at most %(n)s characters.", n=MAX_NAME_CHARS)
    if not _COUNTRY.fullmatch(typed.country):
        faults["country"] = words.gettext("Please choose the country.")
    if not is_time_zone(typed.time_zone):
        faults["time_zone"] = words.gettext("Please choose a time zone such as Europe/Malta.")
    if not _LANGUAGE.fullmatch(typed.language):
        faults["language"] = words.gettext("Please enter the letters of the language, such as en or mt.")
    return faults


def fault_of_slug(slug: str, taken: Collection[str], words: Words = ENGLISH) -> str:
    """Empty when it may be taken."""
    if not _SLUG.fullmatch(slug) or len(slug) > MAX_SLUG_CHARS:
        return words.gettext(
            "Please use small letters a to z, digits and hyphens alone, at most %(n)s.", n=MAX_SLUG_CHARS
        )
    if slug in RESERVED_SLUGS:
        return words.gettext("This short name stands in an address of our own. Please take another one.")
    if slug in taken:
        return words.gettext("Another university has this short name already.")
    return ""


def faults_of_person(*, name: str, email: str, words: Words = ENGLISH) -> dict[str, str]:
    faults = {}
    if not is_name(name):
        faults["name"] = words.gettext("Please enter the name, in at most %(n)s characters.", n=MAX_NAME_CHARS)
    if not is_email(normal_email(email)):
        faults["email"] = words.gettext("This is no e-mail address. One looks like name@example.org.")
    return faults


def propose_slug(name: str, taken: Collection[str]) -> str:
    """From what is particular to the name: `vilnius` of “Vilnius University”."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    particular = [word for word in words if word not in _SAYS_NOTHING] or words or ["university"]
    slug = "-".join(particular)[:MAX_PROPOSED_CHARS].strip("-")
    numbered = (f"{slug}-{number}" for number in count(2))
    gone = {*taken, *RESERVED_SLUGS}
    return slug if slug not in gone else next(one for one in numbered if one not in gone)


def is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_NAME_CHARS and text.isprintable()
