"""The record of who saw, changed and exported what, for the coordinator."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.staff_proof import who, with_staff
from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.audit_lines import AuditLine
from series.permissions import Action, may
from series.staff import Staff
from series.store.audit import Wanted, append_audit, known_actions, list_audit
from series.store.audit_seals import seals_in_short
from series.store.staff import list_staff

blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit")
LINES_ON_PAGE = 50
MAX_NAME_CHARS = 128  # of what the audit can hold as an actor or a thing
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class LineRow:
    line_id: int
    at: str
    actor: str
    action: str
    thing: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """As it was typed. `fault`: a day that is none."""

    action: str
    about: str
    since: str
    until: str
    fault: str = ""

    @property
    def is_anything(self) -> bool:
        return bool(self.action or self.about or self.since or self.until)


@blueprint.get("/")
@with_staff
def show(staff: Staff) -> Response:
    """Whoever looks here stands here, too."""
    if not may(staff, Action.SEE_AUDIT):
        abort(403)
    asked, wanted = _asked()
    tool, now = the_tool(), the_tool().clock.now()
    with tool.database.read() as connection:
        lines = list_audit(connection, wanted, limit=LINES_ON_PAGE + 1, before_id=_before())
        names = {f"staff {one.staff_id}": one.name for one in list_staff(connection)}
        actions = known_actions(connection)
        seals = seals_in_short(connection)
    with tool.database.write() as connection:
        append_audit(
            connection, actor=who(staff), action="see_audit", thing="audit", now=now, lines=len(lines[:LINES_ON_PAGE])
        )
    shown = lines[:LINES_ON_PAGE]
    page = render_template(
        "audit.html",
        staff=staff,
        rows=[_row(line, names) for line in shown],
        asked=asked,
        actions=[(one, one.replace("_", " ")) for one in actions],
        older=shown[-1].line_id if len(lines) > LINES_ON_PAGE else None,
        is_first=_before() is None,
        seals=seals,
        sealed_at=moment(seals.sealed_at, "UTC") if seals.sealed_at else "",
    )
    return make_response(page, 422 if asked.fault else 200)


def _asked() -> tuple[Asked, Wanted]:
    typed = {name: _typed(name) for name in ("action", "about", "since", "until")}
    try:
        since, until = (date.fromisoformat(typed[name]) if typed[name] else None for name in ("since", "until"))
        after = _midnight(until + timedelta(days=1)) if until else None
    except (ValueError, OverflowError):
        fault = gettext("Please type a day such as 2026-11-24.")
        return Asked(**typed, fault=fault), Wanted(action=typed["action"], about=typed["about"])
    wanted = Wanted(
        action=typed["action"],
        about=typed["about"],
        since=_midnight(since) if since else None,
        until=after,
    )
    return Asked(**typed), wanted


def _typed(name: str) -> str:
    return " ".join(request.args.get(name, "").replace("\0", "").split())[:MAX_NAME_CHARS]


def _before() -> int | None:
    found = request.args.get("before", type=int)
    return None if found is None else max(1, min(found, LARGEST_ID))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _row(line: AuditLine, names: dict[str, str]) -> LineRow:
    def named(text: str) -> str:
        return f"{names[text]} ({text})" if text in names else text

    return LineRow(
        line_id=line.line_id,
        at=moment(line.at, "UTC"),
        actor=named(line.actor),
        action=line.action.replace("_", " "),
        thing=named(line.thing),
        detail=", ".join(f"{name}: {value}" for name, value in line.details.items() if value != ""),
    )
