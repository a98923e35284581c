"""The two tools that are sent the same launches, each as a browser and an LMS meet it."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.store.tables import deployment, platform, visit
from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import Lms
from tests.integration.lti.pylti1p3_tool import Registered, create_pylti1p3_app
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, login_form

REFUSED, BROKE = "refused", "broke"
LEAST, LEARNER, TEACHER, TEACHER_AND_LEARNER = (
    f"accepted {how}" for how in ("with the least rights", "as learner", "as teacher", "as teacher and learner")
)
SECOND_DEPLOYMENT = "second-deployment-of-malta"


class StoppedAtLogin(Exception):
    """The login did not get as far as the LMS."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class Side(Protocol):
    """A tool to which Malta, with two deployments, and Vilnius are registered."""

    @property
    def malta(self) -> Lms: ...
    @property
    def vilnius(self) -> Lms: ...
    def new_browser(self) -> Browser: ...
    def now(self) -> float:
        """By the tool's clock."""

    def wait(self, by: timedelta) -> None:
        """Let time pass, as the tool sees it."""

    def disable_malta(self) -> None: ...
    def disable_deployment(self) -> None:
        """The one that logins name."""

    def verdict(self, answer: TestResponse) -> str:
        """Accepted, with which rights; else why not."""


def arrive(
    side: Side, browser: Browser, form: Mapping[str, str] | None = None, *, path: str = "/lti/login/malta"
) -> Login:
    """Log in as far as the LMS, through whatever steps of its own the tool has. Raises StoppedAtLogin."""
    form = login_form(side.malta) if form is None else form
    answer = browser.post(path, data=form)
    while answer.status_code in {302, 303} and answer.location.startswith(PUBLIC_URL):
        answer = browser.get(answer.location)
    if answer.status_code != 302:
        raise StoppedAtLogin(answer)
    parameters = dict(parse_qsl(urlsplit(answer.location).query, keep_blank_values=True))
    return Login(lms=side.malta, parameters=parameters, target_link_uri=form["target_link_uri"])


def forget_cookies_older_than(browser: Browser, age: timedelta) -> None:
    """As every browser does."""
    for cookie in list((browser._cookies or {}).values()):
        if cookie.max_age is not None and cookie.max_age <= age.total_seconds():
            browser.delete_cookie(cookie.key, domain=cookie.domain, path=cookie.path)


@dataclass(kw_only=True)
class OurSide:
    tool: ToolUnderTest
    waited: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        with self.tool.database.write() as connection:
            malta = sa.select(platform.c.id).where(platform.c.slug == "malta").scalar_subquery()
            second = {"deployment_id": SECOND_DEPLOYMENT, "state": "approved"}
            connection.execute(sa.insert(deployment).values(platform_id=malta, **second))

    @property
    def malta(self) -> Lms:
        return self.tool.malta

    @property
    def vilnius(self) -> Lms:
        return self.tool.vilnius

    def new_browser(self) -> Browser:
        return self.tool.new_browser()

    def now(self) -> float:
        return time.time() + self.waited.total_seconds()

    def wait(self, by: timedelta) -> None:
        self.waited = by
        self.tool.jump(by)

    def disable_malta(self) -> None:
        with self.tool.database.write() as connection:
            connection.execute(sa.update(platform).where(platform.c.slug == "malta").values(state="disabled"))

    def disable_deployment(self) -> None:
        named = deployment.c.deployment_id == self.malta.deployment_id
        with self.tool.database.write() as connection:
            connection.execute(sa.update(deployment).where(named).values(state="disabled"))

    def verdict(self, answer: TestResponse) -> str:
        if answer.status_code == 303:
            with self.tool.database.read() as connection:
                newest = sa.select(visit).order_by(visit.c.opened_at.desc()).limit(1)
                row = connection.execute(newest).one()
            return accepted(is_teacher=row.is_teacher, is_learner=row.is_learner)
        named = re.search(r"[0-9a-f]{8} \((\w+)\)", answer.text)
        return named[1] if named and 400 <= answer.status_code < 500 else BROKE


@dataclass(kw_only=True)
class PyLti1p3Side:
    malta: Lms
    vilnius: Lms
    registered: Registered = field(init=False)

    def __post_init__(self) -> None:
        of_malta = [self.malta.deployment_id, SECOND_DEPLOYMENT]
        self.registered = Registered(deployment_ids={self.malta: of_malta, self.vilnius: [self.vilnius.deployment_id]})
        self._app = create_pylti1p3_app(self.registered)

    def new_browser(self) -> Browser:
        return HttpsBrowser(self._app, self._app.response_class, use_cookies=True)

    def now(self) -> float:
        return time.time()

    def wait(self, by: timedelta) -> None:
        """It keeps no times of its own: what passes is the life of its cookies."""

    def disable_malta(self) -> None:
        """It knows no disabled platforms: one takes them out of the configuration."""
        del self.registered.deployment_ids[self.malta]

    def disable_deployment(self) -> None:
        self.registered.deployment_ids[self.malta].remove(self.malta.deployment_id)

    def verdict(self, answer: TestResponse) -> str:
        if answer.status_code == 200:
            return accepted(**answer.json)
        return REFUSED if 400 <= answer.status_code < 500 else BROKE


class HttpsBrowser(Browser):
    """PyLTI1p3 binds its storage to a session only over https."""

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        return super().open(*args, **{"base_url": PUBLIC_URL.replace("http:", "https:"), **kwargs})


def accepted(*, is_teacher: bool, is_learner: bool) -> str:
    if is_teacher:
        return TEACHER_AND_LEARNER if is_learner else TEACHER
    return LEARNER if is_learner else LEAST
