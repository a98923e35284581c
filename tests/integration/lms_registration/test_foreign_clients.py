"""The client id of another university's LMS, with that LMS as audience: our assertion would open it."""

from types import SimpleNamespace

import msgspec
import pytest

from lti_tool.foreign_clients import refuse_foreign_client
from series.store.universities import AlreadyThere, NewPlatform, add_platform
from tests.conftest import NOW
from tests.integration.lms_registration.campus import Campus
from tests.integration.staff.desk import LMS_ADMIN, OURS

MALTA, VILNIUS = 1, 2


def lms_of(university_id: int, site: str, *, product: str = "generic", audience: str | None = None) -> NewPlatform:
    return NewPlatform(
        slug=f"lms-{university_id}",
        university_id=university_id,
        issuer=f"https://{site}",
        client_id="client-7",
        authorization_endpoint=f"https://{site}/auth",
        token_endpoint=f"https://{site}/token",
        jwks_uri=f"https://{site}/keys",
        token_audience=audience,
        deployment_ids=(),
        product=product,
    )


def add(campus: Campus, new: NewPlatform) -> None:
    with campus.office.database.write() as connection:
        add_platform(connection, new, now=NOW)


@pytest.mark.parametrize(
    "audience",
    ["https://malta.example/token", "https://MALTA.example:443/token?x=1", "https://malta.example", "malta.example"],
)
def test_another_audience_does_not_bring_an_assertion_for_a_foreign_lms(campus: Campus, audience: str) -> None:
    add(campus, lms_of(MALTA, "malta.example"))
    with pytest.raises(AlreadyThere), campus.office.database.write() as connection:
        refuse_foreign_client(connection, lms_of(VILNIUS, "elsewhere.example", audience=audience))


def test_nor_does_the_name_of_a_product_with_one_audience_for_all(campus: Campus) -> None:
    add(campus, lms_of(MALTA, "malta.brightspace.example", product="brightspace"))
    with pytest.raises(AlreadyThere), campus.office.database.write() as connection:
        refuse_foreign_client(connection, lms_of(VILNIUS, "elsewhere.example", product="brightspace"))


def test_nor_does_an_address_of_ones_own(campus: Campus) -> None:
    """Moodle does not look at the audience: what we sign for another token endpoint opens its services, too."""
    add(campus, lms_of(MALTA, "malta.example"))
    with pytest.raises(AlreadyThere), campus.office.database.write() as connection:
        refuse_foreign_client(connection, lms_of(VILNIUS, "new.example"))


def test_a_university_may_give_its_own_lms_another_address(campus: Campus) -> None:
    add(campus, lms_of(MALTA, "malta.example"))
    with campus.office.database.read() as connection:
        refuse_foreign_client(connection, lms_of(MALTA, "new.example", audience="https://malta.example/token"))


def test_no_form_registers_a_foreign_client(campus: Campus) -> None:
    add(campus, lms_of(MALTA, "malta.example"))
    fields = msgspec.to_builtins(lms_of(VILNIUS, "elsewhere.example", audience="https://malta.example/token"))
    typed = {name: value for name, value in fields.items() if isinstance(value, str)} | {"do": "save", "slug": ""}
    path = f"{campus.path(campus.invite(university='vilnius'))}/manual"
    by_link = campus.browser().post(path, data=typed, headers=OURS)
    browser, page = campus.browser(), "/admin/lms/vilnius/connect/manual"
    browser.sign_in(LMS_ADMIN)
    by_staff = browser.send(page, page, **typed)
    for answer in (by_link, by_staff):
        assert (answer.status_code, "registered here already" in answer.text) == (409, True)
    assert [row.slug for row in campus.platforms()] == ["lms-1"]


def test_no_answer_of_an_lms_registers_a_foreign_client(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox_lms.registration.secrets", SimpleNamespace(token_hex=lambda _: "client-7"))
    add(campus, lms_of(MALTA, campus.site.campus.url.removeprefix("http://")))
    invitation = campus.invite(university="vilnius")
    answer = campus.register(invitation)
    assert (answer.status_code, "registered here already" in answer.text) == (409, True)
    assert "delete it there" in answer.text
    assert campus.now_is(invitation).used_at is None
