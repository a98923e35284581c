"""The record of processing activities, one for each purpose: https://gdpr-info.eu/art-30-gdpr/"""

from dataclasses import dataclass

from series.data_map import CATEGORIES, HOLDINGS, WHOSE
from series.data_map_kinds import Holding
from series.documents import Document, Grid, Section
from series.privacy.facts import Facts
from series.retention import RETENTION
from series.rule_words import N_


@dataclass(frozen=True, kw_only=True)
class Activity:
    """`tables`: those of the data map that belong to it; whose data, which and how long is read from there."""

    name: str
    basis: str
    recipients: str
    tables: tuple[str, ...]


_TASK = N_("Article 6 (1) (e) of the GDPR, task in the public interest; or (b), as each university has decided")
_DUTY = N_("Article 6 (1) (c) with Articles 5 (2), 15 to 21 and 32 of the GDPR")
ACTIVITIES = (
    Activity(
        name=N_("Let people in from their LMS, and know them again"),
        basis=_TASK,
        recipients=N_("the operator"),
        tables=("participant", "membership", "visit", "rate_limit", "spent_nonce"),
    ),
    Activity(
        name=N_("Record who took part, and work out what counts"),
        basis=_TASK,
        recipients=N_("the person; the teachers of the own course; the operator"),
        tables=(
            "evidence", "completion", "excuse", "reflection", "check_in", "more_time", "activity_state",
            "course_collect", "course_count", "mapped_activity", "rule_version",
        ),
    ),
    Activity(
        name=N_("Show instructors their own course"),
        basis=_TASK,
        recipients=N_("the teachers of the own course; the operator"),
        tables=("roster_member", "course_roster", "announcement", "round_answer"),
    ),
    Activity(
        name=N_("Send grades to the university's own gradebook"),
        basis=_TASK,
        recipients=N_("the university's own LMS; the person; the teachers of the own course"),
        tables=("delivery",),
    ),
    Activity(
        name=N_("Plan the series, name hosts and speakers"),
        basis=_TASK,
        recipients=N_("the public, for names of hosts and speakers; the coordinators"),
        tables=(
            "session", "session_host", "host_request", "host_invitation", "join_link_change", "uploaded_table",
            "held_plan",
        ),
    ),
    Activity(
        name=N_("Publish protected numbers of the whole series"),
        basis=_TASK,
        recipients=N_("the teachers of all partners; the coordinators; the funder: numbers, and small ones are hidden"),
        tables=("completion", "course_audience"),
    ),
    Activity(
        name=N_("Accounts of coordinators and LMS administrators"),
        basis=_TASK,
        recipients=N_("the coordinators; the operator; the mail server, where mail is set up"),
        tables=(
            "staff", "staff_session", "staff_link", "staff_notice", "staff_binding", "lms_invitation",
            "moodle_connection", "moodle_account", "platform_check",
        ),
    ),
    Activity(
        name=N_("Grant rights, and prove what was done"),
        basis=_DUTY,
        recipients=N_("the person; the coordinators; a supervisory authority that asks"),
        tables=(
            "audit", "audit_salt", "objection", "erased_person", "transfer_code", "transfer_instrument",
            "deletion_certificate",
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RecordRow:
    """One activity as Article 30 (1) wants it, in words. The order is that of its letters."""

    activity: str
    controllers: str
    contact: str
    purposes: str
    people: str
    data: str
    recipients: str
    third_countries: str
    deletion: str
    security: str
    basis: str


def record_rows(facts: Facts) -> list[RecordRow]:
    return [_row(one, facts) for one in ACTIVITIES]


def record(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="record",
        title=_("Record of processing activities"),
        about=_("Article 30 of the GDPR: one activity for each purpose. Also as JSON and CSV, for your own register."),
        sections=tuple(_section(row, facts) for row in record_rows(facts)),
    )


def _section(row: RecordRow, facts: Facts) -> Section:
    _ = facts.words.gettext
    rows = (
        (_("Controllers, jointly"), row.controllers),
        (_("Contact"), row.contact),
        (_("Purposes"), row.purposes),
        (_("People"), row.people),
        (_("Data"), row.data),
        (_("Recipients"), row.recipients),
        (_("Third countries"), row.third_countries),
        (_("Deletion"), row.deletion),
        (_("Security"), row.security),
        (_("Legal basis"), row.basis),
    )
    return Section(title=row.activity, blocks=(Grid(caption=row.activity, heads=(_("What"), _("Entry")), rows=rows),))


def _row(activity: Activity, facts: Facts) -> RecordRow:
    _ = facts.words.gettext
    held = [one for one in HOLDINGS if one.table in activity.tables]
    outside = [facts.country(one.country) for one in facts.partners if one.needs_instrument(facts.today)]
    return RecordRow(
        activity=_(activity.name),
        controllers=", ".join(one.name for one in facts.partners) or _("[no university takes part yet]"),
        contact=facts.whom_to_ask,
        purposes="; ".join(dict.fromkeys(_(one.purpose) for one in held)),
        people=_people(held, facts),
        data=_data(held, facts),
        recipients=_(activity.recipients),
        third_countries=", ".join(sorted(set(outside))) + _(": see the transfer register") if outside else _("none"),
        deletion="; ".join(dict.fromkeys(_(RETENTION[one.kept].words) for one in held)),
        security=_("see the security summary"),
        basis=_(activity.basis),
    )


def _people(held: list[Holding], facts: Facts) -> str:
    return "; ".join(dict.fromkeys(facts.words.gettext(WHOSE[one.whose]) for one in held))


def _data(held: list[Holding], facts: Facts) -> str:
    return "; ".join(dict.fromkeys(facts.words.gettext(CATEGORIES[each]) for one in held for each in one.columns))
