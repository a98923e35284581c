"""The other universities of the sample series, for the demo: each a Moodle of its own, with a teacher and students."""

from collections.abc import Iterable
from dataclasses import replace

from config.sample_series import SampleUniversity
from sandbox_lms.campus import MALTA, Campus
from sandbox_lms.made_up import made_up_people

STUDENTS = {
    "freiburg": 31,
    "klagenfurt": 17,
    "nicosia": 8,
    "prague": 24,
    "jaen": 21,
    "athens": 34,
    "utrecht": 19,
    "trondheim": 12,
    "jonkoping": 6,
    "nitra": 15,
    "ankara": 28,
}
_ACCENTS = (("#1f4e8c", "#9cc3ff"), ("#6b3fa0", "#cfb3ff"), ("#8a4b08", "#f2bd7e"), ("#2f6b1f", "#a5d992"))


def partner_campuses(
    universities: Iterable[SampleUniversity], *, known: Iterable[str], first_port: int
) -> tuple[Campus, ...]:
    """All that are not `known`, at ports in a row. Raises KeyError for one whose size nobody has said."""
    others = [one for one in universities if one.slug not in set(known)]
    return tuple(_campus(one, number, first_port + number) for number, one in enumerate(others))


def _campus(university: SampleUniversity, number: int, port: int) -> Campus:
    students = STUDENTS[university.slug]
    accent, accent_in_the_dark = _ACCENTS[number % len(_ACCENTS)]
    return replace(
        MALTA,
        slug=university.slug,
        name=university.name,
        country=university.country,
        language=university.language,
        time_zone=university.time_zone,
        port=port,
        people=made_up_people(students),
        client_id=f"client-of-{university.slug}",
        moodle_token=f"pretend-web-service-token-of-{university.slug}",
        moodle_user_id=2 + students + 2,
        accent=accent,
        accent_in_the_dark=accent_in_the_dark,
    )
