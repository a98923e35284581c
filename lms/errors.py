"""What can go wrong between us and an LMS.

`str()` of each is one sentence that a person can read. They carry values, never tokens, URLs with queries or bodies.

    LmsError
    ├── Unreachable          nobody answered, or the answer broke off           later
    ├── TryLater             the LMS says "not now", and perhaps when           later
    ├── MalformedAnswer      the answer is not what the specification says      later
    ├── ScoreConflict        the gradebook holds a score at least as new        later, after a look at the result
    ├── NotAllowed           our key, token or account lacks a right            later, when somebody has mended it
    ├── NotGranted           no launch has given us the scope; nothing was sent later, when a launch has
    ├── AddressRefused       our own guard does not call this address           never
    ├── UnfitUserId          this LMS cannot have anybody with this user id     never
    └── Refused              the LMS understood and says no                     never
        └── NotFound         what we named is not there (any more)              never
"""

import re
from typing import ClassVar

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


class LmsError(Exception):
    """Something that an LMS did or did not do. `permanent`: repeating the same call cannot help. `of_platform`: every
    other call to the same platform would fail now as this one did."""

    permanent: ClassVar[bool] = False
    of_platform: bool = False
    retry_after_s: int | None = None

    @property
    def when_given_up(self) -> str:
        """The sentence once we do not try again by ourselves."""
        return str(self)


class Unreachable(LmsError):
    """No whole answer came from `host`. Whether it acted on the call is unknown."""

    of_platform = True

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host} {reason}.")
        self.host = host
        self.reason = reason


class TryLater(LmsError):
    """The LMS is busy, down for maintenance or limits our rate. `retry_after_s`: when it said to come back."""

    def __init__(self, host: str, *, status: int, retry_after_s: int | None = None, reason: str = "") -> None:
        because = f", {reason}" if reason else ""
        super().__init__(f"{host} cannot answer at the moment (HTTP status {status}{because}); we try again later.")
        self.host = host
        self.status = status
        self.retry_after_s = retry_after_s
        self.reason = reason
        self.of_platform = status != 500  # which an LMS also says when it stumbles over one person

    @property
    def when_given_up(self) -> str:
        return (
            f"{self.host} did not take this, however often we tried (HTTP status {self.status}); we do not try again by"
            " ourselves. Please tell its administrator, and send it again when that is mended."
        )


class MalformedAnswer(LmsError):
    """Something else than the specification says: a log-in page, a redirect, too many bytes. `problem` ends a sentence
    that begins with the host."""

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(f"{host} {problem}.")
        self.host = host
        self.problem = problem


class ScoreConflict(LmsError):
    """Status 409 to a score: the gradebook holds one that is as new or newer. On a repetition this means "done"."""

    def __init__(self) -> None:
        super().__init__("The gradebook already holds a score that is as new as this one, or newer.")


class NotAllowed(LmsError):
    """Our key, token or account lacks a right. Not permanent: once somebody at the university has mended it, what waits
    goes through by itself; until then the sentence says what to do. `reason` as in Refused."""

    def __init__(self, sentence: str, *, status: int, reason: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = safe_code(reason)


class NotGranted(LmsError):
    """The LMS has not granted us the scope that this call needs, so that we do not even ask for it. Not permanent: each
    launch says anew what is granted. The sentence says who can mend it."""


class AddressRefused(LmsError):
    """We do not call this address, whoever asks."""

    permanent = True

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(f"{host} {problem}.")
        self.host = host
        self.problem = problem


class UnfitUserId(LmsError):
    """We send no score for a user id that this LMS would choke on."""

    permanent = True

    def __init__(self) -> None:
        super().__init__(
            "The LMS cannot keep a grade for this person: their user id is none of this kind of LMS. Please tell"
            " whoever runs the tool, because the LMS may be registered as another product than it is."
        )


class Refused(LmsError):
    """The LMS understood us and says no. `reason` is its own short code, or "" if it gave none that is safe to keep."""

    permanent = True

    def __init__(self, sentence: str, *, status: int, reason: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = safe_code(reason)


class NotFound(Refused):
    """The course, event, person or grade column that we named is not there (any more)."""


def safe_code(code: object) -> str:
    """An LMS's error code, if it looks like one: other text may quote what we sent, and is not kept."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
