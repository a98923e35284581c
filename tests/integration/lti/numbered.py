"""One numbered launch of the reference: what is sent, and what the two tools must make of it."""

from dataclasses import dataclass

from tests.integration.lti.sending import Sent
from tests.integration.lti.sides import REFUSED

NAMES = ("name", "given_name", "family_name")
SUB_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
HOSTILE = "<script>alert(1)</script>\"'&"


@dataclass(frozen=True, kw_only=True)
class NumberedLaunch:
    """`ours` is "accepted …" or the code of the refusal; `theirs` is "accepted …", "refused" or "broke"."""

    number: int
    name: str
    sent: Sent
    ours: str
    theirs: str

    @property
    def differs(self) -> bool:
        """A code of ours and a plain refusal of theirs are the same verdict."""
        both_refuse = self.theirs == REFUSED and not self.ours.startswith("accepted")
        return self.ours != self.theirs and not both_refuse


def case(number: int, ours: str, theirs: str, /, **variants: Sent) -> list[NumberedLaunch]:
    """The variants of a case on which the verdicts are the same."""
    return [
        NumberedLaunch(number=number, name=f"lti_{number:03}_{name}", sent=sent, ours=ours, theirs=theirs)
        for name, sent in variants.items()
    ]
