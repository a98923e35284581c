"""What the documents say of this installation, and not of the software; and their version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from series.countries import Home, is_inside
from series.rule_words import ENGLISH, Words


@dataclass(frozen=True, kw_only=True)
class Version:
    """Of all documents together. A change of a promise is a new version; `changes`: in one sentence."""

    number: str
    of: date
    changes: str


VERSIONS = (  # the newest first
    Version(
        number="1.1",
        of=date(2026, 11, 27),
        changes="Numbers of others become smaller in steps only. Says more exactly what coordinators see, where data"
        " come from, which cookies there are, what a copy of the database shows, and what stays.",
    ),
    Version(number="1.0", of=date(2026, 11, 27), changes="First version."),
)


@dataclass(frozen=True, kw_only=True)
class Partner:
    """`instrument_on`: when the coordinator recorded the contract that lets named data cross; None: none."""

    name: str
    country: str
    instrument_on: date | None = None

    @property
    def home(self) -> Home:
        return Home(country=self.country, has_instrument=self.instrument_on is not None)

    def needs_instrument(self, today: date) -> bool:
        return not is_inside(self.country, today)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Empty texts: the operator has not said it. `countries`: names by letters, in the language of the document."""

    public_url: str
    operator: str
    contact: str
    hosting: str
    sends_mail: bool
    partners: tuple[Partner, ...]
    today: date
    countries: Mapping[str, str]
    words: Words = ENGLISH

    def country(self, letters: str) -> str:
        return self.countries.get(letters, letters)

    def said(self, text: str, setting: str) -> str:
        """`text`, or plainly that it is missing, and how it is set."""
        if text:
            return text
        return self.words.gettext(
            "[The operator has not filled this in: the setting SHARED_SESSIONS_%(setting)s]", setting=setting
        )

    @property
    def who_operates(self) -> str:
        return self.said(self.operator, "OPERATOR")

    @property
    def whom_to_ask(self) -> str:
        return self.said(self.contact, "PRIVACY_CONTACT")

    @property
    def where_hosted(self) -> str:
        return self.said(self.hosting, "HOSTING")
