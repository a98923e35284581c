"""A draft of the data-protection impact assessment: https://gdpr-info.eu/art-35-gdpr/ (7)"""

from series.documents import Bullets, Document, Grid, Section
from series.privacy.facts import Facts


def assessment(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="assessment",
        title=_("Data-protection impact assessment (draft)"),
        about=_("Article 35 (7) of the GDPR. A draft: each data-protection officer judges it for the own university."),
        sections=(_why(facts), _description(facts), _need(facts), _risks(facts), _opinion(facts)),
    )


def _why(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("1. Why one is made"),
        blocks=(
            Bullets(
                items=(
                    _("People in a weaker position: students, whose teachers see what counts."),
                    _("Several sources are put together: check-ins, reflections, activities of the LMS."),
                    _("Several controllers in several countries, at least one of them possibly outside the EEA."),
                    _("What counts can become a grade at the own university."),
                )
            ),
        ),
    )


def _description(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("2. What is processed"),
        blocks=(
            _(
                "Students open a session from their own LMS, check in, and write reflections. From this, a rule that"
                " all can read works out what counts. The grade goes to the own LMS. Others see protected numbers."
            ),
            _("Fields, sources, readers: the data map. Purposes: the record. Periods: retention. Where: processors."),
            _("Partners: %(n)s. Operator: %(who)s", n=len(facts.partners), who=facts.who_operates),
        ),
    )


def _need(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("3. Necessity and proportion"),
        blocks=(
            Bullets(
                items=(
                    _("No name is needed to count, so none is kept of it; the number of the LMS is enough."),
                    _(
                        "That number and the address of the LMS are stored in clear: grades (AGS) and lists of a course"
                        " (NRPS) use no other name, and a launch must find the person by it. Encrypted column by"
                        " column, it would be decrypted at every launch and grade by the same program, with a key on"
                        " the same machine, and could not be searched; that would protect from little more than an"
                        " encrypted disk does. In exports a pseudonym stands in its place, by a key of each university."
                    ),
                    _("Others need no persons to learn how the series goes, so they get numbers."),
                    _("No camera, chat, device, place or attention: none of them says that somebody has learned."),
                    _("Default settings are the most private: nothing is announced, small groups are hidden."),
                    _("Rights are exercised by the people themselves, on one page, in a minute."),
                )
            ),
        ),
    )


def _risks(facts: Facts) -> Section:
    _ = facts.words.gettext
    low, medium = _("low"), _("medium")
    rows = (
        (
            _("A single student of another university is told from the numbers"),
            _("Suppression with the viewer's own numbers taken as known, in steps of a week, tested by an attack"),
            low,
        ),
        (
            _("Partners who put their knowledge together narrow a hidden number"),
            _("Forbidden by the arrangement; what they could learn is written down; rises with small series"),
            medium,
        ),
        (
            _("A copy of the database gets into wrong hands"),
            _(
                "No names of those who take part, but their numbers in the LMS in clear, and what they wrote: whoever"
                " may also look people up in the LMS of that university can tell who it is; names of staff and"
                " speakers. Keys outside; tokens sealed; disk and backups encrypted by the operator; the list of"
                " people touched within minutes"
            ),
            _("low if disk and backups are encrypted, else medium"),
        ),
        (
            _("A teacher looks without need"),
            _("Only the own course; each look is in the trail, and the student sees that there was one"),
            low,
        ),
        (
            _("Somebody gets no credit, or too much, by a mistake"),
            _("Evidence is shown with its source; objection with a deadline; a person can always overrule"),
            low,
        ),
        (
            _("Data reach a country with less protection"),
            _("Blocked for named data until an instrument is recorded; the register shows it"),
            low,
        ),
        (
            _("Data are kept too long"),
            _("A daily job by class, whose counts are kept; backups overwritten by the operator"),
            low,
        ),
        (
            _("The operator misuses the keys"),
            _("Contract under Article 28; a sealed trail; few people with a shell"),
            medium,
        ),
    )
    return Section(
        title=_("4. Risks, measures, and what remains"),
        blocks=(
            Grid(
                caption=_("Risks to students, guests and teachers"),
                heads=(_("Risk"), _("Measures"), _("Remaining (proposal)")),
                rows=rows,
            ),
        ),
    )


def _opinion(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("5. Opinions and decision"),
        blocks=(
            _("[Data-protection officer of the university: opinion and date.]"),
            _("[Views of students or their representatives, Article 35 (9).]"),
            _("[Decision, and when it is looked at again; at the latest with the next version of these documents.]"),
        ),
    )
