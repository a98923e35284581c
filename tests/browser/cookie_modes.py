"""Chromium as browsers differ: which of the tool's cookies it keeps while the tool stands in a frame of another site.

Each mode is a profile with preferences that a person could set by hand, so that Chromium itself decides about every
cookie. A tab of the tool keeps its cookies in all of them.
"""

import json
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Playwright

CookieMode = Literal["allowed", "partitioned", "none"]
COOKIE_MODES: tuple[CookieMode, ...] = ("allowed", "partitioned", "none")

_ALLOW, _BLOCK_THIRD_PARTY = 0, 1  # profile.cookie_controls_mode
_PREFERENCES: dict[CookieMode, dict[str, Any]] = {
    # Said, and not left out: Debian's Chromium blocks third-party cookies unless it is told otherwise.
    "allowed": {"cookie_controls_mode": _ALLOW},
    # As Chrome blocks them: cookies of a frame are kept if they are partitioned.
    "partitioned": {"cookie_controls_mode": _BLOCK_THIRD_PARTY},
    # As Safari and a strict Firefox: no cookie at all for localhost, where the tool is, within pages of 127.0.0.1.
    "none": {
        "cookie_controls_mode": _BLOCK_THIRD_PARTY,
        "content_settings": {"exceptions": {"cookies": {"localhost,127.0.0.1": {"setting": 2}}}},
    },
}


def open_with_cookies(playwright: Playwright, executable: str, mode: CookieMode, profile: Path) -> BrowserContext:
    """A browser with a new profile in this folder. Contexts of its `browser` take over the profile's preferences."""
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps({"profile": _PREFERENCES[mode]}))
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=executable, args=["--disable-background-networking"]
    )


def browser_of(opened: BrowserContext) -> Browser:
    assert opened.browser is not None
    return opened.browser
