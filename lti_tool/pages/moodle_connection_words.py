"""How a Moodle's administrator connects it, step by step, in Moodle's own words for its menus."""

from dataclasses import dataclass, field

from flask_babel import gettext

from lms.moodle_levels import functions_of
from lms.moodle_role import RoleKind, role_name
from series.moodle_jobs import Level


@dataclass(frozen=True, kw_only=True)
class LevelWords:
    """What a level gives, what it needs, and how long connecting takes. `level` None: without any connection."""

    level: Level | None
    title: str
    gives: str
    needs: str
    minutes: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """`where`: Moodle's menus; `what` is done there, one thing after the other."""

    title: str
    where: str
    what: list[str] = field(default_factory=list)
    minutes: int


def level_words(level: Level | None) -> LevelWords:
    if level is None:
        return LevelWords(
            level=None,
            title=gettext("LTI and calendar feed only"),
            gives=gettext(
                "Students open the sessions from their course, their grades come back into it, and everybody can"
                " subscribe to the calendar in their own calendar program. Nothing is missing for taking part."
            ),
            needs=gettext("Nothing more in Moodle: this is complete as it is."),
            minutes=0,
        )
    if level is Level.CALENDAR:
        return LevelWords(
            level=level,
            title=gettext("Course calendar"),
            gives=gettext(
                "The sessions also stand in the Moodle course's own calendar, and stay right there when one is moved or"
                " cancelled."
            ),
            needs=gettext("An account that may write into the calendar of the course. It sees no student."),
            minutes=sum(step.minutes for step in steps_of(level, announcements=False)),
        )
    return LevelWords(
        level=level,
        title=gettext("Course calendar and completions"),
        gives=gettext(
            "The sessions stand in the Moodle course's own calendar, and activities of the course that an instructor"
            " chooses count for them."
        ),
        needs=gettext(
            "An account that may also see who is in the course and what they have completed. We keep numbers, and no"
            " names."
        ),
        minutes=sum(step.minutes for step in steps_of(level, announcements=False)),
    )


def steps_of(level: Level, *, announcements: bool) -> list[Step]:
    return [
        *_account_steps(),
        *_role_steps(level, announcements=announcements),
        *_service_steps(level, announcements=announcements),
    ]


def _account_steps() -> list[Step]:
    return [
        Step(
            title=gettext("Import the two roles"),
            where=gettext("Site administration > Users > Permissions > Define roles > Add a new role"),
            what=[
                gettext(
                    "Leave “Use role or archetype” at “No role”, choose the file under “Use role preset”, Continue."
                ),
                gettext("Change nothing on the page that follows, and press “Create this role”. Once for each file."),
            ],
            minutes=3,
        ),
        Step(
            title=gettext("Make the account"),
            where=gettext("Site administration > Users > Accounts > Add a new user"),
            what=[
                gettext(
                    "Choose an authentication method: Web services authentication. It then cannot sign in by hand. The"
                    " list may show it under “Disabled”, which is right: tokens work all the same."
                ),
                gettext("Timezone: UTC. Any name and e-mail address, such as “Shared Sessions”."),
            ],
            minutes=2,
        ),
    ]


def _role_steps(level: Level, *, announcements: bool) -> list[Step]:
    of_course = role_name(RoleKind.COURSE, level, announcements=announcements)
    of_site = role_name(RoleKind.SYSTEM, level, announcements=announcements)
    return [
        Step(
            title=gettext("Give it the role for web services"),
            where=gettext("Site administration > Users > Permissions > Assign system roles"),
            what=[gettext("Choose “%(role)s”, and add the account.", role=of_site)],
            minutes=1,
        ),
        Step(
            title=gettext("Give it the role in the course"),
            where=gettext(
                "Site administration > Courses > Manage courses and categories > (the category) > Permissions > (list"
                " at the top) Assign roles"
            ),
            what=[
                gettext("Choose “%(role)s”, and add the account.", role=of_course),
                gettext(
                    "Or in the course alone: Participants > Other users > Assign roles. It need not be enrolled, and"
                    " does not stand in the list of participants."
                ),
            ],
            minutes=1,
        ),
    ]


def _service_steps(level: Level, *, announcements: bool) -> list[Step]:
    number = len(functions_of(level, announcements=announcements))
    return [
        Step(
            title=gettext("Switch web services on, if they are not"),
            where=gettext("Site administration > General > Advanced features"),
            what=[
                gettext("Enable web services."),
                gettext("Site administration > Server > Web services > Manage protocols: enable REST."),
            ],
            minutes=1,
        ),
        Step(
            title=gettext("Make the service"),
            where=gettext("Site administration > Server > Web services > External services > Add"),
            what=[
                gettext("Name it “Shared Sessions”, tick “Enabled” and “Authorised users only”, Add service."),
                gettext("Add functions: the %(number)s functions of the list below.", number=number),
                gettext("Back in External services > Authorised users: add the account."),
            ],
            minutes=3 if level is Level.CALENDAR else 5,
        ),
        Step(
            title=gettext("Make the token"),
            where=gettext("Site administration > Server > Web services > Manage tokens > Create token"),
            what=[
                gettext("Choose the account and the service; leave “Valid until” off, or note the day."),
                gettext("Copy the token: Moodle shows it once."),
            ],
            minutes=1,
        ),
        Step(
            title=gettext("Enter it here"),
            where="",
            what=[gettext("In the form at the end of this page. What it can do is tried out at once.")],
            minutes=1,
        ),
    ]
