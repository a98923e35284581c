"""A university and an account as they are typed, and the short name that is proposed."""

import pytest

from series.partner_typed import (
    clean_university,
    fault_of_slug,
    faults_of_person,
    faults_of_university,
    propose_slug,
)

GOOD = {"name": " University  of Malta ", "country": "mt", "time_zone": "Europe/Malta ", "language": "mt"}


def test_what_is_typed_well_is_cleaned_and_taken() -> None:
    typed = clean_university(**GOOD)
    assert (typed.name, typed.country, typed.time_zone) == ("University of Malta", "MT", "Europe/Malta")
    assert faults_of_university(typed) == {}


def test_all_faults_are_told_at_once() -> None:
    typed = clean_university(name="", country="x", time_zone="x", language="")
    assert set(faults_of_university(typed)) == {"name", "country", "time_zone", "language"}
    assert set(faults_of_person(name="", email="")) == {"name", "email"}


@pytest.mark.parametrize("language", ["en", "mt", "pt-BR", "zh-Hans", "hsb"])
def test_languages_are_taken_as_web_pages_name_them(language: str) -> None:
    assert faults_of_university(clean_university(**(GOOD | {"language": language}))) == {}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Vilnius University", "vilnius"),
        ("University of Malta", "malta"),
        ("Università degli Studi di Trento", "degli-studi-trento"),
        ("Universität Wien", "wien"),
        ("ETH Zürich", "eth-zurich"),
        ("University", "university"),
        ("Софийски университет", "university"),
        ("x" * 300, "x" * 32),
    ],
)
def test_the_short_name_is_what_is_particular(name: str, slug: str) -> None:
    assert propose_slug(name, set()) == slug
    assert fault_of_slug(slug, set()) == ""


def test_a_name_that_is_taken_is_numbered() -> None:
    assert propose_slug("University of Malta", {"malta", "malta-2"}) == "malta-3"


@pytest.mark.parametrize("slug", ["", "-a", "a-", "a--b", "A", "a b", "ä", "a/b", "a\n", "x" * 65])
def test_other_signs_do_not_do(slug: str) -> None:
    assert fault_of_slug(slug, set())
