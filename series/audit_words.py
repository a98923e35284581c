"""What is wrong with the audit, in one sentence."""

from collections.abc import Mapping

from series.audit_seals import Finding, Wrong
from series.rule_words import ENGLISH, N_, Words

FINDINGS: Mapping[Wrong, str] = {
    Wrong.CHANGED: N_("Line %(line)s was changed after it was sealed."),
    Wrong.REMOVED: N_("Line %(line)s was removed after it was sealed."),
    Wrong.INSERTED: N_("Line %(line)s was put in among lines that were sealed already."),
    Wrong.SWAPPED: N_("Lines %(line)s and %(other)s have changed places."),
    Wrong.SOMEBODY_ELSE: N_("Line %(line)s names another person than the one with whom it was sealed, or none."),
    Wrong.SEAL_BROKEN: N_(
        "Seal %(seal)s (from line %(line)s) does not hold: it, or the one before it, was changed or removed."
    ),
    Wrong.CUT_OFF: N_("The seal that you have noted down is not there: the end was cut off, and made anew perhaps."),
}


def finding_sentence(finding: Finding, words: Words = ENGLISH) -> str:
    return words.gettext(FINDINGS[finding.wrong], line=finding.line_id, other=finding.other_id, seal=finding.seal_id)
