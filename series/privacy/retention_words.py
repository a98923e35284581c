"""How long what is kept, for people: from the classes of the daily job, so that both say the same."""

from series.data_map import HOLDINGS
from series.documents import Document, Grid, Section
from series.privacy.facts import Facts
from series.retention import RETENTION, Kept
from series.rule_words import N_, Words

NAMES = {
    Kept.PARTICIPATION: N_("That you take part: your number in the LMS, your course"),
    Kept.COMPLETION: N_("What counts for you, objections, grades sent"),
    Kept.REFLECTION: N_("Reflections that you have handed in"),
    Kept.DRAFT: N_("Drafts"),
    Kept.ROSTER: N_("That you are in a course, if you have never opened the activity"),
    Kept.VISIT: N_("That you have the page open"),
    Kept.ATTENDANCE: N_("Details of a check-in"),
    Kept.AUDIT: N_("Who saw, changed or exported something about you"),
}


def short_retention(words: Words) -> tuple[str, ...]:
    """What concerns those who take part, one sentence each."""
    return tuple(
        words.gettext("%(what)s: %(period)s.", what=words.gettext(name), period=words.gettext(RETENTION[kept].words))
        for kept, name in NAMES.items()
    )


def retention(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="retention",
        title=_("Retention"),
        about=_(
            "How long each class of data is kept. A daily job deletes what is over, and writes down how much it was."
        ),
        sections=(
            Section(
                title=_("Periods"),
                blocks=(
                    Grid(
                        caption=_("Classes of data, and how long they are kept"),
                        heads=(_("Class"), _("How long"), _("Tables")),
                        rows=tuple(_row(kept, facts.words) for kept in RETENTION),
                    ),
                    _(
                        "A grade that is still on its way keeps what it stands on: for a week while it is tried, and"
                        " for at most six months while it waits for its activity to be opened in an LMS that has taken"
                        " the place of another."
                    ),
                    _(
                        "A shorter period holds where a person has themselves erased or a university leaves; then its"
                        " rows go at once; of people, courses, LMSs and accounts the number of the row stays. Backups"
                        " are the operator's: they must be overwritten within 30 days, and after a restore the list of"
                        " the erased is applied anew, before anybody is let in."
                    ),
                ),
            ),
        ),
    )


def _row(kept: Kept, words: Words) -> tuple[str, str, str]:
    tables = sorted({holding.table for holding in HOLDINGS if holding.kept is kept})
    return kept.value.replace("_", " "), words.gettext(RETENTION[kept].words), ", ".join(tables) or "–"
