"""The pre-flight of an LMS: whether everything between it and us works, one thing after the other; kept as JSON."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from series.checks import CheckOf, Outcome

TEST_RESOURCE_ID = "shared-sessions-preflight"  # of the one line item that is ever deleted
TEST_LABEL = "Shared Sessions test (may be deleted)"


class Code(StrEnum):
    """What is checked. In the order in which it is; what comes later may need what came before."""

    LMS_KEYS = "lms_keys"
    LOGIN = "login"  # where browsers are sent to
    OUR_KEYS = "our_keys"
    TOKEN = "token"  # noqa: S105 - the LMS takes our assertion
    CLOCK = "clock"
    DEPLOYMENT = "deployment"
    LAUNCH = "launch"
    FRAME = "frame"  # the LMS's pages may frame ours
    ROSTER = "roster"
    LINE_ITEM = "line_item"
    TEST_SCORE = "test_score"
    DELIVERIES = "deliveries"  # real scores
    MOODLE = "moodle"  # its web services


Trial = CheckOf[Code]
_TRIALS = msgspec.json.Decoder(list[Trial])


def decode_trials(text: str | None) -> list[Trial]:
    """None, before the first pre-flight: an empty list. So is what another version has written and this one cannot
    read."""
    try:
        return _TRIALS.decode(text) if text else []
    except msgspec.MsgspecError:
        return []


def outcome_of(trials: Iterable[Trial], code: Code) -> Outcome | None:
    """None: it was not looked at."""
    return next((trial.outcome for trial in trials if trial.code is code), None)
