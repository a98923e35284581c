"""What is in a course, as Moodle's web services list it."""

from typing import Any

import msgspec

from sandbox_lms.completion import Completion
from sandbox_lms.course_modules import NONE, CourseModule
from sandbox_lms.moodle_access import check_course, visible_modules
from sandbox_lms.moodle_completion import completion_data
from sandbox_lms.moodle_errors import moodle_exception
from sandbox_lms.site import Site

_PLURAL = {
    "page": "Pages",
    "assign": "Assignments",
    "quiz": "Quizzes",
    "lti": "External tools",
    "forum": "Forums",
}
_PURPOSE = {"page": "content", "lti": "other", "assign": "assessment", "quiz": "assessment", "forum": "collaboration"}
_OPTIONS = frozenset(("excludecontents", "excludemodules", "cmid", "modname"))
_CHANGED_S = 1_735_689_600  # when the teacher wrote the texts


class Option(msgspec.Struct, forbid_unknown_fields=True):
    """A number where arguments come as JSON, a text where they come in a form."""

    name: str
    value: str | int | bool

    @property
    def text(self) -> str:
        return str(int(self.value)) if isinstance(self.value, bool) else str(self.value)


class WantedContents(msgspec.Struct, forbid_unknown_fields=True):
    courseid: int
    options: list[Option] = []


def course_contents(site: Site, wanted: WantedContents) -> list[dict[str, Any]]:
    """The announcements in the first section, everything else in the second."""
    check_course(site, wanted.courseid)
    options = {option.name: option.text for option in wanted.options}
    for name in options.keys() - _OPTIONS:
        raise moodle_exception("errorinvalidparam", f'The param "{name}" is invalid.')
    modules = [] if _is_on(options.get("excludemodules")) else visible_modules(site)
    shown = [
        (module.modname == "forum", _module(site, module, with_contents=not _is_on(options.get("excludecontents"))))
        for module in modules
        if options.get("cmid", str(module.cmid)) == str(module.cmid)
        and options.get("modname", module.modname) == module.modname
    ]
    return [
        _section(1, "General", [module for is_forum, module in shown if is_forum]),
        _section(2, "New section", [module for is_forum, module in shown if not is_forum]),
    ]


def _section(section_id: int, name: str, modules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": section_id,
        "name": name,
        "visible": 1,
        "summary": "",
        "summaryformat": 1,
        "section": section_id - 1,
        "hiddenbynumsections": 0,
        "uservisible": True,
        "component": None,
        "itemid": None,
        "modules": modules,
    }


def _module(site: Site, module: CourseModule, *, with_contents: bool) -> dict[str, Any]:
    own_state = Completion(cmid=module.cmid, user_id=str(site.campus.moodle_user_id))
    return {
        "id": module.cmid,
        "url": f"{site.campus.url}/mod/{module.modname}/view.php?id={module.cmid}",
        "name": module.name,
        "instance": module.instance,
        "contextid": 44 + module.cmid,
        "visible": int(module.cmid not in site.switches.settings.hidden),
        "uservisible": True,
        "visibleoncoursepage": 1,
        "modicon": f"{site.campus.url}/theme/image.php/boost/{module.modname}/1/monologo?filtericon=1",
        "modname": module.modname,
        "purpose": _PURPOSE[module.modname],
        "branded": False,
        "modplural": _PLURAL[module.modname],
        "availability": None,
        "indent": 0,
        "onclick": "",
        "afterlink": None,
        "customdata": '""',
        "noviewlink": False,
        "completion": module.tracking,
        **({"completiondata": completion_data(module, own_state, is_tracked=False)} if module.tracking != NONE else {}),
        "downloadcontent": 1,
        "dates": [],
        "groupmode": 0,
        **(_contents(site, module, with_contents=with_contents) if module.modname == "page" else {}),
    }


def _contents(site: Site, module: CourseModule, *, with_contents: bool) -> dict[str, Any]:
    context_url = f"{site.campus.url}/webservice/pluginfile.php/{44 + module.cmid}/mod_page/content"
    file = {
        "type": "file",
        "filename": "index.html",
        "filepath": "/",
        "filesize": 0,
        "fileurl": f"{context_url}/index.html?forcedownload=1",
        "timecreated": None,
        "timemodified": _CHANGED_S,
        "sortorder": 1,
        "userid": None,
        "author": None,
        "license": None,
    }
    info = {
        "filescount": 1,
        "filessize": 0,
        "lastmodified": _CHANGED_S,
        "mimetypes": [],
        "repositorytype": "",
    }
    return {"contents": [file] if with_contents else [], "contentsinfo": info}


def _is_on(value: str | None) -> bool:
    return value not in {None, "", "0", "false"}
