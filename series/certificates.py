"""The certificate that the data of a university were deleted: its text, and the proof that it is from here.

The proof is an HMAC over all that it says, by a key outside the database: a certificate that was made up, or changed
by a word, does not have it.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from series.proofs import prove
from series.rule_words import ENGLISH, Words

_PURPOSE = "deletion certificate"


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What was deleted. `counts`: rows by kind of data. `by`: as in the audit."""

    university_name: str
    country: str
    counts: Mapping[str, int]
    at: datetime
    by: str


@dataclass(frozen=True, kw_only=True)
class Certificate:
    number: int
    deletion: Deletion
    proof: str


def prove_deletion(deletion: Deletion, *, secret_key: bytes) -> str:
    """64 hexadecimal digits."""
    said = [
        deletion.university_name,
        deletion.country,
        sorted(deletion.counts.items()),
        deletion.at.isoformat(timespec="seconds"),
        deletion.by,
    ]
    return prove(json.dumps(said, ensure_ascii=False).encode(), _PURPOSE, secret_key=secret_key).hex()


def is_genuine(certificate: Certificate, *, secret_key: bytes) -> bool:
    """Whether this installation has made it, just so."""
    expected = prove_deletion(certificate.deletion, secret_key=secret_key)
    return hmac.compare_digest(certificate.proof.encode(), expected.encode())


def certificate_text(certificate: Certificate, *, check_at: str, words: Words = ENGLISH) -> str:
    """For a file or a letter. `check_at`: where whoever has it can ask whether it is genuine."""
    _, one = words.gettext, certificate.deletion
    counts = [f"  {kind.replace('_', ' ')}: {rows}" for kind, rows in sorted(one.counts.items()) if rows]
    return "\n".join(
        [
            _("Certificate of deletion no. %(number)s", number=certificate.number),
            "",
            _("University: %(name)s (%(country)s)", name=one.university_name, country=one.country),
            _("Deleted on: %(at)s UTC, by: %(by)s", at=f"{one.at:%Y-%m-%d %H:%M}", by=one.by),
            "",
            _("Deleted rows, by kind of data:"),
            *(counts or ["  " + _("none: nothing was held")]),
            "",
            _(
                "What stays: the university's name and country; the plan of the sessions with the names of hosts and"
                " speakers in it; protected numbers that were published before; lines of the audit log in which its"
                " people can no longer be told; the note of a contract by which its data crossed a border; the bare"
                " numbers of rows; this certificate. Backups made before are"
                " overwritten by the operator within 30 days. What stands in the university's own LMS is its own."
            ),
            "",
            _("Proof: %(proof)s", proof=certificate.proof),
            _("To check it: %(address)s", address=check_at),
            "",
        ]
    )
