"""One call to a Moodle's web services: what every module that asks Moodle for something builds on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from lms.errors import MalformedAnswer
from lms.guarded import MEGABYTE, TOTAL_S, Answer, GuardedSession
from lms.moodle_protocol import Function, check_answer, form_fields

MAX_BYTES = 5 * MEGABYTE
Epoch = Annotated[int, msgspec.Meta(ge=-62_135_596_800, le=253_402_300_799)]
"""Seconds since 1970, as Moodle writes instants, within what a datetime can hold. 0 often means "never"."""
T = TypeVar("T")


def reader(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind, strict=False)  # PHP writes some numbers as strings


def instant(epoch: int) -> datetime | None:
    """None for 0, which is Moodle's "never"."""
    return datetime.fromtimestamp(epoch, UTC) if epoch else None


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class MoodleService:
    """Where a Moodle's web services are, and our token. `before_call` runs right before every HTTP call: whoever counts
    calls or keeps to a pace does it there, and what it raises ends the call unsent. `within_s` bounds each call."""

    http: GuardedSession = field(repr=False)
    base_url: str
    token: str = field(repr=False)
    before_call: Callable[[], None] = field(default=_nothing, repr=False, kw_only=True)
    within_s: float = field(default=TOTAL_S, kw_only=True)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def call(self, function: Function, arguments: Mapping[str, Any], answers: msgspec.json.Decoder[T]) -> T:
        return self.read(self.ask(function, arguments).body, answers)

    def ask(self, function: Function, arguments: Mapping[str, Any]) -> Answer:
        """The answer as it came, if it is none of Moodle's errors."""
        self.before_call()
        answer = self.http.post(
            f"{self.base_url.rstrip('/')}/webservice/rest/server.php",
            # The token goes into the body: a URL is written into access logs.
            data={
                "wstoken": self.token,
                "wsfunction": function,
                "moodlewsrestformat": "json",
                **form_fields(arguments),
            },
            max_bytes=MAX_BYTES,
            within_s=self.within_s,
        )
        check_answer(answer, function)  # an error has another shape than any answer, so it is looked for first
        return answer

    def read(self, body: bytes | str, answers: msgspec.json.Decoder[T]) -> T:
        try:
            return answers.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise MalformedAnswer(self.host, "answered with data of another shape than Moodle's") from None
