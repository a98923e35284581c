"""Where named data may go."""

from datetime import date, timedelta

import pytest

from series.countries import ADEQUATE, EEA, Home, is_inside, may_cross

TODAY = date(2026, 11, 27)
MALTA, FRANCE, TURKIYE = Home(country="MT"), Home(country="FR"), Home(country="TR")
SIGNED = Home(country="TR", has_instrument=True)


def test_dpo_20_named_data_cross_freely_within_the_economic_area() -> None:
    assert may_cross(MALTA, FRANCE, TODAY)
    assert may_cross(MALTA, Home(country="NO"), TODAY)
    assert len(EEA) == 30


@pytest.mark.parametrize("country", ["CH", "GB", "BR", "KR"])
def test_dpo_20_and_to_a_country_found_adequate(country: str) -> None:
    assert may_cross(MALTA, Home(country=country), TODAY)


def test_dpo_20_not_to_turkiye_nor_from_there_without_an_instrument() -> None:
    assert not may_cross(MALTA, TURKIYE, TODAY)
    assert not may_cross(TURKIYE, MALTA, TODAY)
    assert may_cross(MALTA, SIGNED, TODAY)
    assert may_cross(SIGNED, MALTA, TODAY)


def test_dpo_20_of_two_outside_each_needs_its_own() -> None:
    assert not may_cross(SIGNED, Home(country="UA"), TODAY)
    assert may_cross(SIGNED, Home(country="UA", has_instrument=True), TODAY)


def test_dpo_20_a_country_keeps_full_use_of_its_own_data() -> None:
    assert may_cross(TURKIYE, TURKIYE, TODAY)


@pytest.mark.parametrize("country", ["US", "CA", "JP", "XX", ""])
def test_a_decision_that_covers_no_university_and_letters_of_no_country_are_outside(country: str) -> None:
    assert not is_inside(country, TODAY)


def test_a_decision_ends_with_its_last_day() -> None:
    (kingdom,) = (one for one in ADEQUATE if one.country == "GB")
    assert kingdom.until
    assert is_inside("GB", kingdom.until)
    assert not is_inside("GB", kingdom.until + timedelta(days=1))
