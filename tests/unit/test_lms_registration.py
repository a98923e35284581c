"""The answers of LMSs to a registration."""

from collections.abc import Iterator

import pytest
import responses

from lms.errors import Refused, TryLater
from lms.guarded import GuardedSession
from lms.products import Product
from lms.products.table import REGISTRATIONS
from lms.registration import send_registration
from tests.unit.recordings import loopback_session

URL = "https://lms.example/register"


@pytest.fixture
def http() -> Iterator[GuardedSession]:
    with loopback_session() as session:
        yield session


@responses.activate
@pytest.mark.parametrize("status", [400, 500])
def test_brightspace_takes_no_second_tool_of_a_name(http: GuardedSession, status: int) -> None:
    responses.post(URL, body='{"detail": "Name must be unique across the org"}', status=status)
    name_taken = REGISTRATIONS[Product.BRIGHTSPACE].name_taken
    with pytest.raises(Refused, match=r"lms.example has a tool named Shared Sessions already.*delete that first"):
        send_registration(http, URL, b"{}", None, name_taken=name_taken)
    with pytest.raises((Refused, TryLater), match=r"does not accept|cannot answer"):
        send_registration(http, URL, b"{}", None)
