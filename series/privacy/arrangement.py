"""A draft of the arrangement between joint controllers, and its essence: https://gdpr-info.eu/art-26-gdpr/"""

from series.documents import Bullets, Document, Grid, Section
from series.privacy.facts import Facts


def essence(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="essence",
        title=_("Essence of the joint-controller arrangement"),
        about=_("What the partner universities have agreed about your data, in short (Article 26 (2) of the GDPR)."),
        sections=(
            Section(
                title=_("What is agreed"),
                blocks=(
                    Bullets(
                        items=(
                            _("The partners decide together why and how the data of the series are processed."),
                            _("Each informs its own students, guests and teachers, and answers their requests."),
                            _("You may nevertheless use your rights towards every one of them."),
                            _("Each sees its own people; of the others it sees numbers, and small ones are hidden."),
                            _("Rows of single people are exported for others under codes alone."),
                            _("The operator works on their instruction (Article 28): %(who)s", who=facts.who_operates),
                            _("A breach is told to every partner that is touched within 24 hours."),
                            _("A partner that leaves takes its data along; here they are deleted, with a certificate."),
                        )
                    ),
                    _("One address for all: %(contact)s", contact=facts.whom_to_ask),
                ),
            ),
        ),
    )


def arrangement(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="arrangement",
        title=_("Joint-controller arrangement (draft)"),
        about=_("A draft for the partners' legal offices. It binds nobody until they have signed it."),
        sections=(_parties(facts), _roles(facts), _duties(facts), _end(facts)),
    )


def _parties(facts: Facts) -> Section:
    _ = facts.words.gettext
    names = tuple(f"{one.name} ({facts.country(one.country)})" for one in facts.partners)
    return Section(
        title=_("1. Parties and subject"),
        blocks=(
            _("The parties hold a series of workshop sessions together, and process the data of those who take part."),
            Bullets(items=names) if names else _("[The partner universities; none is entered here yet.]"),
            _("Operator, and processor of all parties under a contract of its own: %(who)s", who=facts.who_operates),
            _("What is processed: see the data map. For how long: see retention. Both are part of this arrangement."),
        ),
    )


def _roles(facts: Facts) -> Section:
    _ = facts.words.gettext
    own, all_of_them, operator = (
        _("each party, for its own people"),
        _("all parties, decided together"),
        _("the operator"),
    )
    rows = (
        (_("Purposes and means of the series, the rule of what counts"), all_of_them),
        (_("Legal basis towards the own students and staff"), own),
        (_("Notice before first use, also in the own language"), own),
        (_("Answering requests: access, correction, erasure, objection"), own),
        (_("The pages with which people do this themselves"), operator),
        (_("The LMS, its gradebook, and what is sent there"), own),
        (_("The video meeting, and its recording, if there is one"), _("the party that hosts the session")),
        (_("Security of the service, backups, deletion on time"), operator),
        (_("Impact assessment"), all_of_them),
        (_("Notice of a breach to the authority and to the people"), own),
        (_("Instrument for a transfer to a third country"), _("the party outside, with every other party")),
    )
    return Section(
        title=_("2. Who does what"),
        blocks=(Grid(caption=_("Duties and who has them"), heads=(_("Duty"), _("Whose")), rows=rows),),
    )


def _duties(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("3. Rules that all keep"),
        blocks=(
            Bullets(
                items=(
                    _("No party tries to find out who is behind a number of another party, alone or with others."),
                    _("No party shows its own numbers of small groups to others who could subtract them."),
                    _("A request that reaches the wrong party is passed on within three working days."),
                    _("The operator tells all parties of a breach within 24 hours, with the list of whom it touches."),
                    _("Liability follows Article 82 of the GDPR. [Legal offices: internal sharing, if wanted.]"),
                )
            ),
        ),
    )


def _end(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("4. Joining and leaving"),
        blocks=(
            _("A university joins by signing this arrangement. The coordinator enters it, and its LMS is connected."),
            _(
                "A university that leaves is given all its data as a file. Then they are deleted, and the operator"
                " gives a certificate. Numbers published before stay: nobody can be told from them."
            ),
            _("[Signatures, date, term, governing law: to be filled in by the parties.]"),
        ),
    )
