"""A tool with accounts of staff, and a person whom their LMS calls its administrator."""

import pytest

from tests.integration.lti.launched_staff.administrators import Administrator, add_accounts, come
from tests.integration.lti.tool import ToolUnderTest


@pytest.fixture
def tool(tool: ToolUnderTest) -> ToolUnderTest:
    return add_accounts(tool)


@pytest.fixture
def administrator(tool: ToolUnderTest) -> Administrator:
    return come(tool)


@pytest.fixture
def bound(administrator: Administrator) -> Administrator:
    """And signed out again."""
    administrator.bind()
    administrator.browser.delete_cookie("staff")
    return administrator
