"""The thirteen universities of the demo."""

from config.sample_series import read_sample_universities
from sandbox_lms.campus import MALTA, SAMPLE_CAMPUSES
from sandbox_lms.demo import PORTS
from sandbox_lms.partner_campuses import partner_campuses

OTHERS = partner_campuses(
    read_sample_universities(), known=[campus.slug for campus in SAMPLE_CAMPUSES], first_port=9000
)


def test_every_university_of_the_sample_series_has_a_campus() -> None:
    slugs = {campus.slug for campus in (*SAMPLE_CAMPUSES, *OTHERS)}
    assert slugs == {university.slug for university in read_sample_universities()}
    assert 2 + len(slugs) == PORTS, "the page and the tool have ports, too"


def test_the_campuses_are_told_apart() -> None:
    for each in ("client_id", "moodle_token", "port"):
        assert len({getattr(campus, each) for campus in (MALTA, *OTHERS)}) == 1 + len(OTHERS)


def test_the_service_account_of_a_campus_is_nobody_of_the_course() -> None:
    assert [campus.slug for campus in OTHERS if campus.person(str(campus.moodle_user_id))] == []


def test_some_groups_are_small_and_most_are_not() -> None:
    sizes = sorted(len(campus.students) for campus in OTHERS)
    assert sizes[0] < 8
    assert sizes[2] > 10
