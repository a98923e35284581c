"""The coordinator says where the meetings of a series may be."""

import re
from datetime import UTC, datetime

import pytest
from werkzeug.test import TestResponse

from series.sessions import Session
from series.store.join_links import set_join_hosts
from tests.examples import SERIES
from tests.integration.staff.desk import Desk, Office
from tests.integration.staff.hosting.pages import PLAN, follow, page_of
from tests.integration.staff.test_plan_pages import send


def set_places(desk: Desk, hosts: str) -> TestResponse:
    return desk.send(PLAN, f"{PLAN}join-hosts", join_hosts=hosts)


def test_places_are_set_and_links_to_elsewhere_shown_and_not_removed(
    office: Office, signed_in: Desk, ahead: Session
) -> None:
    shown = follow(signed_in, set_places(signed_in, "https://Zoom.us/\r\nbbb.uni.example:8443"))
    assert ">zoom.us\nbbb.uni.example:8443</textarea>" in shown
    assert "have a join link to elsewhere" in shown or "has a join link to elsewhere" in shown
    page = signed_in.get(page_of(ahead)).text
    assert "It stays until you change it." in page
    assert "https://meet.example/beach" in page
    assert office.audit()[-1][1] == "set_join_hosts"


def test_what_is_no_host_is_refused_and_stays_typed(signed_in: Desk) -> None:
    refused = set_places(signed_in, "zoom.us\nus")
    assert (refused.status_code, "allow far too much" in refused.text) == (422, True)
    assert ">zoom.us\nus</textarea>" in refused.text


@pytest.mark.parametrize(
    "link", ["https://evilzoom.us/", "https://zoom.us.evil.example/", "https://zoom.us@evil.example/"]
)
def test_a_coordinators_link_to_elsewhere_is_refused(
    office: Office, signed_in: Desk, ahead: Session, link: str
) -> None:
    with office.database.write() as connection:
        set_join_hosts(connection, SERIES.series_id, ("zoom.us",), by="staff 1", now=datetime.now(UTC))
    refused = send(signed_in, page_of(ahead), "join_url", join_url=link)
    assert refused.status_code == 422
    assert f'value="{link}"' in refused.text
    assert send(signed_in, page_of(ahead), "join_url", join_url="https://uni.zoom.us/j/1?pwd=x").status_code == 303
    shown = signed_in.get(page_of(ahead)).text
    assert "by the coordinator: from meet.example to uni.zoom.us" in re.sub(r"\s+", " ", shown)
