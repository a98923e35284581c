"""What is held about one person at one university, part by part: the answer to “what do you know about me?”.

Art. 15 GDPR asks for the data themselves, with purpose, source, period and who has seen them.
https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_15
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from series.retention import Kept


class Part(StrEnum):
    """One kind of what is held. The words for it are the page's."""

    ACCOUNT = "account"
    ACTIVITIES = "activities"  # of ours that they have opened, or that hold a place for them
    ROSTER = "roster"
    VISITS = "visits"
    FACTS = "facts"  # what counts for them
    COMPLETIONS = "completions"
    EXCUSES = "excuses"
    REFLECTIONS = "reflections"
    MESSAGES = "messages"  # “this is wrong”, with the answers
    GRADES = "grades"
    MOODLE = "moodle"  # what their Moodle says of activities that count
    CHECK_INS = "check_ins"  # that they have opened as a host
    MORE_TIME = "more_time"
    HOSTING = "hosting"
    HOST_REQUESTS = "host_requests"
    HOST_INVITATIONS = "host_invitations"
    STAFF = "staff"
    TRANSFER_CODES = "transfer_codes"
    LOOKED_AT = "looked_at"  # by others, and what others did
    DONE = "done"  # by themselves


KEPT: Mapping[Part, Kept] = {
    Part.ACCOUNT: Kept.PARTICIPATION,
    Part.ACTIVITIES: Kept.PARTICIPATION,
    Part.ROSTER: Kept.ROSTER,
    Part.VISITS: Kept.VISIT,
    Part.FACTS: Kept.COMPLETION,
    Part.COMPLETIONS: Kept.COMPLETION,
    Part.EXCUSES: Kept.COMPLETION,
    Part.REFLECTIONS: Kept.REFLECTION,
    Part.MESSAGES: Kept.COMPLETION,
    Part.GRADES: Kept.COMPLETION,
    Part.MOODLE: Kept.ACTIVITY,
    Part.CHECK_INS: Kept.ATTENDANCE,
    Part.MORE_TIME: Kept.ATTENDANCE,
    Part.HOSTING: Kept.HOSTING,
    Part.HOST_REQUESTS: Kept.HOSTING,
    Part.HOST_INVITATIONS: Kept.HOSTING,
    Part.STAFF: Kept.STAFF,
    Part.TRANSFER_CODES: Kept.TRANSFER,
    Part.LOOKED_AT: Kept.AUDIT,
    Part.DONE: Kept.AUDIT,
}

Value = str | int | bool | datetime | UUID | None
Row = Mapping[str, Value]


class Role(StrEnum):
    """Who somebody is to the person whose data they are: said in place of a name."""

    SELF = "you"
    TEACHER = "a teacher of your course"
    OTHER_UNIVERSITY = "a host of a session"
    COORDINATOR = "a coordinator of the series"
    LMS_ADMIN = "an administrator of your university's LMS"
    OPERATOR = "the operators of this tool"
    LMS = "your LMS"
    NOBODY = "somebody whose own data have been erased"


@dataclass(frozen=True, kw_only=True)
class OwnData:
    """`parts`: also the empty ones, because that nothing is held is an answer."""

    university: str
    read_at: datetime
    parts: Mapping[Part, tuple[Row, ...]]
