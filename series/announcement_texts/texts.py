"""The words of one language. Dates and names stand after a label, never inside a sentence, so that no case is wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Texts:
    """`locale`: how dates are written. Subjects and sentences take `{title}`, which stays English."""

    locale: str
    moved_subject: str
    moved: str
    cancelled_subject: str
    cancelled: str
    restored_subject: str
    restored: str
    corrects: str  # an earlier announcement
    before: str  # label of the old time
    now: str  # label of a new time
    time: str  # label of a time that is as it was
    off: str  # label of the time at which nothing takes place
    or_before: str  # joins two times at which nothing takes place
    host: str  # label of the hosting university
    link: str  # what the session's page is called
