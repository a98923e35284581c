"""The demo's own page: what to try, where to sign in, and the clock."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, redirect, render_template
from werkzeug.wrappers import Response

from config.clock import Clock
from sandbox_lms import coordinators_calendar as calendar
from sandbox_lms.campus import Campus

SERIES_ZONE = ZoneInfo("Europe/Berlin")
INTO_THE_SESSION = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class DemoState:
    """What the page shows and changes. `campuses`: to click in; `others`: that fill the series."""

    campuses: tuple[Campus, ...]
    others: tuple[Campus, ...]
    tool_url: str
    calendar: Path
    clock_file: Path
    coordinator_link: str | None = None  # to choose a password, while there is none

    @property
    def clock(self) -> Clock:
        return Clock(offset_file=self.clock_file)

    def jump_to(self, instant: datetime | None) -> None:
        """Set the clock of tool, worker and LMSs; None: back to the real time."""
        offset = timedelta(0) if instant is None else instant - Clock().now()
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(f"{offset.total_seconds():.0f}\n")
        fresh.replace(self.clock_file)


def create_demo_page(state: DemoState) -> Flask:
    app = Flask(__name__)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the terminal is for the person, not for request lines
    app.add_url_rule("/", view_func=lambda: _render(state), endpoint="front")
    changes: dict[str, Callable[[], None]] = {
        "jump": lambda: state.jump_to(calendar.entry(state.calendar, calendar.THIS_WEEK).start + INTO_THE_SESSION),
        "real-time": lambda: state.jump_to(None),
        "move": lambda: calendar.move_by_an_hour(state.calendar),
        "cancel": lambda: calendar.toggle_cancelled(state.calendar),
    }

    @app.post("/<any(jump, 'real-time', move, cancel):change>")
    def change_something(change: str) -> Response:
        changes[change]()
        return redirect("/", 303)

    @app.errorhandler(calendar.CalendarUnreadable)
    def say_what_to_do(_: calendar.CalendarUnreadable) -> tuple[str, int]:
        return render_template("demo_calendar.html", state=state), 500

    return app


def _render(state: DemoState) -> str:
    now = state.clock.now().astimezone(SERIES_ZONE)
    this_week = calendar.entry(state.calendar, calendar.THIS_WEEK)
    next_week = calendar.entry(state.calendar, calendar.NEXT_WEEK)
    start = this_week.start.astimezone(SERIES_ZONE)
    return render_template(
        "demo.html",
        state=state,
        now=now,
        start=start,
        is_running=start <= now < start + timedelta(hours=2),
        is_real=abs(state.clock.offset()) < timedelta(seconds=1),
        this_week=this_week,
        next_week=next_week,
        next_week_start=next_week.start.astimezone(SERIES_ZONE),
    )
