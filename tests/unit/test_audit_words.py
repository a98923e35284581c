"""Whatever the audit says of a person, they read it in words under “My data”."""

from fnmatch import fnmatchcase

import pytest

from lti_tool.pages.my_data_actions import BY_ONESELF, BY_OTHERS
from lti_tool.pages.my_data_values import value_words
from series.store.audit_of_person import NUMBERS_ALONE
from tests.audit_actions import AuditActions

# By staff, operators and the clock, to what is no person. Whoever adds an action says by this list, or by words, which
# it is.
_OF_THINGS = """
    accept_plan add_platform add_session add_university approve_deployment approve_platform change_university
    check_lms check_moodle choose_mail choose_moodle_course close_university connect_moodle create_staff delete_rows
    delete_university disable_deployment disable_platform disable_staff disconnect_moodle drop_passphrase
    drop_session_rule edit_* enable_platform enable_staff export_report invite_host invite_lms link_staff merge_*
    *_platform record_instrument register_platform reject_plan remove_rehearsal replace_platform reset_staff retention
    revoke_host_invitation revoke_lms_invitation rotate_keys rotate_pseudonyms run_moodle_job see_audit
    set_join_hosts set_passphrase set_password set_product set_rule set_session_rule set_smallest_group sign_in
    sign_out_everywhere swap_hosts untie_moodle_course upload_table withdraw_instrument
"""
OF_THINGS = set(_OF_THINGS.split())
KNOWN = BY_OTHERS.keys() | BY_ONESELF.keys()
# What audit_of_person shows besides what names a person: views and exports of their course, series and university.
SHOWN_TO_MANY = ("see_", "export")


@pytest.fixture(scope="module")
def appended() -> set[str]:
    return AuditActions().all()


def test_dpo_15_every_action_that_concerns_people_has_words(appended: set[str]) -> None:
    assert {"pick", "name_host", "merge_participant", "open_check_in"} <= appended  # they are found, however written
    without = {one for one in appended - OF_THINGS if not [name for name in KNOWN if fnmatchcase(name, one)]}
    assert without == set()


def test_no_words_are_left_of_what_is_not_done_any_more(appended: set[str]) -> None:
    assert {name for name in KNOWN if not [one for one in appended if fnmatchcase(name, one)]} == set()
    assert appended >= OF_THINGS


def test_dpo_15_views_and_exports_are_said_to_whom_they_show(appended: set[str]) -> None:
    shown = {one for one in appended if one.startswith(SHOWN_TO_MANY)} - set(NUMBERS_ALONE)
    assert shown - {"export_own_data", "see_audit"} <= BY_OTHERS.keys()


def test_one_and_the_same_action_reads_differently_for_who_did_it() -> None:
    assert value_words("action", "confirm", "UTC") == "confirmed that you took part"
    assert value_words("own action", "confirm", "UTC") == "confirmed that somebody took part"
