"""The summary of the security measures (Article 32), and who processes where (Article 28)."""

from series.documents import Bullets, Document, Grid, Section
from series.privacy.facts import Facts


def security(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="security",
        title=_("Security summary"),
        about=_(
            "Technical and organisational measures (Article 32 of the GDPR). SECURITY.md of the program says more."
        ),
        sections=(_measures(facts), _keys(facts), _limits(facts)),
    )


def _measures(facts: Facts) -> Section:
    _ = facts.words.gettext
    rows = (
        (
            _("Data minimisation"),
            _("No names or addresses of those who take part; names are shown from the LMS, not kept."),
        ),
        (
            _("Pseudonyms"),
            _(
                "In exports for others a person is a code, made with a key of the own university; keys are renewable."
                " What a university or a person gets of its own has the number of the LMS."
            ),
        ),
        (_("In transit"), _("https everywhere; the program refuses another public address.")),
        (
            _("At rest"),
            _(
                "Keys and tokens are sealed; of cookies, and of links that sign in, only hashes. Files with people's"
                " data, and the database of a new installation, are for the account alone that runs the program."
            ),
        ),
        (_("Who may what"), _("One function decides; a test tries every address as every kind of person.")),
        (_("Small groups"), _("Numbers of others are protected by one module, which is tested by an attack.")),
        (_("Trail"), _("Looks, changes and exports are only ever appended, sealed in a chain, and can be verified.")),
        (_("Deletion"), _("A daily job by class, with counts of what it deleted.")),
        (
            _("Logs"),
            _("Codes, references and numbers of our rows; no name, number of an LMS, token or address. Tests read it."),
        ),
        (
            _("Nothing foreign"),
            _("No scripts, fonts, images or trackers from elsewhere; the policy of the pages forbids them."),
        ),
        (_("Breach"), _("One command lists who is touched, by university, and the coordinators, within minutes.")),
        (_("Tests"), _("Made-up people only; no real data are needed or used.")),
    )
    return Section(
        title=_("Measures"),
        blocks=(Grid(caption=_("Measures, by what they protect"), heads=(_("What"), _("How")), rows=rows),),
    )


def _keys(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("Keys"),
        blocks=(
            _(
                "Two keys, for proofs and for encryption, are settings of the operator and never in the database: with"
                " a copy of the database alone no token and no password works, and no pseudonym can be traced back."
            ),
            _(
                "What a copy does show: the address of each person's LMS and their number in it stand there in clear,"
                " beside what counts for them and what they wrote, for as long as the retention says; names and"
                " addresses of staff, and where sessions meet. The number is needed as the LMS writes it: it takes a"
                " grade under this number alone, and lists its courses by it. Without the LMS the number tells nobody's"
                " name; whoever may look people up there can tell. Where data leave, a pseudonym stands in their"
                " place. The disk and the backups are encrypted by the operator, which this program cannot do."
            ),
        ),
    )


def _limits(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("What remains with others"),
        blocks=(
            Bullets(
                items=(
                    _("The operator: encrypted disks and backups, updates, shells, logs of the proxy (7 days)."),
                    _("Each university: its LMS, its gradebook, the accounts of its people."),
                    _("The hosting university of a session: the video meeting."),
                )
            ),
            _("Operator: %(who)s", who=facts.who_operates),
        ),
    )


def processors(facts: Facts) -> Document:
    _ = facts.words.gettext
    mail = (
        _("the operator's mail server: addresses of staff, and what waits for them") if facts.sends_mail else _("none")
    )
    rows = (
        (_("Operator"), facts.who_operates),
        (_("Hosting, and where"), facts.where_hosted),
        (_("Mail"), mail),
        (_("Analytics, fonts, captcha, content networks, artificial intelligence"), _("none")),
    )
    return Document(
        name="processors",
        title=_("Processors and hosting"),
        about=_("Who handles data for the universities (Article 28 of the GDPR), and where."),
        sections=(
            Section(
                title=_("Processors"),
                blocks=(
                    Grid(caption=_("Who handles what"), heads=(_("For"), _("Who and where")), rows=rows),
                    _(
                        "Hosting must be within the European Economic Area. The program itself calls nobody but the"
                        " partners' own LMSs, the calendar of the series and the mail server."
                    ),
                ),
            ),
        ),
    )
