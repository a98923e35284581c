"""What the commands of lti-tool share."""

from collections.abc import Iterator
from contextlib import contextmanager

from config.command_line import settings_or_exit
from series.store.database import Database
from series.store.schema import open_current


def open_database() -> Database:
    """Raises NotMigrated when the tables are not up to date."""
    return open_current(settings_or_exit().database_url)


@contextmanager
def opened_database() -> Iterator[Database]:
    """The same for one command, with its connections closed at the end."""
    database = open_database()
    try:
        yield database
    finally:
        database.dispose()
