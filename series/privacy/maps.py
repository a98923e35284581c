"""The data map and the transfer register as documents."""

from series.countries import ADEQUATE, LOOKED_UP_ON, SOURCE, Decision
from series.data_map import MapRow, map_rows
from series.documents import Document, Grid, Section
from series.privacy.facts import Facts, Partner


def data_map(facts: Facts) -> Document:
    _ = facts.words.gettext
    by_whom: dict[str, list[MapRow]] = {}
    for row in map_rows(facts.words):
        by_whom.setdefault(row.whose, []).append(row)
    return Document(
        name="data-map",
        title=_("Data map"),
        about=_(
            "Every field that can hold something about a person: what it is for, where it comes from, who sees it, how"
            " long it is kept. Made from the program itself, whose tests refuse a field that is missing here."
        ),
        sections=tuple(_of(whose, rows, facts) for whose, rows in by_whom.items()),
    )


def _of(whose: str, rows: list[MapRow], facts: Facts) -> Section:
    _ = facts.words.gettext
    heads = (_("Field"), _("What it is"), _("Purpose"), _("Source"), _("Who sees it"), _("How long"))
    cells = tuple((one.field, one.category, one.purpose, one.source, one.seen_by, one.kept) for one in rows)
    return Section(
        title=_("About: %(whose)s", whose=whose),
        blocks=(Grid(caption=_("Fields about: %(whose)s", whose=whose), heads=heads, rows=cells),),
    )


def transfers(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="transfers",
        title=_("Transfer register"),
        about=_(
            "Which partners are outside the European Economic Area, and on what ground named data cross the border."
        ),
        sections=(_partners(facts), _rule(facts), _decisions(facts)),
    )


def _partners(facts: Facts) -> Section:
    _ = facts.words.gettext
    if not facts.partners:
        return Section(title=_("Partners"), blocks=(_("No university takes part yet."),))
    rows = tuple((one.name, facts.country(one.country), _ground(one, facts)) for one in facts.partners)
    heads = (_("University"), _("Country"), _("Ground for named data"))
    return Section(
        title=_("Partners"), blocks=(Grid(caption=_("Partner universities and grounds"), heads=heads, rows=rows),)
    )


def _ground(partner: Partner, facts: Facts) -> str:
    _ = facts.words.gettext
    if not partner.needs_instrument(facts.today):
        return _("none needed: European Economic Area, or an adequacy decision")
    if partner.instrument_on is None:
        return _("none recorded: named data stay within the country; others see protected numbers")
    return _("a contract, recorded on %(day)s", day=partner.instrument_on.isoformat())


def _rule(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("The rule"),
        blocks=(
            _(
                "A university keeps full use of its own data, wherever it is. Named data (whatever shows one person,"
                " also by a number or a pseudonym) cross a border only if both sides are in the European Economic Area"
                " or under an adequacy decision, or the coordinator has recorded the instrument, as a rule standard"
                " contractual clauses in both directions. Looking at a screen is a transfer, too."
            ),
            _(
                "Türkiye has no adequacy decision of the European Commission. Transfers out of Türkiye stand under its"
                " own law (KVKK, Article 9), whose standard contract is to be notified to its authority."
            ),
            _(
                "What could cross: the person-level export of completions, with pseudonyms; a transfer code, with which"
                " a person moves their own progress; the number of a host in their LMS, which the coordinators see."
                " Each asks this rule first. Accounts of LMS administrators (name, e-mail address) are made by the"
                " coordinators so that both can work together, and do not wait for an instrument; each university"
                " tells its administrators so. Names of hosts and speakers stand in the plan of the series, which is"
                " public. The log that coordinators read has participants as numbers of this installation, which"
                " nobody but the operator can turn into a person. Nothing else shows a person to another university.",
            ),
            _(
                "The data of all partners are kept where the service is hosted:"
                " %(hosting)s. For a partner outside, that is itself a transfer, to be covered by its instrument.",
                hosting=facts.where_hosted,
            ),
        ),
    )


def _decisions(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("Adequacy decisions known to the program"),
        blocks=(
            _("As of %(day)s, from %(source)s", day=LOOKED_UP_ON.isoformat(), source=SOURCE),
            Grid(
                caption=_("Adequacy decisions"),
                heads=(_("Country"), _("Decision"), _("Covers universities")),
                rows=tuple((facts.country(one.country), one.decided, _covers(one, facts)) for one in ADEQUATE),
            ),
        ),
    )


def _covers(decision: Decision, facts: Facts) -> str:
    _ = facts.words.gettext
    if decision.only_for:
        return _("no, only %(whom)s", whom=decision.only_for)
    return _("yes, until %(day)s", day=decision.until.isoformat()) if decision.until else _("yes")
