"""How staff come in: the sign-in, and the one-time link by which a password is chosen."""

import hashlib
import math
import secrets
from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.client_address import client_address
from lti_tool.pages.known_browser import known_browser, remember_browser
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import (
    SIGN_IN,
    check_token,
    own_path,
    session_hash_of_browser,
    set_staff_cookie,
    signed_in,
    token_for,
)
from lti_tool.pages.staff_words import fault_in_words, wait_in_words
from lti_tool.pages.visit_proof import FormNotOurs, hash_proof, is_our_own_form
from lti_tool.tool import the_tool
from series.limits import STAFF_TRIES, STAFF_TRIES_OF_ADDRESS, Limit
from series.staff import is_email, normal_email, password_fault
from series.store.audit import append_audit
from series.store.limits import take
from series.store.staff import (
    Account,
    AccountChanged,
    count_try,
    find_account,
    owner_of_link,
    save_rehash,
    spend_link,
)
from series.store.staff_sessions import close_session, open_session

blueprint = Blueprint("staff_sign_in", __name__, url_prefix="/admin")
log = structlog.get_logger()


@blueprint.get("/sign-in")
def show_sign_in() -> Response:
    onward = own_path(request.args.get("next"))
    if signed_in():
        return go_to(onward)
    return _sign_in_page(onward, done=request.args.get("done", ""))


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of a try to sign in. `wait_s`: there were too many, and the next one may follow after that."""

    session_secret: str | None = None
    wait_s: int = 0


@blueprint.post("/sign-in")
def sign_in() -> Response:
    """A form of another site could sign somebody in as its author, so our own Origin is demanded:
    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html#possible-csrf-vulnerabilities-in-login-forms
    """
    if not is_our_own_form():
        raise FormNotOurs
    email, onward = normal_email(request.form.get("email", "")), own_path(request.form.get("next"))
    tried = _try(email, request.form.get("password", ""))
    if tried.wait_s:
        response = _sign_in_page(onward, email=email, wait_s=tried.wait_s, status=429)
        response.headers["Retry-After"] = str(tried.wait_s)
        return response
    if tried.session_secret is None:
        return _sign_in_page(onward, email=email, is_wrong=True, status=422)
    response = go_to(onward)
    set_staff_cookie(response, tried.session_secret)
    remember_browser(response, email)
    return response


def _try(email: str, password: str) -> Tried:
    """The same work whether or not there is such an account: limits, one count, one look, one comparison."""
    tool = the_tool()
    now, known_as = tool.clock.now(), known_browser(email)
    with tool.database.write() as connection:
        for key, limit in _limits(email, known_as):
            wait_s = take(connection, key, limit, now=now)
            if wait_s:
                return Tried(wait_s=math.ceil(wait_s))
        asked_for = email if is_email(email) else ""
        count_try(connection, asked_for)
        account = find_account(connection, asked_for)
    if not tool.passwords.matches(account.password_hash if account else None, password) or account is None:
        log.warning("staff_sign_in_failed", staff_id=account.staff_id if account else None)
        return Tried()
    return _open(account, password)


def _limits(email: str, known_as: str | None) -> list[tuple[str, Limit]]:
    """A browser that the account has signed in with has a bucket of its own. All others share the account's, and before
    that their address's. The key tells nobody what was typed: some type their password there."""
    if known_as:
        return [(f"staff browser {known_as}", STAFF_TRIES)]
    proxies = the_tool().settings.trusted_proxies
    address = client_address(request.remote_addr, request.headers.get("X-Forwarded-For", ""), proxies)
    account = hashlib.sha256(email.encode()).hexdigest()
    return [(f"staff address {address}", STAFF_TRIES_OF_ADDRESS), (f"staff account {account}", STAFF_TRIES)]


def _open(account: Account, password: str) -> Tried:
    """A new secret, whatever this browser held before."""
    tool, now, secret = the_tool(), the_tool().clock.now(), secrets.token_urlsafe(32)
    old_hash, old_session = account.password_hash or "", session_hash_of_browser()
    better_hash = tool.passwords.make_hash(password) if tool.passwords.is_outdated(old_hash) else None
    who = f"staff {account.staff_id}"
    try:
        with tool.database.write() as connection:
            failed = open_session(connection, account, hash_proof(secret), now=now)
            if old_session:
                close_session(connection, old_session)
            if better_hash:
                save_rehash(connection, account, password_hash=better_hash)
            append_audit(connection, actor=who, action="sign_in", thing=who, now=now, failed_before=failed)
    except AccountChanged:
        log.warning("staff_sign_in_failed", staff_id=account.staff_id)
        return Tried()
    log.info("staff_signed_in", staff_id=account.staff_id)
    return Tried(session_secret=secret)


def _sign_in_page(
    onward: str, *, done: str = "", email: str = "", is_wrong: bool = False, wait_s: int = 0, status: int = 200
) -> Response:
    page = render_template(
        "staff_sign_in.html",
        onward=onward,
        done=done,
        email=email,
        is_wrong=is_wrong,
        wait=wait_in_words(wait_s) if wait_s else "",
    )
    return make_response(page, status)


@blueprint.get("/set-up/<secret>")
def show_set_up(secret: str) -> Response:
    """Looking spends nothing: mail programs and chats look at links, too."""
    return _set_up_page(_owner(secret), secret)


@blueprint.post("/set-up/<secret>")
def set_up(secret: str) -> Response:
    """Choose the password. A password that is refused leaves the link as it is."""
    check_token(token_for(secret, "set-up"))
    owner, password = _owner(secret), request.form.get("password", "")
    fault = fault_in_words(
        password_fault(password, email=owner.email, name=owner.name), repeated=password == request.form.get("again", "")
    )
    if fault:
        return _set_up_page(owner, secret, fault=fault, status=422)
    tool, who = the_tool(), f"staff {owner.staff_id}"
    password_hash = tool.passwords.make_hash(password)
    now = tool.clock.now()
    with tool.database.write() as connection:
        spend_link(connection, hash_proof(secret), password_hash=password_hash, now=now)
        append_audit(connection, actor=who, action="set_password", thing=who, now=now, by="link")
    response = go_to(f"{SIGN_IN}?done=password")
    remember_browser(response, owner.email)
    return response


def _owner(secret: str) -> Account:
    """Raises LinkOver."""
    with the_tool().database.read() as connection:
        return owner_of_link(connection, hash_proof(secret), now=the_tool().clock.now())


def _set_up_page(owner: Account, secret: str, *, fault: str = "", status: int = 200) -> Response:
    page = render_template(
        "staff_set_up.html", owner=owner, secret=secret, fault=fault, form_token=token_for(secret, "set-up")
    )
    return make_response(page, status)
