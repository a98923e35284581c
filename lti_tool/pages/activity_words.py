"""What the pages of a course say of its Moodle's activities."""

from lms.moodle_course import Activity
from lti_tool.pages.words import WORDS
from series.collecting import Source
from series.store.held_completions import HeldThing
from series.store.mapped_activities import MappedActivity

gettext, ngettext = WORDS.gettext, WORDS.ngettext


def why_not(activity: Activity, own_links: set[str]) -> str:
    """Why it cannot count for a session; empty: it can. `own_links`: resource links of this tool."""
    if activity.module == "lti" and str(activity.instance) in own_links:
        return gettext("This is this tool itself: what it says would only be its own echo.")
    if activity.module == "lti":
        return gettext(
            "External tools are not offered: our own activities are among them, and opening one is not completing a"
            " session."
        )
    if not activity.tracks_completion:
        return gettext("Moodle does not track its completion: switch that on in the activity's settings first.")
    return ""


def problem_words(mapped: MappedActivity) -> str:
    words = {
        "own": gettext(
            "It is an external tool, as our own activities are, so nothing is collected from it. Please remove it."
        ),
        "unseen": gettext(
            "Moodle no longer tells us anything of it: it may have been deleted, or be hidden from the account that we"
            " use. What it gave stays."
        ),
        "untracked": gettext(
            "Its completion is switched off in Moodle now, so nothing new is collected. What it gave stays."
        ),
    }
    return words.get(mapped.problem or "", "")


def held_words(thing: HeldThing) -> str:
    """What was complete."""
    if thing.source is Source.OVERRIDE:
        return gettext("Set to complete by a teacher")
    if thing.source is Source.GRADE:
        return gettext("Full grade given by a teacher")
    return gettext("Activity “%(name)s”", name=thing.name or "")


def people_words(mapped: MappedActivity) -> str:
    """What it has given so far."""
    given = ngettext("%(num)s person has it", "%(num)s people have it", mapped.people)
    if not mapped.waiting:
        return given
    waiting = ngettext(
        "%(num)s who has not opened this tool yet waits",
        "%(num)s who have not opened this tool yet wait",
        mapped.waiting,
    )
    return gettext("%(given)s, %(waiting)s", given=given, waiting=waiting)


def kind_words(module: str) -> str:
    """Moodle's kinds of activities; of others, Moodle's own short name."""
    return {
        "assign": gettext("Assignment"),
        "book": gettext("Book"),
        "choice": gettext("Choice"),
        "data": gettext("Database"),
        "feedback": gettext("Feedback"),
        "folder": gettext("Folder"),
        "forum": gettext("Forum"),
        "glossary": gettext("Glossary"),
        "h5pactivity": gettext("H5P"),
        "lesson": gettext("Lesson"),
        "lti": gettext("External tool"),
        "page": gettext("Page"),
        "quiz": gettext("Quiz"),
        "resource": gettext("File"),
        "scorm": gettext("SCORM package"),
        "url": gettext("Link"),
        "wiki": gettext("Wiki"),
        "workshop": gettext("Workshop"),
    }.get(module, module)
