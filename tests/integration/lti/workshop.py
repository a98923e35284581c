"""A student of Malta who has opened the series, in which recordings and reflections count, too."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from werkzeug.test import TestResponse

from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Rule
from series.store.check_ins import open_check_in
from series.store.evidence import Fact, facts_of
from series.store.rules import set_rule
from series.store.sessions import name_host, save_import
from series.store.tables import participant
from tests.examples import SERIES, SESSION, moved
from tests.integration.lti.tool import Browser, Login, ToolUnderTest, form_token

CODE = "042917"
OF_SESSION = f"sessions/{SESSION.session_id}/"
RULE = Rule(
    ways=(
        CHECK_IN,
        (Demand(kind=Kind.RECORDING, at_least=80, within_days=14),),
        (Demand(kind=Kind.REFLECTION, at_least=5, within_days=14),),
        CONFIRMED,
    ),
    required=2,
)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The session began ten minutes before `began_at` and lasts two hours, on the tool's clock."""

    tool: ToolUnderTest
    browser: Browser
    path: str
    participant_id: int
    began_at: datetime

    def page(self, at: str = "") -> str:
        answer = self.browser.get(self.path + at)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, action: str, *, at: str = OF_SESSION, **form: str) -> TestResponse:
        """The form with this action on the page `at`, filled in."""
        token = form_token(self.page(at), action)
        return self.browser.post(self.path + action, data={"form_token": token, **form})

    def post(self, action: str, token: str, **form: str) -> TestResponse:
        """A form whose token was taken from a page earlier."""
        return self.browser.post(self.path + action, data={"form_token": token, **form})

    def token(self, action: str, *, at: str = OF_SESSION) -> str:
        return form_token(self.page(at), action)

    def open_check_in(self, code: str = CODE, *, at: timedelta = timedelta(0)) -> None:
        with self.tool.database.write() as connection:
            open_check_in(
                connection, session_id=SESSION.session_id, code=code, participant_id=None, now=self.began_at + at
            )

    def become_host(self) -> None:
        with self.tool.database.write() as connection:
            name_host(connection, session_id=SESSION.session_id, participant_id=self.participant_id)

    def facts(self) -> list[Fact]:
        with self.tool.database.read() as connection:
            return facts_of(connection, participant_id=self.participant_id, series_id=SERIES.series_id)

    def nothing_written(self, before: dict[str, int]) -> bool:
        return self.tool.rows() == before


def open_workshop(
    tool: ToolUnderTest, browser: Browser, login: Login, *, rule: Rule = RULE, id_token: str | None = None
) -> Workshop:
    now = datetime.now(UTC)
    running = moved(SESSION, now - timedelta(minutes=10) - SESSION.start_at)
    with tool.database.write() as connection:
        set_rule(connection, SERIES.series_id, rule, by="test", now=now)
        save_import(connection, SERIES.series_id, new=[(running, ("uid", now))], changed=[], rekeyed=[], now=now)
    path = browser.open_visit(login, id_token)
    with tool.database.read() as connection:
        participant_id = connection.execute(sa.select(participant.c.id)).scalar_one()
    return Workshop(tool=tool, browser=browser, path=path, participant_id=participant_id, began_at=now)


def text_of(page: str, element_id: str) -> str:
    """The words of the element, on one line."""
    found = re.search(rf'<(\w+)[^>]* id="{element_id}"[^>]*>(.*?)</\1>', page, re.DOTALL)
    assert found, page
    return " ".join(re.sub(r"<[^>]*>", " ", found[2]).split())


def other_session() -> UUID:
    return UUID(int=SESSION.session_id.int + 1)
