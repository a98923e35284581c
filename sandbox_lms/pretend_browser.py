"""A browser without scripts and pictures, for pretend people: it follows redirects, keeps cookies, and sends forms."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from sandbox_lms.campus import Campus, Person

TIMEOUT_S = 30


class NotAsExpected(Exception):
    """A page is not there, or lacks what a person would look for on it."""


@dataclass(kw_only=True)
class Form:
    """`fields`: as they would be sent. `choices`: the values of each list, in the order of the page."""

    action: str
    is_self_posting: bool
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ShownPage:
    """What the browser has arrived at."""

    url: str
    forms: tuple[Form, ...]

    def forms_to(self, path: str) -> Iterator[Form]:
        """Those that are sent to an address that ends so."""
        return (form for form in self.forms if urlsplit(form.action).path.endswith(path))

    def form_to(self, path: str) -> Form:
        """The first of these. Raises NotAsExpected."""
        for form in self.forms_to(path):
            return form
        raise NotAsExpected(f"{self.url} has no form to {path}")


class PretendBrowser:
    """Of one person."""

    def __init__(self) -> None:
        # Browsers trust loopback: https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy
        cookies = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        self._opener = build_opener(HTTPCookieProcessor(cookies))

    def launch(self, campus: Campus, person: Person, activity_id: int = 1) -> ShownPage:
        """Sign in at the LMS and open the activity: the tool's page. Raises NotAsExpected."""
        signing_in = Form(action=f"{campus.url}/sign-in", is_self_posting=False)
        self.send(campus.url, signing_in, username=person.username, password=person.password)
        page = self.open(f"{campus.url}/launch/{activity_id}")
        while page.forms and page.forms[0].is_self_posting:
            page = self.send(page.url, page.forms[0])
        return page

    def open(self, url: str) -> ShownPage:
        """Raises NotAsExpected."""
        return self._show(Request(url))  # noqa: S310 - only links of our own servers on loopback

    def send(self, url: str, form: Form, **typed: str) -> ShownPage:
        """`url`: of the page that the form is on. Raises NotAsExpected for what is refused."""
        parts = urlsplit(url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        body = urlencode({**form.fields, **typed}).encode()
        return self._show(Request(form.action, data=body, headers=headers))  # noqa: S310 - as above

    def _show(self, request: Request) -> ShownPage:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                reader = _Reader(answer.url)
                reader.feed(answer.read().decode())
        except HTTPError as error:
            raise NotAsExpected(f"{urlsplit(error.url).path} answers {error.code}") from error
        except OSError as error:
            raise NotAsExpected(f"{urlsplit(request.full_url).netloc} does not answer") from error
        return ShownPage(url=answer.url, forms=tuple(reader.forms))


class _Reader(HTMLParser):
    """The forms of a page: hidden fields, and lists to choose from."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._url = url
        self._list: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._url, given.get("action", ""))
            self.forms.append(Form(action=action, is_self_posting=given.get("id") == "form-post"))
        elif tag == "input" and given.get("type") == "hidden" and self.forms:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select" and self.forms:
            self._list = self.forms[-1].choices.setdefault(given["name"], [])
        elif tag == "option" and self._list is not None:
            self._list.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._list = None
