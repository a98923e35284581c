"""lti-tool platform replace: one LMS takes the place of another."""

from collections.abc import Callable

import click

from config.command_line import Failure, settings_or_exit
from lti_tool.cli_common import open_database
from series.store.succession import Replaced, Replacement, preview_replacement, replace_platform
from series.store.universities import require_platform
from series.succession import Moved

Act = Callable[..., Replaced]


@click.command("replace")
@click.argument("old_slug", metavar="OLD")
@click.argument("new_slug", metavar="NEW")
@click.option(
    "--deployment",
    "pairs",
    multiple=True,
    metavar="OLD_ID=NEW_ID",
    help="Where it is not plain which deployment takes over which. May be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would move.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def platform_replace(old_slug: str, new_slug: str, pairs: tuple[str, ...], *, dry_run: bool, yes: bool) -> None:
    """Let the LMS NEW take over people, courses, placements and completions of OLD.

    For a university that has registered again (another client id), or whose LMS has another address (another issuer).
    Register NEW by `lti-tool platform add` before. OLD is disabled.

    With another issuer, people are recognised by their user id. So it must be the same LMS under a new name: elsewhere
    the same user id is another person.
    """
    database, clock = open_database(), settings_or_exit().clock()
    deployments = _read_pairs(pairs)

    def run(act: Act) -> list[str]:
        with database.write() as connection:
            old, new = require_platform(connection, old_slug), require_platform(connection, new_slug)
            wanted = Replacement(old=old, new=new, deployments=deployments)
            return _describe(wanted, act(connection, wanted, now=clock.now()))

    if dry_run or not yes:
        click.echo("\n".join([f"{new_slug} would take over from {old_slug}:", *run(preview_replacement)]))
        if dry_run:
            click.echo("Nothing was changed.")
            return
        if not click.confirm("This cannot be taken back. Go on?"):
            raise Failure("Nothing was changed.")
    click.echo("\n".join([f"{new_slug} has taken over from {old_slug}, which is disabled:", *run(replace_platform)]))
    click.echo("The next launch from each course brings the new addresses of its gradebook and its people.")


def _read_pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    read = {}
    for pair in pairs:
        old_id, equals, new_id = pair.partition("=")
        if not (old_id and equals and new_id) or old_id in read:
            raise click.BadParameter(f"--deployment {pair!r}: each OLD_ID once, as OLD_ID=NEW_ID.")
        read[old_id] = new_id
    return read


def _describe(wanted: Replacement, done: Replaced) -> list[str]:
    lines = [f"  deployment  {old_id!r} becomes {new_id!r}" for old_id, new_id in done.deployments.items()]
    lines += [f"  courses     {_count(done.courses)}", f"  placements  {_count(done.placements)}"]
    if wanted.issuer_changes:
        lines += [
            f"  people      {_count(done.people)}; their issuer becomes {wanted.new.issuer}",
            "              (right only if a user id means the same person in both: the same LMS under a new name)",
        ]
    else:
        lines.append("  people      all stay as they are: the issuer is the same")
    lines.append(
        f"  scores      {done.scores_queued} for gradebooks that are known already,"
        f" {done.scores_waiting} for the next launch of their activity"
    )
    if done.moodle_url is not None:
        lines.append(f"  calendar    still at {done.moodle_url}; `moodle-sync connect` again with the new address")
    return lines


def _count(moved: Moved) -> str:
    return f"{moved.all}, {moved.merged} of them with one that was there already" if moved.merged else str(moved.all)
