"""What a teacher does once, at the beginning of a series: open the activity, let tasks of the course count for its
sessions, and say whom the course teaches. In a browser, on the tool's own pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox_lms.campus import Campus
from sandbox_lms.pretend_browser import NotAsExpected, PretendBrowser


@dataclass(frozen=True, kw_only=True)
class Taught:
    """Whom a course teaches, in the tool's own words, and in how many schools those in service teach."""

    audience: str
    schools: str = ""


def prepare_course(campus: Campus, cmids: Sequence[int], taught: Taught) -> None:
    """Of the course modules `cmids`, the first counts for the first session, and so on; those that count already are
    left as they are. May be repeated. Raises NotAsExpected."""
    teacher = next(person for person in campus.people if person.role == "teacher")
    browser = PretendBrowser()
    visit = browser.launch(campus, teacher)
    if "/visit/" not in visit.url:
        raise NotAsExpected(f"The teacher of {campus.name} got no further than {visit.url}")
    _choose_activities(browser, visit.url, cmids)
    audience = browser.open(f"{visit.url}course/audience")
    form = audience.form_to("/course/audience")
    browser.send(audience.url, form, audience=taught.audience, schools=taught.schools)


def _choose_activities(browser: PretendBrowser, visit_url: str, cmids: Sequence[int]) -> None:
    page = browser.open(f"{visit_url}course/activities/")
    offered = {form.fields.get("cmid"): form for form in page.forms_to("/course/activities/")}
    for number, cmid in enumerate(cmids):
        form = offered.get(str(cmid))
        if form is not None:
            _none, *sessions = form.choices["session"]
            browser.send(page.url, form, session=sessions[number])
