"""Misbehaviour on demand: an LMS that is down, slow, or keeps a request waiting at the worst moment."""

import select
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, get_args

import msgspec

from sandbox_lms.products.habits import Fault
from sandbox_lms.products.table import Product

Hold = Literal["hold_token", "hold_score_before", "hold_score_after"]
HOLDS: tuple[Hold, ...] = get_args(Hold)
MAX_HOLD_S = 120
TimeZone = Annotated[str, msgspec.Meta(pattern="^(UTC|[A-Z][A-Za-z_]+(/[A-Za-z_-]+)+)$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All switches of one campus. What is not set is off.

    `score_status`: scores are answered with this status and not stored; `score_status_times` times, or always.
    `retry_after_s`: what such an answer, and one of an LMS that is down, says of when to come back.
    `left`: user ids of people who are no longer enrolled; `suspended`: of those whom the roster calls Inactive.
    `refuses_rlid`: the roster of one activity alone cannot be had. `roster_page_size`: for who sets no limit.
    `roster_lists`: the roster ends after so many people, as if these were all. `roster_link`: its links to next pages
    lie: they lead to the same page again, to another host, or are written small.
    `score_fault`: scores are refused for this, in the words of the product. `busy`: so is everything but tokens.
    `wants_user_agent`: who does not say what program it is gets 403. `key_number`: which of its keys signs launches.
    `date_ahead_s`: its clock, as the header of its answers says. `keeps_line_items`: none can be deleted.
    `drops_path_info`: the web server cuts off what follows services.php, a usual mistake in nginx's settings.
    Of Moodle's web services: `lacks`: capabilities that our account there has not; `lacks_functions`: what its service
    does not offer; `hidden`: numbers of activities that students do not see; `moodle_time_zone`: of the account's
    profile; `maintenance`: the whole site is closed;
    `moodle_status` and `moodle_status_times`: like those of scores.
    `registers_as`: whose Dynamic Registration it offers, if not that of its product; `registration_faults`: see
    sandbox_lms.registration.
    Of Deep Linking: `selects_one`: one activity at a time; `takes_line_items`: what is said of them, if anything;
    `sends_no_data`: as Moodle; `accept_types`: in place of the usual one; `no_return_url`.
    `knows_link_history`: `$ResourceLink.id.history` is replaced, as Moodle does not.
    `latency_scale`: services take their time, this many times as long as measured at a Moodle on two cores.
    """

    down: bool = False
    hold_token: bool = False
    left: tuple[str, ...] = ()
    refuses_rlid: bool = False
    roster_page_size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    roster_lists: Annotated[int, msgspec.Meta(ge=0)] | None = None
    roster_link: Literal["loop", "elsewhere", "small"] | None = None
    suspended: tuple[str, ...] = ()
    hold_score_before: bool = False
    hold_score_after: bool = False
    score_status: int | None = None
    score_status_times: int | None = None
    score_fault: Fault | None = None
    busy: bool = False
    wants_user_agent: bool = False
    key_number: Annotated[int, msgspec.Meta(ge=1)] = 1
    retry_after_s: int | None = None
    slow_s: float = 0
    drops_path_info: bool = False
    date_ahead_s: float = 0
    keeps_line_items: bool = False
    lacks: tuple[str, ...] = ()
    lacks_functions: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()
    moodle_time_zone: TimeZone | None = None
    maintenance: bool = False
    moodle_status: int | None = None
    moodle_status_times: int | None = None
    selects_one: bool = False
    takes_line_items: bool | None = None
    sends_no_data: bool = False
    accept_types: tuple[str, ...] | None = None
    no_return_url: bool = False
    knows_link_history: bool = False
    latency_scale: Annotated[float, msgspec.Meta(ge=0)] = 0
    registers_as: Product | None = None
    registration_faults: tuple[str, ...] = ()


class Switches:
    """The switches of one campus, shared by its request threads and by whoever sets them."""

    def __init__(self) -> None:
        self._settings = Settings()
        self._held: Counter[Hold] = Counter()
        self._changed = threading.Condition()
        self._stopping = False

    @property
    def settings(self) -> Settings:
        return self._settings

    def set(self, **changes: bool | float | Sequence[str] | Sequence[int] | None) -> None:
        """Change some switches; a hold that is set to False lets its requests go on. Raises msgspec.ValidationError."""
        with self._changed:
            merged = {**msgspec.structs.asdict(self._settings), **changes}
            self._settings = msgspec.convert(merged, Settings)  # noqa: TID251  # one thread at a time
            self._changed.notify_all()

    def reset(self) -> None:
        """All switches off, all held requests released."""
        with self._changed:
            self._settings = Settings()
            self._changed.notify_all()

    def stop(self) -> None:
        """Let everything go on that waits here, now and later: the server ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def hold(self, name: Hold) -> None:
        """Wait while this hold is set, at most MAX_HOLD_S."""
        with self._changed:
            if not getattr(self._settings, name):
                return
            self._held[name] += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopping or not getattr(self._settings, name), MAX_HOLD_S)
            self._held[name] -= 1

    def held(self) -> dict[str, int]:
        """How many requests each hold keeps waiting now."""
        with self._changed:
            return {name: self._held[name] for name in HOLDS}

    def wait_until_held(self, name: Hold, *, timeout_s: float) -> bool:
        """Whether a request came to wait at this hold within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held[name] > 0, timeout_s)

    def be_slow(self) -> None:
        if self._settings.slow_s:
            self._sleep(self._settings.slow_s)

    def take_time(self, milliseconds: float) -> None:
        """What an answer costs at a real site, if the switches want it so."""
        if self._settings.latency_scale:
            self._sleep(milliseconds * self._settings.latency_scale / 1000)

    def _sleep(self, seconds: float) -> None:
        """Unless the server ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def take_score_status(self) -> int | None:
        """The status that a score must be answered with, if any; counts it."""
        return self._take("score_status")

    def take_moodle_status(self) -> int | None:
        """The same of a web service function."""
        return self._take("moodle_status")

    def _take(self, name: Literal["score_status", "moodle_status"]) -> int | None:
        with self._changed:
            status, times = getattr(self._settings, name), getattr(self._settings, f"{name}_times")
            if status is not None and times is not None:
                rest = times - 1
                changes = {name: status if rest else None, f"{name}_times": rest or None}
                self._settings = msgspec.structs.replace(self._settings, **changes)
            return status if status is None else int(status)


def has_hung_up(connection: socket.socket | None) -> bool:
    """Whether the other side has closed the connection: a client that was killed while it waited."""
    if connection is None or not select.select([connection], [], [], 0)[0]:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
