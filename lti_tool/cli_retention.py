"""lti-tool retention: delete what has had its time, or only say what that is."""

from typing import Any

import click

from config.command_line import json_option, print_rows, settings_or_exit
from lti_tool.cli_common import open_database
from series.retention import RETENTION, Kept
from series.store.audit import OPERATOR
from series.store.retention import DAILY, count_ripe
from series.store.retention_run import delete_what_had_its_time


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only say how much has had its time.")
@json_option
def retention_command(*, dry_run: bool, as_json: bool) -> None:
    """Delete what has had its time. The worker does the same once a day.

    Prints for each class of data how many rows were deleted (or would be), and how long such data are kept. What lives
    for minutes or hours alone, such as sign-ins, the worker deletes every ten minutes; it is not in the list.
    """
    now, database = settings_or_exit().clock().now(), open_database()
    if dry_run:
        with database.read() as connection:
            counts = count_ripe(connection, now=now)
    else:
        counts = delete_what_had_its_time(database, by=OPERATOR, now=now)
    print_rows([_row(kept, counts[kept]) for kept in DAILY], as_json=as_json, empty="")


def _row(kept: Kept, count: int) -> dict[str, Any]:
    return {"class": kept.value, "rows": count, "kept": RETENTION[kept].words}
