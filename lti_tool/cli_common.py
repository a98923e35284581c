"""What the commands of lti-tool share."""

from config.command_line import Failure, settings_or_exit
from series.store.database import Database
from series.store.migrate import is_current


def open_database() -> Database:
    """Raises Failure when the tables are not up to date."""
    database = Database(settings_or_exit().database_url)
    if not is_current(database):
        raise Failure("The database is not up to date. Run `lti-tool migrate` first.")
    return database
