"""What a pre-flight needs, and what it notes down while it goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from config.clock import Clock
from lms.errors import LmsError
from lms.guarded import GuardedSession
from lms.service_tokens import ServicePlatform, ServiceTokens, as_service_platform
from lms.tool_keys import SigningKey
from series.checks import Outcome
from series.preflight import Code, Trial
from series.preflight_facts import PlatformFacts
from series.store.universities import PlatformRow

CALL_S = 10.0  # for one call; a few go on for longer
ENOUGH_S = 120.0  # then nothing new is begun


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Who asks, from where. `our_kids`: of the keys that we publish now. `known_origins`: of all LMSs that we know."""

    http: GuardedSession
    clock: Clock
    signer: Callable[[], SigningKey]
    public_url: str
    our_kids: frozenset[str]
    frame_ancestors: tuple[str, ...]
    known_origins: tuple[str, ...]


@dataclass(kw_only=True)
class Findings:
    """Of one pre-flight, in order; the time since the last one counts for the next one. `on_trial`: hears of each.

    `is_asked`: somebody waits for it; else it is the clock's. `earlier_score`: what the last test score came to, for
    one that is not tried by itself. `keep`: writes down in which course a test column is, empty for none.
    """

    setting: Setting
    row: PlatformRow
    facts: PlatformFacts
    test_user: str | None
    is_asked: bool
    earlier_score: Trial | None
    keep: Callable[[str], None]
    on_trial: Callable[[Trial], None]
    trials: list[Trial] = field(default_factory=list)
    granted: frozenset[str] = frozenset()  # by the token endpoint, just now
    clock_ahead: timedelta | None = None  # of the LMS, if it has told the time
    has_token: bool = False
    left_in: str = field(init=False)  # the line items of the course that may have a test column
    _began_s: float = field(default_factory=time.monotonic, init=False)
    _since_s: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self.left_in = self.facts.trial_left_in
        # Of its own, so that no token is older than the pre-flight.
        self.tokens = ServiceTokens(self.setting.http, self.setting.signer, self.setting.clock.now, within_s=CALL_S)

    @property
    def http(self) -> GuardedSession:
        return self.setting.http

    @property
    def platform(self) -> ServicePlatform:
        return as_service_platform(self.row)

    @property
    def is_too_late(self) -> bool:
        return time.monotonic() - self._began_s > ENOUGH_S

    def ok(self, code: Code, **facts: str | int) -> None:
        self.note(Trial(code=code, outcome=Outcome.OK, facts=facts))

    def gap(self, code: Code, **facts: str | int) -> None:
        """`facts`: `case`, where series.preflight_words tells several apart."""
        self.note(Trial(code=code, outcome=Outcome.GAP, facts=facts))

    def unknown(self, code: Code, **facts: str | int) -> None:
        self.note(Trial(code=code, outcome=Outcome.UNKNOWN, facts=facts))

    def skipped(self, code: Code, **facts: str | int) -> None:
        self.note(Trial(code=code, outcome=Outcome.SKIPPED, facts=facts))

    def failed(self, code: Code, error: LmsError, **facts: str | int) -> None:
        self.gap(code, reason=str(error), **facts)

    def note(self, trial: Trial) -> None:
        now_s = time.monotonic()
        ms, self._since_s = round((now_s - self._since_s) * 1000), now_s
        timed = msgspec.structs.replace(trial, ms=ms, at=self.setting.clock.now())
        self.trials.append(timed)
        self.on_trial(timed)

    def keep_in_mind(self, line_items_url: str) -> None:
        if line_items_url != self.left_in:
            self.keep(line_items_url)
            self.left_in = line_items_url

    def hear_time(self, sent_at: datetime | None) -> None:
        """By the clock of the LMS, just now. A rehearsal's clock is moved, and the LMS's is not."""
        if sent_at is not None:
            clock = self.setting.clock
            self.clock_ahead = sent_at - (clock.now() - clock.offset())
