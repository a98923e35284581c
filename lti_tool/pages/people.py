"""The accounts of staff, for the coordinator: who there is, and inviting somebody by a link to choose a password."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.lists import PER_PAGE, count_pages, wanted_page, wanted_search
from lti_tool.pages.people_words import link_in_words, role_in_words, state_in_words
from lti_tool.pages.staff_proof import check_form, who, with_staff
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import hash_proof
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.invitations import Invited, subject_of, text_of
from series.partner_typed import faults_of_person
from series.people import University
from series.permissions import Action, may
from series.staff import INVITATION_LIFE, MAX_EMAIL_CHARS, Role, Staff, normal_email
from series.store.audit import append_audit
from series.store.database import Connection
from series.store.people import Person, find_person, people
from series.store.staff import add_link, add_staff, require_account
from series.store.universities import AlreadyThere, list_universities

blueprint = Blueprint("people", __name__, url_prefix="/admin/people")
MAX_KEPT_CHARS = 300


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """`link`: that one waits, until when; empty without."""

    person: Person
    role: str
    state: str
    signed_in: str
    link: str


@dataclass(frozen=True, kw_only=True)
class TypedPerson:
    """As it is filled into the form once more, and what is wrong with it."""

    name: str = ""
    email: str = ""
    role: str = ""
    university: str = ""
    faults: dict[str, str] = field(default_factory=dict)


@blueprint.get("/")
@with_staff
def show_all(staff: Staff) -> str:
    _only_for(staff, Action.SEE_PEOPLE)
    search = wanted_search()
    page = wanted_page()
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        found, total = people(connection, search=search, limit=PER_PAGE, offset=(page - 1) * PER_PAGE, now=now)
    return render_template(
        "people.html",
        staff=staff,
        rows=[person_row(person) for person in found],
        search=search,
        page=page,
        pages=count_pages(total),
        total=total,
    )


@blueprint.get("/invite")
@with_staff
def show_invite(staff: Staff) -> Response:
    """`?university=`: where somebody comes from that university's page."""
    _only_for(staff, Action.EDIT_PEOPLE)
    university = request.args.get("university", "")
    return _invite_page(staff, TypedPerson(role=Role.LMS_ADMIN.value if university else "", university=university))


@blueprint.post("/")
@with_staff
def invite(staff: Staff) -> Response:
    """Makes the account, and shows its link: now, and never again."""
    check_form("invite-staff")
    _only_for(staff, Action.EDIT_PEOPLE)
    typed = _typed_person()
    with the_tool().database.read() as connection:
        universities = {one.slug: one for one in list_universities(connection)}
    faults = faults_of_person(name=typed.name, email=typed.email, words=WORDS) | _faults_of_role(typed, universities)
    if faults:
        return _invite_page(staff, typed, faults, status=422)
    home = universities.get(typed.university) if typed.role == Role.LMS_ADMIN.value else None
    try:
        with the_tool().database.write() as connection:
            staff_id = _add(connection, staff, typed, home)
            made = make_link(connection, staff_id, life=INVITATION_LIFE)
    except AlreadyThere:
        return _invite_page(staff, typed, {"email": _taken_words(typed.email)}, status=409)
    return link_page(staff, made)


def _taken_words(email: str) -> str:
    """An account stays with its role and university: whoever changes theirs needs another one."""
    with the_tool().database.read() as connection:
        account = require_account(connection, email)
        person = find_person(connection, account.staff_id, now=the_tool().clock.now())
    role = role_in_words(account.role)
    return str(
        gettext(
            "There is an account with this e-mail address already. It is of %(name)s (%(role)s; %(state)s). A new link"
            " for it is made, and it is switched on again, from its page under “People”. For another role or"
            " university, take another address.",
            name=account.name,
            role=f"{role}, {person.university}" if person and person.university else role,
            state=state_in_words(account),
        )
    )


@dataclass(frozen=True, kw_only=True)
class MadeLink:
    """`is_new`: for the first password; else the one before was reset."""

    person: Person
    address: str
    until: datetime
    is_new: bool


def make_link(connection: Connection, staff_id: int, *, life: timedelta, is_new: bool = True) -> MadeLink:
    """A new link to choose a password, in the place of older ones."""
    tool, now, secret = the_tool(), the_tool().clock.now(), secrets.token_urlsafe(32)
    until = add_link(connection, staff_id, hash_proof(secret), now=now, life=life)
    person = find_person(connection, staff_id, now=now)
    assert person is not None
    return MadeLink(
        person=person,
        address=f"{tool.settings.public_url}/admin/set-up/{secret}",
        until=until,
        is_new=is_new,
    )


def link_page(staff: Staff, made: MadeLink) -> Response:
    """With the text by which it is sent. The link is on no other page."""
    account = made.person.account
    invited = Invited(
        name=account.name,
        email=account.email,
        role=account.role,
        university=made.person.university,
        is_new=made.is_new,
    )
    text = text_of(invited, link=made.address, until=made.until, zone=made.person.zone, sender=staff.name)
    page = render_template(
        "people_link.html",
        staff=staff,
        made=made,
        until=moment(made.until, made.person.zone),
        subject=subject_of(invited),
        text=text,
    )
    return make_response(page)


def person_row(person: Person) -> PersonRow:
    account = person.account
    return PersonRow(
        person=person,
        role=role_in_words(account.role),
        state=state_in_words(account),
        signed_in=moment(account.signed_in_at, "UTC") if account.signed_in_at else gettext("not yet"),
        link=link_in_words(person, the_tool().clock.now()),
    )


def _add(connection: Connection, staff: Staff, typed: TypedPerson, home: University | None) -> int:
    now = the_tool().clock.now()
    staff_id = add_staff(
        connection,
        email=typed.email,
        name=typed.name,
        role=Role(typed.role),
        university_id=home.university_id if home else None,
        now=now,
    )
    append_audit(
        connection, actor=who(staff), action="create_staff", thing=f"staff {staff_id}", now=now, role=typed.role
    )
    return staff_id


def _typed_person() -> TypedPerson:
    return TypedPerson(
        name=" ".join(request.form.get("name", "").split())[:MAX_KEPT_CHARS],
        email=normal_email(request.form.get("email", ""))[: MAX_EMAIL_CHARS + 1],
        role=request.form.get("role", ""),
        university=request.form.get("university", ""),
    )


def _faults_of_role(typed: TypedPerson, universities: dict[str, University]) -> dict[str, str]:
    if typed.role not in set(Role):
        return {"role": gettext("Please choose one of the two.")}
    if typed.role == Role.LMS_ADMIN.value and typed.university not in universities:
        return {"university": gettext("Please choose the university whose LMS they look after.")}
    return {}


def _invite_page(
    staff: Staff, typed: TypedPerson, faults: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    with the_tool().database.read() as connection:
        universities = list_universities(connection)
    page = render_template(
        "people_invite.html", staff=staff, typed=typed, faults=faults or {}, universities=universities, Role=Role
    )
    return make_response(page, status)


def _only_for(staff: Staff, action: Action) -> None:
    if not may(staff, action):
        abort(403)
