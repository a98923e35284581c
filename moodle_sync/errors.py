"""Why a calendar cannot be used."""


class SourceUnreadable(Exception):
    """The calendar cannot be had; nothing was changed. The message says why and what to look at; `retry_after_s` is
    what its server asked for."""

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotACalendar(Exception):
    """The bytes as a whole cannot be read as a calendar; the message is one sentence for a person."""
