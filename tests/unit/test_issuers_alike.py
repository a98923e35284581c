"""Under which issuers of a university the same number means the same person."""

import pytest

from series.tombstones import Registration, issuers_alike, issuers_of_the_same


def registered(number: int, issuer: str, *, after: int | None = None, is_active: bool = False) -> Registration:
    return Registration(platform_id=number, issuer=issuer, is_active=is_active, succeeds_platform_id=after)


NEXT_TO_IT = registered(9, "beside", is_active=True)
CHAIN = (registered(1, "a"), registered(2, "b", after=1), registered(3, "c", after=2, is_active=True), NEXT_TO_IT)


def test_an_lms_that_was_never_replaced_has_one() -> None:
    assert issuers_alike(CHAIN, "beside") == ("beside",)
    assert issuers_alike((), "a") == ("a",)


def test_one_that_has_replaced_another_has_all_before_it() -> None:
    assert set(issuers_alike(CHAIN, "c")) == {"a", "b", "c"}


def test_an_old_address_that_nobody_uses_is_the_lms_that_took_its_place() -> None:
    assert set(issuers_alike(CHAIN, "a")) == {"a", "b", "c"}


def test_an_lms_that_was_put_at_an_old_address_has_people_of_its_own() -> None:
    assert issuers_alike((*CHAIN, registered(4, "a", is_active=True)), "a") == ("a",)


def test_a_second_registration_of_the_same_lms_has_what_the_first_one_took_over() -> None:
    again = (registered(1, "a"), registered(2, "b", after=1), registered(3, "b", is_active=True))
    assert set(issuers_alike(again, "b")) == {"a", "b"}


def test_registered_again_under_the_same_issuer_it_is_the_same() -> None:
    assert issuers_alike((registered(1, "a"), registered(2, "a", after=1, is_active=True)), "a") == ("a",)


@pytest.mark.parametrize("issuer", ["a", "b"])
def test_there_and_back_ends(issuer: str) -> None:
    back = (registered(1, "a"), registered(2, "b", after=1), registered(3, "a", after=2, is_active=True))
    assert set(issuers_alike(back, issuer)) == {"a", "b"}


def test_at_an_old_address_with_another_lms_are_other_people_also_for_who_came_from_there() -> None:
    taken = (*CHAIN, registered(4, "a", is_active=True))
    assert set(issuers_alike(taken, "c")) == {"a", "b", "c"}
    assert set(issuers_of_the_same(taken, "c")) == {"b", "c"}
    assert set(issuers_of_the_same(CHAIN, "c")) == set(issuers_of_the_same(CHAIN, "a")) == {"a", "b", "c"}
