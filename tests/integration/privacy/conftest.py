"""The tool with its staff, as tests/integration/staff has it."""

from tests.integration.staff.conftest import browser, office, signed_in

__all__ = ["browser", "office", "signed_in"]
