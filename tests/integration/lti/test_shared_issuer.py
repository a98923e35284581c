"""Two universities in one cloud: one issuer, and the same user, deployment, course and activity ids."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from series.store.tables import course, membership, participant, placement
from tests.integration.lti.lms import INSTRUCTOR, KeySets, Lms, public_jwk
from tests.integration.lti.tool import Browser, ToolUnderTest, login_form


@pytest.fixture
def malta(key_sets: KeySets) -> Lms:
    return new_customer("malta", key_sets)


@pytest.fixture
def vilnius(key_sets: KeySets) -> Lms:
    return new_customer("vilnius", key_sets)


def new_customer(slug: str, key_sets: KeySets) -> Lms:
    lms = Lms(slug=slug, key_sets=key_sets, jwks_path=f"/{slug}/{uuid4().hex}.json", cloud="cloud")
    lms.publish()
    return lms


def test_the_customers_share_what_a_cloud_shares(malta: Lms, vilnius: Lms) -> None:
    assert (malta.issuer, malta.deployment_id) == (vilnius.issuer, vilnius.deployment_id)
    assert malta.client_id != vilnius.client_id


def test_a_login_that_names_no_client_is_ambiguous(tool: ToolUnderTest, browser: Browser, malta: Lms) -> None:
    form = {name: value for name, value in login_form(malta).items() if name != "client_id"}
    tool.refuses("platform_ambiguous", lambda: browser.post("/lti/login", data=form))


def test_pitfall_10_the_client_id_leads_each_to_its_own(browser: Browser, malta: Lms, vilnius: Lms) -> None:
    for lms in (malta, vilnius):
        login = browser.pass_check(lms, browser.post("/lti/login", data=login_form(lms)), login_form(lms))
        assert login.parameters["client_id"] == lms.client_id
        browser.open_visit(login)


def test_pitfall_10_the_same_ids_are_other_people_courses_and_activities(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    for _ in range(2):
        for lms in (malta, vilnius):
            browser.open_visit(browser.begin_login(lms))
    rows = tool.rows()
    assert [rows[table.name] for table in (participant, course, placement, membership)] == [2, 2, 2, 2]
    with tool.database.read() as connection:
        homes = connection.execute(sa.select(participant.c.university_id).order_by(participant.c.id)).scalars().all()
        line_items = set(connection.execute(sa.select(placement.c.line_item_url)).scalars())
    assert homes == [1, 2]
    assert len(line_items) == 1, "the address of the line item is the same, too"


def test_a_teacher_sees_the_own_university_alone(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    login = browser.begin_login(vilnius)
    browser.open_visit(login, login.id_token({"sub": "only-in-vilnius"}))
    browser.open_visit(browser.begin_login(malta))
    pages = {}
    for lms in (malta, vilnius):
        login = browser.begin_login(lms)
        path = browser.open_visit(login, login.id_token({"sub": "teacher-8", "roles": [INSTRUCTOR]}))
        pages[lms.slug] = browser.get(f"{path}course/").text
    assert "only-in-vilnius" in pages["vilnius"]
    assert "only-in-vilnius" not in pages["malta"]
    assert "student-5" in pages["malta"]
    assert "student-5" not in pages["vilnius"]


def test_the_message_of_one_in_the_login_of_the_other_is_refused(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    login, other = browser.begin_login(malta), browser.begin_login(vilnius)
    swapped = {"nonce": login.parameters["nonce"]}
    tool.refuses_token("key_unknown", login, browser, other.id_token(swapped))
    tool.refuses_token("signature_wrong", login, browser, vilnius.sign(login.claims(), header=header_of(malta)))


def test_pitfall_10_with_one_key_for_all_customers_the_audience_tells_them_apart(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    vilnius.publish(public_jwk(malta.key, malta.kid))
    login, other = browser.begin_login(malta), browser.begin_login(vilnius)
    for_vilnius = malta.sign(other.claims({"nonce": login.parameters["nonce"]}))
    tool.refuses_token("audience_wrong", login, browser, for_vilnius)
    browser.open_visit(other, malta.sign(other.claims()))
    browser.open_visit(login)


def test_the_keys_of_one_are_not_asked_for_the_other(
    tool: ToolUnderTest, browser: Browser, malta: Lms, vilnius: Lms
) -> None:
    browser.open_visit(browser.begin_login(vilnius))
    assert (malta.times_asked_for_keys, vilnius.times_asked_for_keys) == (0, 1)
    login = browser.begin_login(malta)
    tool.refuses_token("key_unknown", login, browser, vilnius.sign(login.claims()))
    assert (malta.times_asked_for_keys, vilnius.times_asked_for_keys) == (1, 1)


def header_of(lms: Lms) -> dict[str, str]:
    return {"alg": "RS256", "typ": "JWT", "kid": lms.kid}
