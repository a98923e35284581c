"""What the data map is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from series.retention import Kept


class Whose(StrEnum):
    TAKES_PART = "takes_part"
    TEACHES = "teaches"
    LAUNCHES = "launches"  # whoever comes from an LMS
    STAFF = "staff"
    ACTED = "acted"  # whoever did or set it: teaches, hosts, or is of the staff
    SPEAKS = "speaks"


class Category(StrEnum):
    NUMBER = "number"  # by which an LMS, or this installation, knows somebody
    CODED = "coded"  # a pseudonym, a hash, a commitment
    NAME = "name"
    CONTACT = "contact"
    ROLE = "role"
    WHERE = "where"  # the university, course, activity or session in which it was
    TIME = "time"
    TAKING_PART = "taking_part"  # what somebody did in a session, and what came of it
    GRADE = "grade"
    WRITING = "writing"  # free text, by or about somebody
    CHOICE = "choice"  # what somebody wants
    ACT = "act"  # who did it
    PROOF = "proof"  # a hash of what proves that it is somebody, or a random number; never the secret itself
    TECHNICAL = "technical"  # about the handling of a row that is about somebody


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Columns of one table that can hold data of one kind of people for one purpose. `columns`: by category, blanks
    between. The texts are English, and translated when they are shown."""

    table: str
    whose: Whose
    purpose: str
    source: str
    seen_by: str
    kept: Kept
    columns: Mapping[Category, str]
