"""The pretend universities: who is there, and what the tool and the worker must be told about their LMS."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from sandbox_lms.products.habits import Habits
from sandbox_lms.products.table import HABITS, Product

Role = Literal["student", "teacher", "administrator"]

AGS_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
STORAGE_FRAME = "lti_storage"
GRANTED_SCOPES = (AGS_SCOPE + "lineitem.readonly", AGS_SCOPE + "result.readonly", AGS_SCOPE + "score", NRPS_SCOPE)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A pretend person. The password is shown on the sign-in page; `user_id` is numeric text, as in Moodle."""

    user_id: str
    username: str
    password: str
    name: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a tool and a worker must be told about one campus."""

    issuer: str
    client_id: str
    deployment_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    moodle_base_url: str
    moodle_token: str = field(repr=False)
    course_id: int


@dataclass(frozen=True, kw_only=True)
class Campus:
    """One university and its LMS on 127.0.0.1. Port 0 lets the system choose; `Sandbox` then knows the real one.

    User, course, deployment and event ids are the same at every campus, as at two fresh Moodles: whoever mixes up
    universities is found out.
    """

    slug: str
    name: str
    country: str
    language: str
    time_zone: str
    port: int
    people: tuple[Person, ...]
    client_id: str
    moodle_token: str = field(repr=False)
    tool_login: Literal["path-get", "moodle-post"]
    accent: str
    accent_in_the_dark: str
    product: Product = "moodle"
    course_id: int = 2
    course_title: str = "Shared Online Workshop Series"
    course_label: str = "WORKSHOP"
    course_starts_on: date = date(2025, 1, 1)
    deployment_id: str = "1"
    scopes: tuple[str, ...] = GRANTED_SCOPES
    grades_activities: bool = True  # else a tool makes its own line items, and launches name none
    shares_names: bool = True
    moodle_user_id: int = 35
    moodle_time_zone: str = "UTC"
    # What other LMSs do, and Moodle does not. `storage_is_silent`: offered at the login, but never answered.
    platform_storage: Literal["none", "parent", "frame"] = "none"
    storage_dialect: Literal["current", "legacy"] = "current"
    storage_is_silent: bool = False
    nests_frames: bool = False
    shared_issuer: str | None = None

    @property
    def url(self) -> str:
        """Where its site is: scheme, host and port."""
        if not self.port:
            raise ValueError(f"{self.slug} has no port before it is served")
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        """Who signs. In the cloud one issuer may stand for many universities, and is no address of theirs."""
        return self.shared_issuer or (self.habits.issuer or self.url).format(slug=self.slug)

    @property
    def product_name(self) -> str:
        return "another LMS" if self.product == "generic" else self.product.capitalize()

    @property
    def habits(self) -> Habits:
        """How the services of its product behave."""
        return HABITS[self.product]

    @property
    def storage_target(self) -> str | None:
        """Where a tool finds the storage: in the window above its own, or in a frame of this name beside it."""
        return {"none": None, "parent": "_parent", "frame": STORAGE_FRAME}[self.platform_storage]

    @property
    def students(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.role == "student")

    @property
    def members(self) -> tuple[Person, ...]:
        """Who is enrolled. Administrators see every course and are in none."""
        return tuple(person for person in self.people if person.role != "administrator")

    def person(self, user_id: str) -> Person | None:
        return next((person for person in self.people if person.user_id == user_id), None)

    def sub(self, user_id: str) -> str:
        """What tools see of this person."""
        return self.habits.user_id(user_id)

    def person_of(self, sub: str) -> Person | None:
        return next((person for person in self.people if self.sub(person.user_id) == sub), None)

    def address(self, path: str, *, course_id: int | None = None, line_item_id: int | None = None) -> str:
        """Of one of its product's `Addresses`; `course_id`: of another course than its own."""
        fields = {
            "course_id": course_id or self.course_id,
            "deployment_id": self.deployment_id,
            "line_item_id": line_item_id,
        }
        return self.url + path.format(**fields)

    def registration(self) -> Registration:
        addresses = self.habits.addresses
        return Registration(
            issuer=self.issuer,
            client_id=self.client_id,
            deployment_id=self.deployment_id,
            authorization_endpoint=self.address(addresses.authorization),
            token_endpoint=self.address(addresses.token),
            jwks_uri=self.address(addresses.keys),
            moodle_base_url=self.url,
            moodle_token=self.moodle_token,
            course_id=self.course_id,
        )


def _people(*people: tuple[str, str, Role]) -> tuple[Person, ...]:
    """User ids count from 3: 1 is Moodle's guest and 2 its first administrator."""
    return tuple(
        Person(user_id=str(user_id), username=username, password=f"{username}-demo", name=name, role=role)
        for user_id, (username, name, role) in enumerate(people, start=3)
    )


MALTA = Campus(
    slug="malta",
    name="University of Malta",
    country="MT",
    language="en",
    time_zone="Europe/Malta",
    port=8101,
    people=_people(
        ("maria", "Maria Vella", "student"),
        ("maria2", "Maria Vella", "student"),
        ("gorg", "Ġorġ Ħaber", "student"),
        ("zaren", "Żaren Camilleri", "student"),
        ("luke", "Luke Farrugia", "student"),
        ("karmenu", "Karmenu Żammit", "teacher"),
        ("rita", "Rita Azzopardi", "administrator"),
    ),
    client_id="Ym4hXqT8bKRMalta",
    moodle_token="pretend-web-service-token-of-malta",
    tool_login="path-get",
    accent="#a3122a",
    accent_in_the_dark="#ff9aa8",
)

VILNIUS = Campus(
    slug="vilnius",
    name="Vilnius University",
    country="LT",
    language="lt",
    time_zone="Europe/Vilnius",
    port=8102,
    people=_people(
        ("jonas", "Jonas Petrauskas", "student"),
        ("jonas2", "Jonas Petrauskas", "student"),
        ("ruta", "Rūta Kazlauskaitė", "student"),
        ("azuolas", "Ąžuolas Šimkus", "student"),
        ("zivile", "Živilė Žukauskienė", "student"),
        ("egle", "Eglė Jankauskienė", "teacher"),
        ("mindaugas", "Mindaugas Butkus", "administrator"),
    ),
    client_id="c7PwVd2sLZVilnius",
    moodle_token="pretend-web-service-token-of-vilnius",
    tool_login="moodle-post",
    accent="#0b5d4e",
    accent_in_the_dark="#7fdcc6",
)

SAMPLE_CAMPUSES = (MALTA, VILNIUS)
