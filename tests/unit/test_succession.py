"""Which deployment of the new platform takes the place of which of the old one."""

import pytest

from series.succession import CannotReplace, pair_deployments


def pair(in_use: list[str], approved: list[str], **wanted: str) -> dict[str, str]:
    return pair_deployments(in_use, approved, wanted, old="malta", new="malta-2")


def test_equal_ids_belong_together() -> None:
    assert pair(["1", "2"], ["2", "3", "1"]) == {"1": "1", "2": "2"}


def test_the_only_ones_belong_together() -> None:
    assert pair(["1"], ["7"]) == {"1": "7"}


def test_a_platform_without_courses_needs_no_deployment() -> None:
    assert pair([], []) == {}


def test_what_is_wanted_comes_first() -> None:
    assert pair(["a", "b"], ["a", "b"], a="b", b="a") == {"a": "b", "b": "a"}


def test_several_may_become_one() -> None:
    assert pair(["a", "b"], ["c"], a="c", b="c") == {"a": "c", "b": "c"}


def test_what_is_wanted_for_a_deployment_without_courses_is_no_matter() -> None:
    assert pair(["a"], ["a"], b="a") == {"a": "a"}


@pytest.mark.parametrize(("in_use", "approved"), [(["1"], ["7", "8"]), (["1", "2"], ["7"]), (["1", "2"], ["1"])])
def test_what_is_not_plain_must_be_said(in_use: list[str], approved: list[str]) -> None:
    with pytest.raises(CannotReplace, match="OLD_ID=NEW_ID"):
        pair(in_use, approved)


def test_without_an_approved_deployment_it_is_said_how_to_get_one() -> None:
    with pytest.raises(CannotReplace, match="lti-tool deployment list --platform malta-2"):
        pair(["1"], [])


def test_only_an_approved_one_can_take_over() -> None:
    with pytest.raises(CannotReplace, match="no approved deployment '8'; it has '7'"):
        pair_deployments(["1"], ["7"], {"1": "8"}, old="malta", new="malta-2")
