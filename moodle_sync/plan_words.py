"""A held plan in words, for commands and runs."""

from zoneinfo import ZoneInfo

from series.plans import Change, Kind, Reason
from series.sessions import Series, Session
from series.store.held_plans import HeldPlan

REASONS = {
    Reason.MANY_CANCELLED: "it cancels several sessions",
    Reason.MANY_MOVED: "it moves several sessions",
    Reason.SOON: "it cancels or moves a session that starts within two hours",
    Reason.UPLOADED: "it was uploaded as a table, of which a person sees everything first",
    Reason.GUESSED: "entries have gone and others have come, and we can only guess which are the same",
}
_KINDS = {
    Kind.NEW: "new",
    Kind.CANCELLED: "CANCELLED",
    Kind.MOVED: "moved",
    Kind.RESTORED: "takes place after all",
    Kind.CHANGED: "changed",
    Kind.PAIRED: "the same session?",
}
_FIELDS = {
    "title": "title",
    "hosting_university": "hosting university",
    "co_hosts": "co-hosts",
    "speakers": "guest speakers",
    "join_url": "join link",
}


def held_in_words(held: HeldPlan, series: Series) -> str:
    """One sentence for the list of runs."""
    why = "; ".join(REASONS[reason] for reason in held.reasons)
    return f"Held, nothing was changed: {why}. `moodle-sync series show {series.slug} --held` shows it."


def change_in_words(change: Change, zone: str) -> str:
    """One line: when, what, and what was before."""
    line = f"{_when(change.after, zone)}  {change.after.title}  [{_KINDS[change.kind]}]"
    if change.before is None:
        return line
    before, after, was = change.before, change.after, []
    if before.start_at != after.start_at:
        was.append(f"was {_when(before, zone)}")
    elif before.end_at != after.end_at:
        was.append(f"ended at {_when(before, zone, end=True)}")
    for name, word in _FIELDS.items():
        if getattr(before, name) != getattr(after, name):
            was.append(f"{word} was {getattr(before, name) or 'none'}")
    if before.description != after.description:
        was.append("another description")
    if change.kind is Kind.PAIRED and before.is_cancelled and not after.is_cancelled:
        was.append("was cancelled")
    return f"{line}  {'; '.join(was)}" if was else line


def _when(session: Session, zone: str, *, end: bool = False) -> str:
    return f"{(session.end_at if end else session.start_at).astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"
