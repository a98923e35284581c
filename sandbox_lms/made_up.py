"""Universities by number, for measurements with more of them and more students than the two of the demo have."""

from dataclasses import replace

from sandbox_lms.campus import MALTA, Campus, Person, Role

FIRST_PORT = 8200
_ZONES = ("Europe/Malta", "Europe/Vilnius", "Europe/Brussels", "Europe/Lisbon", "Europe/Athens", "Atlantic/Azores")


def made_up_campus(number: int, *, students: int) -> Campus:
    """The same one for the same number, which counts from 1, with a service account of an id that nobody in the course
    has."""
    return replace(
        MALTA,
        slug=f"university-{number}",
        name=f"University {number}",
        time_zone=_ZONES[number % len(_ZONES)],
        port=FIRST_PORT + number,
        people=made_up_people(students),
        client_id=f"client-of-university-{number}",
        moodle_token=f"pretend-web-service-token-of-university-{number}",
        moodle_user_id=3 + students + 1,
    )


def made_up_people(students: int) -> tuple[Person, ...]:
    """Students, with ids from 3, then one teacher."""
    people = [_person(user_id, "student", f"Student {user_id - 2}") for user_id in range(3, 3 + students)]
    return (*people, _person(3 + students, "teacher", "The Teacher"))


def _person(user_id: int, role: Role, name: str) -> Person:
    username = f"{role}{user_id}"
    return Person(user_id=str(user_id), username=username, password=f"{username}-demo", name=name, role=role)
