"""The facts of this installation for its privacy documents: for the pages and for the command."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from babel import Locale

from config.settings import Settings
from series.privacy.facts import Facts
from series.rule_words import ENGLISH, Words
from series.store.database import Connection
from series.store.privacy_facts import partners_for_documents


def facts_of(
    connection: Connection, settings: Settings, *, now: datetime, words: Words = ENGLISH, language: str = "en"
) -> Facts:
    return Facts(
        public_url=settings.public_url,
        operator=settings.operator,
        contact=settings.privacy_contact,
        hosting=settings.hosting,
        sends_mail=settings.smtp_url is not None,
        partners=partners_for_documents(connection),
        today=now.date(),
        countries=_names(language),
        words=words,
    )


@cache
def _names(language: str) -> Mapping[str, str]:
    return dict(Locale.parse(language).territories.items())
