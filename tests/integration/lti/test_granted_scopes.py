"""Case 64, as a launch brings it: which scopes a platform has granted for the grades of one activity."""

import pytest
import sqlalchemy as sa

from lms.ags import SCOPE_RESULT_READONLY, SCOPE_SCORE
from series.store.tables import placement
from tests.integration.lti.lms import AGS, Lms
from tests.integration.lti.tool import Browser, ToolUnderTest

LINE_ITEM = "https://malta.lms.example/lineitems/4/lineitem?type_id=1"


def launch_with(browser: Browser, malta: Lms, *scopes: str) -> None:
    login = browser.begin_login(malta)
    browser.open_visit(login, login.id_token({AGS: {"scope": scopes, "lineitem": LINE_ITEM}}))


def granted(tool: ToolUnderTest) -> tuple[str, list[str]]:
    """(line item, scopes) of the one placement."""
    with tool.database.read() as connection:
        row = connection.execute(sa.select(placement)).one()
    return row.line_item_url, row.ags_scopes.split()


@pytest.mark.parametrize("scopes", [(), (SCOPE_SCORE,), (SCOPE_RESULT_READONLY, SCOPE_SCORE)])
def test_lti_064_the_scopes_of_the_last_launch_are_kept(
    tool: ToolUnderTest, browser: Browser, malta: Lms, scopes: tuple[str, ...]
) -> None:
    launch_with(browser, malta, SCOPE_SCORE)
    launch_with(browser, malta, *scopes)
    assert granted(tool) == (LINE_ITEM, list(scopes))


def test_lti_064_a_launch_without_the_claim_grants_nothing(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    launch_with(browser, malta, SCOPE_SCORE)
    login = browser.begin_login(malta)
    browser.open_visit(login, login.id_token(without=(AGS,)))
    assert granted(tool) == (LINE_ITEM, [])
