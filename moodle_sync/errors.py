"""Why a calendar cannot be used."""


class SourceUnreadable(Exception):
    """The calendar cannot be had; nothing was changed. The message says why and what to look at."""


class NotACalendar(Exception):
    """The bytes as a whole cannot be read as a calendar; the message is one sentence for a person."""
