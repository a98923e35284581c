"""What the commands of lti-tool share."""

from config.command_line import settings_or_exit
from series.store.database import Database
from series.store.schema import open_current


def open_database() -> Database:
    """Raises NotMigrated when the tables are not up to date."""
    return open_current(settings_or_exit().database_url)
